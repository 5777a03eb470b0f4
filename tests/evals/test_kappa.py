"""Cohen's kappa, against scikit-learn, its derivatives taken by numbers, and by hand."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from gen_toolkit.evals.intervals import Z
from gen_toolkit.evals.kappa import kappa

SCALES = st.integers(2, 6)


@st.composite
def rated(draw: Any) -> tuple[list[tuple[int, int]], list[int]]:
    labels = list(range(draw(SCALES)))
    label = st.sampled_from(labels)
    return draw(st.lists(st.tuples(label, label), min_size=1, max_size=40)), labels


def _tables(count: int) -> list[tuple[list[tuple[int, int]], list[int]]]:
    generator = random.Random(0)
    tables = []
    for _ in range(count):
        labels = list(range(generator.randint(2, 6)))
        truth = generator.choices(labels, k=generator.randint(5, 80))
        share = generator.random()
        tables.append(([(t, t if generator.random() < share else generator.choice(labels)) for t in truth], labels))
    return tables


def test_kappa_is_scikit_learns_on_1000_tables() -> None:
    for pairs, labels in _tables(1000):
        mine, theirs = zip(*pairs, strict=True)
        if len({*mine, *theirs}) > 1:
            expected = cohen_kappa_score(mine, theirs, labels=labels, weights="quadratic")
            assert kappa(pairs, labels)[0] == pytest.approx(expected, abs=1e-9)


def test_the_interval_is_that_of_the_delta_method_with_derivatives_taken_by_numbers() -> None:
    for pairs, labels in _tables(150):
        found, (low, high) = kappa(pairs, labels)
        size = len(labels)
        places = numpy.arange(size)
        weights = 1 - ((places[:, None] - places) / (size - 1)) ** 2
        shares = numpy.zeros((size, size))
        for i, j in pairs:
            shares[i, j] += 1 / len(pairs)
        if found is None or all(i == j for i, j in pairs):
            continue

        def value(cells: numpy.ndarray, weights: numpy.ndarray = weights) -> float:
            cells = cells / cells.sum()
            chance = (numpy.outer(cells.sum(1), cells.sum(0)) * weights).sum()
            return float(math.log(1 - ((cells * weights).sum() - chance) / (1 - chance)))

        step = 1e-6
        slopes = numpy.zeros_like(shares)
        for cell in zip(*numpy.nonzero(shares), strict=True):
            up, down = shares.copy(), shares.copy()
            up[cell] += step
            down[cell] -= step
            slopes[cell] = (value(up) - value(down)) / (2 * step)
        variance = ((slopes**2 * shares).sum() - (slopes * shares).sum() ** 2) / len(pairs)
        middle, half = value(shares), Z * math.sqrt(max(0.0, variance))
        assert low == pytest.approx(max(-1.0, 1 - math.exp(middle + half)), abs=1e-5)
        assert high == pytest.approx(1 - math.exp(middle - half), abs=1e-5)


def test_kappa_of_two_labels_is_the_plain_one_worked_by_hand() -> None:
    table = {("p", "p"): 75, ("p", "o"): 5, ("o", "p"): 5, ("o", "o"): 15}
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    seen, chance = 0.9, 0.8 * 0.8 + 0.2 * 0.2
    assert kappa(pairs, ["p", "o"])[0] == pytest.approx((seen - chance) / (1 - chance))


@given(rated())
def test_kappa_lies_in_its_interval_and_nothing_leaves_the_range(case: tuple[list[tuple[int, int]], list[int]]) -> None:
    pairs, labels = case
    found, (low, high) = kappa(pairs, labels)
    if found is None:
        assert len({label for pair in pairs for label in pair}) == 1
        assert (low, high) == (None, None)
    else:
        assert low is not None
        assert high is not None
        assert -1 <= low <= found + 1e-12
        assert found <= high + 1e-12
        assert high <= 1


@given(rated())
def test_who_is_called_first_and_which_end_is_best_does_not_matter(
    case: tuple[list[tuple[int, int]], list[int]],
) -> None:
    pairs, labels = case
    found, interval = kappa(pairs, labels)
    for other in (kappa([(b, a) for a, b in pairs], labels), kappa(pairs, labels[::-1])):
        assert other[0] == (None if found is None else pytest.approx(found, abs=1e-9))
        assert other[1] == ((None, None) if found is None else pytest.approx(interval, abs=1e-6))


def test_perfect_agreement_on_few_rows_is_not_certain() -> None:
    few, (low, high) = kappa([("a", "a"), ("b", "b")] * 3, ["a", "b"])
    assert (few, high) == (1.0, 1.0)
    assert low == pytest.approx(0.219, abs=0.001)
    more = kappa([("a", "a"), ("b", "b")] * 50, ["a", "b"])[1][0]
    assert more == pytest.approx(0.926, abs=0.001)


@pytest.mark.parametrize("pairs", [[], [("a", "a")] * 20])
def test_without_rows_or_with_one_label_nothing_is_known(pairs: list[tuple[str, str]]) -> None:
    assert kappa(pairs, ["a", "b"]) == (None, (None, None))


def test_the_lower_limit_holds_in_simulation() -> None:
    generator = random.Random(1)
    held = 0
    for _ in range(600):
        truth = [generator.randint(0, 1) for _ in range(50)]
        pairs = [(t, t if generator.random() < 0.8 else generator.randint(0, 1)) for t in truth]  # kappa 0.8
        low = kappa(pairs, [0, 1])[1][0]
        held += low is not None and low <= 0.8
    assert held / 600 >= 0.965
