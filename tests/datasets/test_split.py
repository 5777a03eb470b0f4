"""Two parts of a dataset: drawn by a seed, equal shares of every label, groups on one side."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.errors import DatasetError

ROWS = [{"n": n, "label": "good" if n % 4 else "bad", "author": n // 5} for n in range(40)]


@settings(deadline=None)
@given(
    labels=st.lists(st.sampled_from([None, "a", "b", 1, True]), min_size=4, max_size=40),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 9),
)
def test_every_row_is_on_one_side_in_its_order_and_every_label_gives_its_share(
    labels: list[Any], share: float, seed: int
) -> None:
    data = gt.dataset([{"n": n, "label": label} for n, label in enumerate(labels)])
    wanted = round(share * len(data))
    if not 0 < wanted < len(data):
        with pytest.raises(DatasetError, match="leaves one side without rows"):
            data.split(share, seed=seed, by="label")
        return
    first, rest = data.split(share, seed=seed, by="label")
    assert len(first) == wanted
    assert sorted([row["n"] for row in first] + [row["n"] for row in rest]) == list(range(len(data)))
    assert all([row["n"] for row in part] == sorted(row["n"] for row in part) for part in (first, rest))
    there = Counter(repr(row["label"]) for row in data)
    for label, count in Counter(repr(row["label"]) for row in first).items():
        assert abs(count - share * there[label]) < 1


def test_the_same_seed_makes_the_same_split_whatever_the_order_and_another_seed_another() -> None:
    data = gt.dataset(ROWS)
    first, _ = data.split(0.3, seed=7)
    assert first.digest == data.split(0.3, seed=7)[0].digest
    assert {row.id for row in data[::-1].split(0.3, seed=7)[0]} == {row.id for row in first}
    assert {row.id for row in data.split(0.3, seed=8)[0]} != {row.id for row in first}


def test_a_few_new_rows_move_few_of_the_old_ones() -> None:
    before = {row.id for row in gt.dataset(ROWS).split(0.5, seed=1)[0]}
    after = {row.id for row in gt.dataset([*ROWS, {"n": 40, "label": "good", "author": 9}]).split(0.5, seed=1)[0]}
    assert len(before - after) <= 1


def test_a_group_stays_on_one_side() -> None:
    first, rest = gt.dataset(ROWS).split(0.4, seed=3, group="author")
    assert {row["author"] for row in first}.isdisjoint(row["author"] for row in rest)
    assert len(first) == 15
    by_both = gt.dataset([{**row, "label": row["author"] % 2} for row in ROWS]).split(
        0.5, seed=3, by="label", group="author"
    )
    assert Counter(row["label"] for row in by_both[0]) == {0: 10, 1: 10}


def test_equal_rows_are_never_on_both_sides() -> None:
    first, rest = gt.dataset([{"t": n % 5} for n in range(40)]).split(0.5, seed=2)
    assert {row["t"] for row in first}.isdisjoint(row["t"] for row in rest)


def test_given_ids_stay_with_their_rows() -> None:
    first, rest = gt.dataset(ROWS, id="n").split(0.5)
    assert all(row.id == str(row["n"]) for part in (first, rest) for row in part)


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        (ROWS, {"share": 0}, "share=0 is no share"),
        (ROWS, {"share": 1.0}, "share=1.0 is no share"),
        (ROWS, {"share": True}, "share=True is no share"),
        (ROWS, {"share": "half"}, "share='half' is no share"),
        (ROWS, {"share": float("nan")}, "share=nan is no share"),
        (ROWS[:1], {"share": 0.5}, "leaves one side without rows"),
        ([], {"share": 0.5}, "of the 0 rows"),
        ([{"a": 1}] * 9, {"share": 0.5}, "leaves one side without rows.*All rows belong together"),
        (ROWS, {"share": 0.5, "by": "lable"}, r"no column 'lable'.*Did you mean 'label'\?"),
        (ROWS, {"share": 0.5, "group": "autor"}, r"no column 'autor'.*Did you mean 'author'\?"),
        (ROWS, {"share": 0.5, "by": "label", "group": "author"}, "rows of one author have different labels"),
    ],
    ids=str,
)
def test_what_cannot_be_split_is_refused(rows: list[Any], options: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says) as raised:
        gt.dataset(rows).split(**options)
    assert raised.value.fix
