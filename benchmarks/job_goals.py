"""What bench_jobs measures, and what it is compared with: the goals of jobs."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

MANY = 20
COLD, WARM = "gen run, cold", "gen run, warm"
PAPERMILL, NBCLIENT, INSIDE = "papermill", "in process: nbclient", "in process: ours, warm"


@dataclass
class Taken:
    """What one contestant took in its runs."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """From the request to the first cell."""
    cpu: list[float] = field(default_factory=list)
    """Of all its processes, where they are its children: those of a template are not."""


Found = dict[str, dict[str, Taken]]


def goals(found: Found) -> None:
    """What issue 5 asks for, beside what was measured. A goal whose part was not measured is left out."""

    def median(part: str, who: str) -> float:
        return statistics.median(found[part][who].seconds)

    asked: list[tuple[str, str, Callable[[], tuple[float, str, bool]]]] = [
        ("a", "warm at least 5 × papermill", lambda: _at_least(median("a", PAPERMILL) / median("a", WARM), 5)),
        ("b", "warm at least 10 × papermill", lambda: _at_least(median("b", PAPERMILL) / median("b", WARM), 10)),
        ("a", "cold never slower", lambda: _at_least(median("a", PAPERMILL) / median("a", COLD), 1)),
        ("b", "cold never slower", lambda: _at_least(median("b", PAPERMILL) / median("b", COLD), 1)),
        ("a", "request to first cell in process", lambda: _at_most(statistics.median(found["a"][INSIDE].first), 0.2)),
        ("c1000", "1,000 cells", lambda: _at_most(median("c1000", WARM), 8)),
        ("c1000", "1,000 cells, cold", lambda: _at_most(median("c1000", COLD), 8)),
        ("c1000", "linear: 1,000 cells take at most 10 × 100", lambda: _at_most(_growth(median), 10, "×")),
        ("d", "at most 1.3 × nbclient", lambda: _at_most(median("d", INSIDE) / median("d", NBCLIENT), 1.3, "×")),
        ("e", f"{MANY} at once, warm", lambda: _at_most(median("e", WARM), 5)),
    ]
    print("## Goals\n\n| part | goal | measured | |\n|---|---|---|---|")
    for part, goal, measure in asked:
        try:
            value, unit, is_met = measure()
        except KeyError:
            continue
        print(f"| {part} | {goal} | {value:.2f} {unit} | {'met' if is_met else 'not met'} |")


def _growth(median: Callable[[str, str], float]) -> float:
    return median("c1000", WARM) / median("c100", WARM)


def _at_least(value: float, goal: float) -> tuple[float, str, bool]:
    return value, "×", value >= goal


def _at_most(value: float, goal: float, unit: str = "s") -> tuple[float, str, bool]:
    return value, unit, value <= goal
