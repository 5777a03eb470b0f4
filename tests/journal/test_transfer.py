"""Calls leave and enter the journal as lines of JSON: scrubbed, whole or not at all, and twice is once."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from journal_rows import asked, failed, insert, row, stored

import gen_toolkit as gt
from gen_toolkit import scope, text
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import InputError, NotFound
from gen_toolkit.journal import transfer
from gen_toolkit.journal.transfer import Line, export_calls, import_calls

HASHES = dict.fromkeys(("key", "cassette_key", "request_hash"), "0123456789abcdef" * 4)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def emptied() -> None:
    with open_database().write() as connection:
        connection.execute(calls.delete())


def without_process() -> dict[str, dict[str, Any]]:
    return {call: {**found._mapping, "process": None} for call, found in stored().items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.jsonl"


def test_a_line_has_every_column_but_the_process() -> None:
    assert set(Line.model_fields) | {"process"} == {column.name for column in calls.c}


def test_what_is_exported_and_imported_is_the_same(either_database: str, file: Path) -> None:
    first, *_ = insert(
        row(**HASHES), failed(**HASHES), asked(**HASHES, cost=None), row(**HASHES, cost=None, reply=None)
    )
    insert(row(**HASHES, instead_of=first, alias="Grüße \ud800\u2028", cost=1, pruned_at=1.5, request=None))
    before = without_process()
    assert export_calls(open_database(), file) == 5
    emptied()
    assert import_calls(open_database(), file).added == 5
    assert without_process() == before


def test_importing_twice_changes_nothing(either_database: str, file: Path) -> None:
    insert(row(**HASHES), failed(**HASHES))
    export_calls(open_database(), file)
    before = stored()
    done = import_calls(open_database(), file)
    assert (done.added, done.known) == (0, 2)
    assert stored() == before


def test_what_was_imported_is_replayed(file: Path) -> None:
    def ask(mode: str) -> gt.Reply:
        with scope.inside(mode=mode, row=scope.Row("1")):
            return gt.chat("hi \ud800", model=gt.ScriptedModel(["hello \ud800 \u2028"]))

    said = ask("live")
    export_calls(open_database(), file)
    emptied()
    import_calls(open_database(), file)
    assert (ask("replay").text, ask("replay").usage) == (said.text, said.usage)


def test_the_calls_of_one_run_can_be_exported_alone_and_more_than_a_batch(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_BATCH", 3)
    insert(*(row(**HASHES, run="run-2") for _ in range(7)), row(**HASHES))
    assert export_calls(open_database(), file, "run-2") == 7
    assert {line["run"] for line in lines(file)} == {"run-2"}
    emptied()
    assert import_calls(open_database(), file).added == 7


def test_no_secret_leaves_also_one_that_was_read_later(file: Path) -> None:
    insert(row(**HASHES, request=[{"role": "user", "content": "the key is later-0123456789"}]))
    text.remember_secret("later-0123456789")
    export_calls(open_database(), file)
    assert "later-0123456789" not in file.read_text()
    assert lines(file)[0]["request"][0]["content"] == "the key is [secret]"


def test_the_file_is_private_and_an_earlier_one_stays_whole_when_the_export_fails(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(row(**HASHES))
    export_calls(open_database(), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()

    def broken(found: object) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer, "_exported", broken)
    with pytest.raises(InputError, match="No space left"):
        export_calls(open_database(), file)
    assert file.read_bytes() == before
    assert list(file.parent.glob(".calls*")) == []


@pytest.mark.parametrize(("run", "says"), [("run-2", "no calls of run 'run-2'"), (None, "no calls to export")])
def test_where_no_call_is_found_an_earlier_file_stays(file: Path, run: str | None, says: str) -> None:
    insert(row(**HASHES))
    export_calls(open_database(), file)
    before = file.read_bytes()
    if run is None:
        emptied()
    with pytest.raises(NotFound, match=says):
        export_calls(open_database(), file, run)
    assert [path.read_bytes() for path in file.parent.glob("*calls*")] == [before]


@pytest.mark.parametrize("path", ["nowhere/calls.jsonl", "."])
def test_a_place_that_cannot_be_written_or_read_is_one_line(path: str) -> None:
    insert(row(**HASHES))
    for work in (lambda: export_calls(open_database(), Path(path)), lambda: import_calls(open_database(), Path(path))):
        with pytest.raises(InputError, match="cannot be") as caught:
            work()
        assert "\n" not in str(caught.value)


GOOD = {**row(**HASHES), "cost": "0.001", "request": [], "reply": {"text": "x"}}
GOOD.pop("process")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"}, {"id": None}, {"key": "short"}, {"state": "lost"}, {"attempts": -1}, {"attempts": 2**40},
        {"input_tokens": 1.5}, {"input_tokens": True}, {"cost": "-1"}, {"cost": "many"}, {"cost": "NaN"},
        {"cost": "1e30"}, {"asked_at": float("nan")}, {"asked_at": "now"}, {"answered_at": None}, {"request": "hi"},
        {"reply": {}}, {"reply": {"text": "x", "cost": "many"}}, {"reply": {"text": "x", "usage": {"tokens": 1}}},
        {"reply": {"text": "", "vectors": "!"}}, {"reply": {"text": "", "vectors": ["AAA="]}},
        {"error": {"code": "x"}}, {"state": "failed", "reply": None}, {"state": "asked"}, {"run": "r" * 37},
        {"instead_of": "somebody"}, {"colour": "red"}, {"alias": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_line_that_is_no_call_is_named_by_its_number_and_nothing_is_added(file: Path, change: dict[str, Any]) -> None:
    other = {**GOOD, "id": scope.new_id()}
    file.write_text("\n".join(json.dumps(line) for line in (GOOD, {**other, **change})))
    with pytest.raises(InputError, match="line 2 is not a recorded call") as caught:
        import_calls(open_database(), file)
    assert "\n" not in str(caught.value)
    assert stored() == {}


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"3", b"\xff\xfe", b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"9" * 10_000],
    ids=["cut", "list", "number", "no-text", "deep", "long-number"],
)  # fmt: skip
def test_a_line_that_is_no_json_object_is_named_by_its_number(file: Path, line: bytes) -> None:
    file.write_bytes(json.dumps(GOOD).encode() + b"\n\n" + line + b"\n")
    with pytest.raises(InputError, match="line 3 is not a recorded call"):
        import_calls(open_database(), file)
    assert stored() == {}


def test_a_call_that_was_on_its_way_when_it_was_exported_is_nobodys_here(file: Path) -> None:
    insert(asked(**HASHES))
    export_calls(open_database(), file)
    emptied()
    import_calls(open_database(), file)
    assert [found.process for found in stored().values()] == [""]
