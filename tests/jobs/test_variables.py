"""What is told of variables: enough to know what they are, never much, never a secret, and no code of theirs is run."""

from __future__ import annotations

import collections
import datetime
import decimal
import json
import pathlib
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hostile import CORPUS, strange_characters

from gen_toolkit import text
from gen_toolkit.jobs.variables import brief, shown


class Explosive(type):
    """A class whose every word is a bomb."""

    __name__ = property(lambda cls: pytest.fail("asked the metaclass for a name"))  # type: ignore[assignment]

    def __instancecheck__(cls, _: object) -> bool:
        pytest.fail("asked for an instance check")

    def __subclasscheck__(cls, _: object) -> bool:
        pytest.fail("asked for a subclass check")


class Bomb(metaclass=Explosive):
    def _explode(self, *_: object) -> Any:
        pytest.fail("code of the notebook was run")

    __repr__ = __str__ = __len__ = __iter__ = __eq__ = __bool__ = __getattr__ = __format__ = _explode  # type: ignore[assignment]
    __hash__ = object.__hash__


class Lines(list[str]):
    __repr__ = __len__ = __iter__ = Bomb._explode  # type: ignore[assignment]


class Words(str):
    __repr__ = __str__ = __len__ = __getitem__ = Bomb._explode  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "None"),
        (3, "3"),
        (2**4000, "4001 bits"),
        (0.5, "0.5"),
        ("a 'b'", '"a \'b\'"'),
        ("x" * 50, "'" + "x" * 40 + "'… (50 characters)"),
        (b"abc", "3 bytes"),
        ([], "[]"),
        ([1, "a", None, 4], "[1, 'a', None, … 4 items]"),
        ((1,), "(1)"),
        ({"a": [1, {"b": 2}]}, "{'a': [1, {…}]}"),
        (collections.Counter("aab"), "{'a': 2, 'b': 1}"),
        (frozenset({1}), "{1}"),
        (range(3), "range(0, 3)"),
        (datetime.date(2026, 11, 24), "2026-11-24"),
        (datetime.datetime(2026, 11, 24, 9, 30), "2026-11-24 09:30:00"),
        (decimal.Decimal("1.50"), "1.50"),
        (pathlib.Path("a/b"), "a/b"),
        (np.zeros((3, 4)), "3 × 4 of float64"),
        (np.array(1), "one of int64"),
        (pd.DataFrame({"a": [1], "b": [2], "c": [3], "d": [4]}), "1 rows × 4 columns: 'a', 'b', 'c', …"),
        (pd.Series([1.5]), "1 of float64"),
    ],
)  # fmt: skip
def test_a_value_is_told_in_brief(value: Any, told: str) -> None:
    assert brief(value) == told


def test_no_code_of_the_notebook_is_run() -> None:
    values = [Bomb(), [Bomb()], {1: Bomb()}, Lines(["a"]), Words("a")]
    told = [brief(value) for value in values]
    assert told == ["", "[Bomb]", "{1: Bomb}", "", ""]


def test_what_a_notebook_has_named_is_told_and_nothing_else() -> None:
    first = object()
    hidden = {"In": first, "exit": first}
    names = {
        "__name__": "__main__", "_": 1, "_i1": "x", "In": first, "exit": 7,
        "json": json, "brief": brief, "print": print, "Bomb": Bomb, "limit": 3, "bomb": Bomb(),
    }  # fmt: skip
    assert shown(names, hidden) == [
        {"name": "exit", "type": "int", "value": "7"},
        {"name": "limit", "type": "int", "value": "3"},
        {"name": "bomb", "type": "Bomb", "value": ""},
    ]


def test_of_many_variables_the_first_are_told() -> None:
    found = shown({f"v{i}": i for i in range(5000)}, {})
    assert len(found) == 201
    assert found[-1]["value"] == "more than 200"


def test_values_of_any_size_are_told_in_few_characters() -> None:
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    own: list[Any] = []
    own.append(own)
    for value in (
        deep,
        own,
        "x" * 10_000_000,
        {"k" * 10**6: "v" * 10**6},
        [["x" * 99] * 9] * 9,
        pathlib.Path("d" * 10**6),
    ):
        assert 0 < len(brief(value)) <= 80


def test_a_secret_is_masked_also_where_a_brief_is_cut() -> None:
    secret = "hunter2-and-much-more-than-forty-characters-of-it"
    text.remember_secret(secret)
    for value in (
        secret,
        f"Bearer {'x' * 20} {secret}",
        [secret],
        {secret: secret},
        pathlib.Path(secret),
        pd.DataFrame({secret: [1]}),
    ):
        assert "hunter2" not in brief(value)


@pytest.mark.parametrize("words", CORPUS)
def test_hostile_texts_drive_nothing(words: str) -> None:
    told = json.dumps(shown({words: words, "v": [words, {words: words}]}, {}), ensure_ascii=False)
    assert strange_characters(told) == []


def test_what_changes_at_this_moment_or_cannot_be_told_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Changing(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("dictionary changed size during iteration")

    from gen_toolkit.jobs import variables

    monkeypatch.setitem(variables._BRIEFS, Changing, variables._of_pairs)
    assert brief(Changing()) == "is changing"
    monkeypatch.setitem(variables._BRIEFS, Changing, lambda value, _: 1 / 0)
    assert brief(Changing()) == "cannot be told: ZeroDivisionError"
