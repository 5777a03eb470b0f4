"""What calls cost: sums by run, prompt, alias or day. What is not known is counted, never taken for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from gen_toolkit.amount import from_pico
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import ColumnElement, case, day, func, or_, select
from gen_toolkit.database.tables import calls
from gen_toolkit.journal.report import is_under_way

GROUPS: dict[str, ColumnElement[Any]] = {
    "run": calls.c.run.concat(
        ""
    ),  # no bare column: SQLite would walk the index of runs, and read every body on its way
    "prompt": calls.c.prompt,
    "alias": calls.c.alias,
    "day": day(calls.c.asked_at),
}


@dataclass(frozen=True)
class Cost:
    """The sum over some calls. Money and tokens are what is known; the counts say what is not."""

    calls: int = 0
    failed: int = 0
    cost: Decimal = Decimal(0)
    """USD, of the calls whose cost is known."""
    unknown: int = 0
    """Calls that ended, and nobody knows what they cost."""
    input_tokens: int = 0
    output_tokens: int = 0
    tokens_unknown: int = 0
    """Calls that ended, and nobody knows how many tokens they took."""
    unanswered: int = 0
    """Attempts that brought no answer and may be on the bill all the same."""
    in_flight: int = 0
    """Calls whose answer may still come."""
    lost: int = 0
    """Calls whose process went away before an answer: they may be on the bill."""

    @property
    def is_exact(self) -> bool:
        """Whether `cost` is all that can be on the bill."""
        return not (self.unknown or self.unanswered or self.in_flight or self.lost)

    def __add__(self, other: Cost) -> Cost:
        return Cost(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "cost": f"{self.cost:f}", "exact": self.is_exact}


def cost_query(by: str, since: float | None = None, runs: Sequence[str] | None = None) -> Any:
    """The sums by one of GROUPS, over the calls asked since a moment (seconds since 1970), and made by these runs."""
    ended = calls.c.state != "asked"
    no_tokens = or_(calls.c.input_tokens.is_(None), calls.c.output_tokens.is_(None))
    query = select(
        GROUPS[by].label("group"),
        func.count().label("calls"),
        _how_many(calls.c.state == "failed").label("failed"),
        func.coalesce(func.sum(calls.c.cost), 0).label("cost"),
        _how_many(ended & calls.c.cost.is_(None)).label("unknown"),
        func.coalesce(func.sum(calls.c.input_tokens), 0).label("input_tokens"),
        func.coalesce(func.sum(calls.c.output_tokens), 0).label("output_tokens"),
        _how_many(ended & no_tokens).label("tokens_unknown"),
        func.coalesce(func.sum(calls.c.unanswered), 0).label("unanswered"),
    ).group_by(GROUPS[by])
    return _narrowed(query, since, runs)


def _narrowed(query: Any, since: float | None, runs: Sequence[str] | None) -> Any:
    if since is not None:
        query = query.where(calls.c.asked_at >= since)
    return query if runs is None else query.where(calls.c.run.in_(runs))


def costs(
    database: Database, by: str, since: float | None = None, runs: Sequence[str] | None = None
) -> dict[str | None, Cost]:
    """The sum of each group: days with the newest first, others with the dearest first."""
    open_calls = select(GROUPS[by].label("group"), calls.c.process, calls.c.asked_at).where(calls.c.state == "asked")
    with database.read() as connection:
        sums = connection.execute(cost_query(by, since, runs)).all()
        asked = connection.execute(_narrowed(open_calls, since, runs)).all()
    in_flight, lost = Counter[str | None](), Counter[str | None]()
    for row in asked:
        (in_flight if is_under_way(row.process, row.asked_at) else lost)[row.group] += 1
    found = {
        row.group: Cost(
            **{f.name: int(getattr(row, f.name)) for f in fields(Cost) if f.name not in {"cost", "in_flight", "lost"}},
            cost=from_pico(int(row.cost)),
            in_flight=in_flight[row.group],
            lost=lost[row.group],
        )
        for row in sums
    }
    if by == "day":
        return dict(sorted(found.items(), key=lambda item: item[0] or "", reverse=True))
    return dict(sorted(found.items(), key=lambda item: (item[1].cost, item[1].calls), reverse=True))


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
