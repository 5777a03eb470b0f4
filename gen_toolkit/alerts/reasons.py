"""What about a job that ended is a reason to tell somebody: pure, from its end and what came before."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gen_toolkit.channel import Channel, Occasion
from gen_toolkit.display import seconds
from gen_toolkit.events import JobEnded

FAILED = frozenset({"failed", "timed out", "killed", "lost"})
FEWEST_FOR_MEDIAN = 5


@dataclass(frozen=True)
class Before:
    """What the ledger knows of the pipeline's jobs before."""

    failed: bool
    """The last one that ended by itself did not succeed; or this one itself, before it was resumed."""
    took: Sequence[float]
    """Seconds of those that succeeded, newest first."""


def reasons(ended: JobEnded, before: Before, channel: Channel) -> list[tuple[Occasion, str]]:
    """The occasions that a channel wants to hear of, and a line about each. A failure is told once."""
    found: list[tuple[Occasion, str]] = []
    if ended.state in FAILED:
        why = f"{ended.error}: {ended.message}" if ended.error else ended.message
        over: Occasion = "over-budget" if ended.error == "BudgetExceeded" and "over-budget" in channel.on else "failure"
        found.append((over, f"{ended.state}: {why}" if why else ended.state))
    elif ended.state == "succeeded":
        if before.failed:
            found.append(("recovery", f"succeeded in {seconds(ended.seconds)}, after a failure"))
        limit = _slow_over(channel, before.took)
        if limit is not None and ended.seconds > limit:
            found.append(("slow", f"took {seconds(ended.seconds)}, more than {seconds(limit)}"))
    return [(occasion, line) for occasion, line in found if occasion in channel.on]


def _slow_over(channel: Channel, took: Sequence[float]) -> float | None:
    limits = [] if channel.slow_s is None else [channel.slow_s]
    if channel.slow_factor is not None and len(took) >= FEWEST_FOR_MEDIAN:
        limits.append(channel.slow_factor * statistics.median(took))
    return min(limits, default=None)
