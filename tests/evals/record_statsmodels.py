"""Writes statsmodels.json: what statsmodels says of random tables, for the tests to compare with.

statsmodels is no dependency; install it beside, then run: python tests/evals/record_statsmodels.py
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy
import statsmodels
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

FILE = Path(__file__).with_name("statsmodels.json")


def main() -> None:
    random = Random(0)
    tables = {
        "right_wrong": [_right_wrong(random) for _ in range(1000)],
        "groups": [_groups(random) for _ in range(150)],
        "holm": [_holm(random) for _ in range(250)],
        "rows": [_rows(random) for _ in range(100)],
    }
    lines = [f'"{name}": [\n' + ",\n".join(map(json.dumps, table)) + "\n]" for name, table in tables.items()]
    head = f'"statsmodels": "{statsmodels.__version__}"'
    FILE.write_text("{\n" + ",\n".join([head, *lines]) + "\n}\n", encoding="utf-8")


def _right_wrong(random: Random) -> list[float]:
    """[right, rows, Wilson's low, high, wins, losses, exact McNemar p]"""
    count = random.randint(1, 400)
    right, wins, losses = random.randint(0, count), random.randint(0, 40), random.randint(0, 40)
    low, high = proportion_confint(right, count, method="wilson")
    p = mcnemar([[10, wins], [losses, 10]], exact=True).pvalue
    return [right, count, float(low), float(high), wins, losses, float(p)]


def _groups(random: Random) -> list[object]:
    """[rows a group, values, standard error, low, high] of a mean, groups of one size"""
    groups, size = random.randint(3, 8), random.randint(2, 5)
    values = [float(random.randint(1, 5) + group % 2) for group in range(groups) for _ in range(size)]
    labels = [group for group in range(groups) for _ in range(size)]
    fitted = sm.OLS(numpy.array(values), numpy.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": numpy.array(labels)}, use_t=True
    )
    low, high = fitted.conf_int()[0]
    return [size, values, float(fitted.bse[0]), float(low), float(high)]


def _holm(random: Random) -> list[list[float]]:
    """[p values, adjusted p values]"""
    ps = [round(random.random() ** random.choice([1, 4]), 4) for _ in range(random.randint(1, 9))]
    return [ps, [float(p) for p in multipletests(ps, method="holm")[1]]]


def _rows(random: Random) -> list[float]:
    """[difference in standard deviations, power, rows of a paired t test]"""
    effect, power = round(random.uniform(0.05, 0.6), 3), random.choice([0.8, 0.9])
    return [effect, power, float(TTestPower().solve_power(effect_size=effect, alpha=0.05, power=power))]


if __name__ == "__main__":
    main()
