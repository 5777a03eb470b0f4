"""The table of a fan-out: a row for each part with its parameters, how it ended, and what it kept."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from gen_toolkit.ipynb import write_text
from gen_toolkit.jobs.rows import RunRow

_OWN = ("part", "state", "seconds", "cost_usd", "run", "reason")


@dataclass(frozen=True)
class Collected:
    """What the parts brought, in their order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    """A value that a part does not have is None."""
    states: dict[str, int]

    @property
    def cost(self) -> str | None:
        """USD of all parts together; None where that of one is unknown."""
        place = self.columns.index("cost_usd")
        costs = [row[place] for row in self.rows]
        return None if None in costs else str(sum((Decimal(cost) for cost in costs), Decimal()))

    @property
    def failed(self) -> int:
        return sum(count for state, count in self.states.items() if state != "succeeded")

    def to_json(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_csv(self) -> str:
        """For spreadsheets: a text that one of them would take for a formula begins with an apostrophe."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([_cell(column) for column in self.columns])
        writer.writerows([[_cell(value) for value in row] for row in self.rows])
        return out.getvalue()


def collect(parts: Sequence[RunRow]) -> Collected:
    """Parts in the order in which they were asked for; of the parameters those that differ."""
    ordered = sorted(parts, key=lambda part: part.id)
    named = dict.fromkeys(name for part in ordered for name in part.parameters)
    varied = [name for name in named if len({json.dumps(p.parameters.get(name)) for p in ordered}) > 1]
    kept = list(dict.fromkeys(name for part in ordered for name in part.outcome.get("kept", {})))
    taken = {*varied, *_OWN}
    columns = ["part", *varied, "state", *(f"kept.{n}" if n in taken else n for n in kept), "seconds", "cost_usd"]
    rows = [
        (
            number,
            *(part.parameters.get(name) for name in varied),
            part.state,
            *(part.outcome.get("kept", {}).get(name) for name in kept),
            round(part.seconds, 3),
            part.outcome.get("cost_usd"),
            part.id,
            part.reason.message if part.reason and part.state != "succeeded" else None,
        )
        for number, part in enumerate(ordered, 1)
    ]
    states: dict[str, int] = {}
    for part in ordered:
        states[part.state] = states.get(part.state, 0) + 1
    return Collected((*columns, "run", "reason"), tuple(rows), states)


def write(collected: Collected, folder: Path) -> None:
    """`parts.json` and `parts.csv`, each whole or not at all."""
    write_text(folder / "parts.json", json.dumps(collected.to_json(), ensure_ascii=False, indent=1) + "\n")
    write_text(folder / "parts.csv", collected.to_csv())


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\0", "")
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
