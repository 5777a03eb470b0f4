"""What it will cost: a run as it was measured, and a month of them by the schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gen_toolkit import display
from gen_toolkit.jobs.values import as_json
from gen_toolkit.releases.promotion.evidence import Evidence
from gen_toolkit.releases.review.document import Block, Line, Said, Section, Table, Value, joined
from gen_toolkit.releases.review.fires import DAYS, Fires
from gen_toolkit.releases.review.page import Page

_UNKNOWN = "unknown"


def cost(page: Page) -> Section:
    return Section("Cost forecast", tuple(_blocks(page)))


def _blocks(page: Page) -> Iterator[Block]:
    new, live = page.case.evidence, page.case.live
    if new is None:
        yield Line(("No run speaks for this notebook: what it takes is unknown.",))
        return
    sides = [*((live,) if live else ()), new]
    lines = [_row(name, say, sides) for name, say in _ROWS.items()]
    if page.fires.count is not None:
        lines.append(((f"runs in {DAYS} days",), *((f"{page.fires.count:,}",) for _ in sides)))
        lines.append(((f"cost in {DAYS} days",), *((_month(side, page.fires),) for side in sides)))
    yield Table(("", *(("live",) if live else ()), "new"), tuple(lines))
    yield Line((*_schedule(page.fires), " A run costs what its calls did when they were made, known answers included."))
    other = list(_otherwise(new.parameters, page.fires.parameters))
    if other:
        yield Line(("The schedule gives other parameters than were measured: ", *joined(other), "."))


def _schedule(fires: Fires) -> Said:
    if not fires.note:
        return ("There is no schedule: a month costs what is started in it.",)
    return ("Schedule: ", Value(fires.note), ".")


def _row(name: str, say: Callable[[Mapping[str, Any]], str], sides: list[Evidence]) -> tuple[Said, ...]:
    return ((name,), *((say(side.took),) for side in sides))


def _money(took: Mapping[str, Any]) -> str:
    return display.money(took.get("cost_usd"))


def _number(key: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda took: _UNKNOWN if took.get(key) is None else f"{int(took[key]):,}"


def _seconds(took: Mapping[str, Any]) -> str:
    return display.seconds(took.get("seconds")) or _UNKNOWN


_ROWS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "cost of a run": _money,
    "calls": _number("calls"),
    "tokens in": _number("input_tokens"),
    "tokens out": _number("output_tokens"),
    "time": _seconds,
}


def _month(side: Evidence, fires: Fires) -> str:
    usd = side.took.get("cost_usd")
    return _UNKNOWN if usd is None or fires.count is None else display.money(float(usd) * fires.count, 2)


def _otherwise(measured: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Said]:
    for name, value in given.items():
        if as_json(value) != measured.get(name):
            yield (
                Value(f"{name} = {as_json(value)}", True),
                " (measured: ",
                Value(measured.get(name, "its default"), True),
                ")",
            )
