"""The limiters of this process: one an alias, and who waits for them."""

from __future__ import annotations

from dataclasses import dataclass

from gen_toolkit.alias import Alias
from gen_toolkit.journal.commits import GroupCommit
from gen_toolkit.messages.request import digest
from gen_toolkit.models.limits.lease import Limit
from gen_toolkit.models.limits.limiter import Limiter
from gen_toolkit.models.limits.pace import Units

_MINUTE = 60.0

_limiters: dict[tuple[object, ...], Limiter] = {}


@dataclass(frozen=True)
class Wait:
    """Calls of this process that wait for an alias's limit."""

    alias: str
    calls: int
    seconds: float
    """For how long the first of them has waited."""


def open_limiter(name: str, alias: Alias, commits: GroupCommit) -> Limiter:
    """The one for this alias and its limits, in the workspace that `commits` writes to."""
    server = (alias.provider, alias.base_url, alias.model, alias.api_key)
    key = (commits, name, *server, alias.requests_per_minute, alias.tokens_per_minute)
    found = _limiters.get(key)
    if found is None:
        pace = Units(
            *(_MINUTE / rate if rate else 0.0 for rate in (alias.requests_per_minute, alias.tokens_per_minute))
        )
        found = _limiters[key] = Limiter(Limit(name, _row(name, server), pace), commits)
    return found


def _row(name: str, server: tuple[str | None, ...]) -> str:
    """An alias that leads elsewhere now has a limit of its own. Any name is a short and plain one here."""
    return f"{ascii(name)[1:-1][:80]} {digest([name, *server])[:12]}"


def waits(longer_than: float = 2.0) -> list[Wait]:
    """The aliases for whose limits a call has waited longer than so many seconds: for progress that people look at."""
    found = [Wait(limiter.limit.alias, *limiter.waiting) for limiter in list(_limiters.values())]
    return [wait for wait in found if wait.seconds > longer_than]
