"""Two executions: the same, or the first cell that differs, and where."""

from __future__ import annotations

from typing import Any

import pytest
from notebook_cells import code, notebook

from gen_toolkit.releases.reproduction.compare import Brought, Difference, first_difference
from gen_toolkit.releases.reproduction.sanitize import rules_for


def executed(*texts: str, kept: dict[str, Any] | None = None) -> Brought:
    """A notebook with a cell that printed each text, behind the cell of parameters."""
    cells = [
        {**code(f"print({n})"), "outputs": [{"output_type": "stream", "name": "stdout", "text": text}]}
        for n, text in enumerate(texts)
    ]
    return Brought(notebook(*cells), kept or {})


def difference(was: Brought, now: Brought) -> Difference | None:
    return first_difference(was, now, rules_for())


def test_the_same_outputs_and_values_are_no_difference() -> None:
    was = executed("one", "took 3 ms", kept={"accuracy": 2 / 3, "seconds": 3.1, "at": "<x at 0x7f1cb89a7120>"})
    now = executed("one", "took 14 ms", kept={"accuracy": 0.6666666666667, "seconds": 1, "at": "<x at 0x7f1cb89a7999>"})
    assert difference(was, now) is None


def test_the_first_cell_that_differs_is_named_with_a_diff() -> None:
    found = difference(executed("one", "a\nb\nc", "x"), executed("one", "a\nB\nc", "y"))
    assert found is not None
    assert (found.where, found.what) == ("cell 3", "stdout of: print(1)")
    assert found.diff() == "- b\n+ B"


def test_of_a_long_line_the_place_is_shown() -> None:
    found = difference(executed("a" * 500 + "0" + "b" * 500), executed("a" * 500 + "1" + "b" * 500))
    assert found is not None
    was, now = found.diff().split("\n")
    assert was.startswith("- …aaa")
    assert now[len("- …") + 40] == "1"
    assert len(was) < 130


def test_a_long_diff_is_cut() -> None:
    found = difference(executed("\n".join("abcdefghijklm")), executed("\n".join("nopqrstuvwxyz")))
    assert found is not None
    assert found.diff().count("\n") == 10
    assert found.diff().endswith("more lines")


@pytest.mark.parametrize(
    ("was", "now", "where", "what"),
    [
        (("one",), ("one", "two"), "cell 3", "it was not there: print(1)"),
        (("one", "two"), ("one",), "cell 3", "it was there: print(1)"),
        (("one", ""), ("one", "two"), "cell 3", "stdout of: print(1)"),
    ],
)
def test_what_is_missing_or_new_is_a_difference(was: Any, now: Any, where: str, what: str) -> None:
    found = difference(executed(*was), executed(*now))
    assert found is not None
    assert (found.where, found.what) == (where, what)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ({"accuracy": 0.7}, {"accuracy": 0.71}, "kept accuracy differs: another value"),
        ({"accuracy": 0.7}, {}, "kept accuracy differs: it is no longer kept"),
        ({}, {"accuracy": None}, "kept accuracy differs: it was not kept"),
        ({"n": 1}, {"n": "1"}, "kept n differs: another value"),
        ({"n": 1}, {"n": True}, "kept n differs: another value"),
    ],
)
def test_a_kept_value_that_is_another_is_named(was: Any, now: Any, says: str) -> None:
    assert str(difference(executed(kept=was), executed(kept=now))) == says


def test_control_codes_do_not_reach_the_terminal() -> None:
    found = difference(executed("one"), executed("one\x1b[2J\x1b]0;title\x07 two"))
    assert found is not None
    assert "\x1b" not in found.diff()
    assert "+ one two" in found.diff()
