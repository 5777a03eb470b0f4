"""What people and models write is stored in every database alike."""

from __future__ import annotations

import pytest

from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import holds, resumable

ROW = {"root": "r", "run": "r", "process": "p", "finished": 0, "changed_at": 1.0}


def stored(name: str) -> str:
    database = open_database()
    with database.write() as connection:
        connection.execute(resumable.insert().values(name=name, **ROW))
    with database.read() as connection:
        return str(connection.execute(select(resumable.c.name).where(resumable.c.name == name)).scalar_one())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Grüße 日本語 🎬 \u2028\x85", "Grüße 日本語 🎬 \u2028\x85"),
        ("a\x00b", "a\\x00b"),
        ("half \ud800 a character", "half \\ud800 a character"),
        ("", ""),
    ],
    ids=["words", "nul", "surrogate", "empty"],
)
def test_any_name_can_be_written_and_finds_itself(either_database: str, given: str, kept: str) -> None:
    assert stored(given) == kept


def test_a_name_that_is_too_long_is_cut_finds_itself_and_is_told_from_its_like(either_database: str) -> None:
    kept = stored("n" * 500)
    assert len(kept) == 200
    assert kept.startswith("n" * 191 + "…")
    with open_database().read() as connection:
        like = select(resumable.c.name).where(resumable.c.name == "n" * 501)
        assert connection.execute(like).all() == []


def test_the_longest_name_of_four_byte_characters_fits_into_an_index(either_database: str) -> None:
    with open_database().write() as connection:
        connection.execute(holds.insert().values(holder="🎬" * 300, run="r", since=1.0))
        connection.execute(resumable.insert().values(name="🎬" * 300, **ROW))
