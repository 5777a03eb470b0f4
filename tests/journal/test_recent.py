"""The newest calls of a kind, in either kind of database."""

from __future__ import annotations

import pytest
from journal_rows import REPLY, asked, failed, insert, row

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import NotFound
from gen_toolkit.journal.recent import Wanted, count_without_texts, recent

RUN = "019a0000-0000-7000-8000-00000000000a"


def test_calls_are_found_by_run_prompt_and_alias_and_the_newest_are_last(either_database: str) -> None:
    for each in (
        row(id="vectors", days=1, request=["a text"], run=RUN),
        row(id="old", days=3, run=RUN),
        row(id="new", days=1, owner=RUN, prompt="label#1a2b3c4d"),
        row(id="other", days=2, prompt="label-2@1", alias="slow"),
        row(id="case", days=4, prompt="LABEL@1"),
        row(id="pruned", days=9, request=None, reply=None, run=RUN),
        failed(id="failed", run=RUN),
        asked(id="asked", run=RUN),
    ):
        insert(each)

    def found(last: int = 10, **wanted: str) -> list[str]:
        return [call.id for call in recent(open_database(), Wanted(**wanted), last)]

    assert found() == ["case", "old", "other", "new"]
    assert found(2) == ["other", "new"]
    assert found(run=RUN[:30]) == ["old", "new"]
    assert found(prompt="label") == ["old", "new"]
    assert found(prompt="label@1") == ["old"]
    assert found(alias="slow", prompt="label-2") == ["other"]
    assert found(pipeline="none") == []
    assert count_without_texts(open_database(), Wanted(run=RUN)) == 1
    insert(row(id="near", run=RUN[:-1] + "b"))
    with pytest.raises(NotFound, match="several runs have calls"):
        found(run=RUN[:30])


def test_what_was_asked_and_answered_is_given_as_it_was(either_database: str) -> None:
    insert(row(id="one"))
    (call,) = recent(open_database(), Wanted(), 1)
    assert (call.messages, call.text) == ([{"role": "user", "content": "a good film"}], REPLY["text"])
    assert (call.alias, call.prompt) == ("fast", "label@1")
