"""The answers that a job took from the journal, and what it asked anew although it had been asked before, otherwise."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import calls, reuses

_SHOWN = 60  # characters of each text, from just before the first that differs
_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}:\d\d|\b1\d{9}(?:\.\d+)?\b")
_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|\b[0-9a-f]{16,}\b|\b0x[0-9a-f]{6,}\b")


@dataclass(frozen=True)
class Difference:
    """A request of an earlier attempt that came again, otherwise: it was paid for twice."""

    before: str
    """Id of the call then."""
    now: str
    prompt: str | None
    row: str | None
    was: str
    """Where they begin to differ; "" where the texts were not kept."""
    is_: str
    cause: str | None
    """The usual cause that it looks like."""

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["is"] = data.pop("is_")
        return data


def count_reused(database: Database, runs: Sequence[str]) -> int:
    """Over these runs. An answer that was taken twice counts twice."""
    query = select(func.count()).select_from(reuses).where(reuses.c.run.in_(runs))
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def differences(
    database: Database, before: Sequence[str], now: Sequence[str], limit: int = 20
) -> tuple[int, list[Difference]]:
    """Requests that the runs `now` asked anew in place of ones that the runs `before` had an answer to.

    How many, and the first of them. Paired are requests of one alias, prompt and row, in their order.
    """
    facts = (calls.c.id, calls.c.key, calls.c.alias, calls.c.prompt, calls.c.row, calls.c.state)
    taken = select(calls.c.key).join(reuses, reuses.c.call == calls.c.id).where(reuses.c.run.in_(now))
    with database.read() as connection:
        old = connection.execute(select(*facts).where(calls.c.run.in_(before)).order_by(calls.c.asked_at)).all()
        new = connection.execute(select(*facts).where(calls.c.run.in_(now)).order_by(calls.c.asked_at)).all()
        asked = {row.key for row in new} | set(connection.execute(taken).scalars())
    left: dict[tuple[Any, ...], deque[Any]] = defaultdict(deque)
    for row in {row.key: row for row in old if row.state == "answered" and row.key not in asked}.values():
        left[_place(row)].append(row)
    known = {row.key for row in old}
    pairs = [(left[_place(row)].popleft(), row) for row in new if row.key not in known and left[_place(row)]]
    return len(pairs), [_difference(database, *pair) for pair in pairs[:limit]]


def _place(row: Any) -> tuple[Any, ...]:
    prompt = row.prompt and re.split("[@#]", row.prompt)[0]
    return row.alias, prompt, row.row


def _difference(database: Database, old: Any, new: Any) -> Difference:
    query = select(calls.c.id, calls.c.request).where(calls.c.id.in_([old.id, new.id]))
    with database.read() as connection:
        texts = {row.id: row.request or "" for row in connection.execute(query)}
    was, is_ = texts[old.id], texts[new.id]
    start = next((n for n, (a, b) in enumerate(zip(was, is_, strict=False)) if a != b), min(len(was), len(is_)))
    start = max(0, start - 20)
    shown = (was[start : start + _SHOWN], is_[start : start + _SHOWN]) if was and is_ else ("", "")
    return Difference(old.id, new.id, new.prompt, new.row, *shown, cause=_cause(was, is_, *shown))


def _cause(was: str, is_: str, was_there: str, is_there: str) -> str | None:
    if not was or not is_:
        return None
    if _RANDOM.search(was_there) and _RANDOM.search(is_there):
        return "a random number or id: seed it with gt.seed()"
    if _TIME.search(was_there) and _TIME.search(is_there):
        return "the time: use gt.due() in place of now()"
    if sorted(re.findall(r"\w+", was)) == sorted(re.findall(r"\w+", is_)):
        return "the same words in another order: sort what comes from a set, a folder or a service"
    return None
