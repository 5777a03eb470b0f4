"""Statements that are compiled once write what SQLAlchemy itself would, in every database alike."""

from __future__ import annotations

from typing import Any

import pytest

from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import Prepared, bindparam, select
from gen_toolkit.database.tables import resumable
from gen_toolkit.errors import DatabaseError

COLUMNS = ("root", "name", "run", "process", "finished", "changed_at")
INSERT = Prepared(resumable.insert().values({name: bindparam(name) for name in COLUMNS}))
FINISH = Prepared(
    resumable.update()
    .where(resumable.c.root == bindparam("of"), resumable.c.finished == 0)
    .values(finished=1, name=bindparam("name"))
)


def row(root: str, name: str = "n", finished: int = 0) -> dict[str, Any]:
    return dict(zip(COLUMNS, (root, name, "r", "100 % of 'it'", finished, 1.25), strict=True))


def stored() -> list[Any]:
    with open_database().read() as connection:
        return [tuple(found) for found in connection.execute(select(resumable).order_by(resumable.c.root))]


def test_values_are_stored_as_their_columns_say(either_database: str) -> None:
    names = ["Grüße", "a\x00b", "half \ud800", "n" * 500]
    given = [row(str(number), name) for number, name in enumerate(names)]
    with open_database().write() as connection:
        INSERT.run(connection, given)
    prepared = stored()
    with open_database().write() as connection:
        connection.execute(resumable.delete())
        connection.execute(resumable.insert(), given)
    assert prepared == stored()
    assert [found[1] for found in prepared[:3]] == ["Grüße", "a\\x00b", "half \\ud800"]


def test_what_the_statement_says_itself_holds_for_every_row(either_database: str) -> None:
    with open_database().write() as connection:
        INSERT.run(connection, [row("a"), row("b", finished=1), row("c")])
        FINISH.run(connection, [{"of": root, "name": "over"} for root in ("a", "b")])
    assert [(found[0], found[1], found[4]) for found in stored()] == [("a", "over", 1), ("b", "n", 1), ("c", "n", 0)]


def test_what_the_database_refuses_is_an_error_of_ours_and_nothing_is_written(either_database: str) -> None:
    with pytest.raises(DatabaseError), open_database().write() as connection:
        INSERT.run(connection, [row("a"), row("a")])
    assert stored() == []
