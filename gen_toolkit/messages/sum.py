"""Several replies as one: what they took together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from gen_toolkit.messages.reply import NO_USAGE, Reply


def all_of(replies: Sequence[Reply]) -> Reply:
    """The last of these replies, with the usage, cost, seconds and attempts of all of them.

    What one does not know, the sum does not know. `source` is `live` where one of them was called now.
    """
    return replace(
        replies[-1],
        usage=sum((reply.usage for reply in replies), NO_USAGE),
        cost=cost_of(replies),
        seconds=sum(reply.seconds for reply in replies),
        attempts=sum(reply.attempts for reply in replies),
        unanswered=sum(reply.unanswered for reply in replies),
        source="live" if any(reply.source == "live" for reply in replies) else replies[-1].source,
    )


def cost_of(replies: Sequence[Reply]) -> Decimal | None:
    """USD of all of them; None as soon as one is unknown."""
    costs = [reply.cost for reply in replies if reply.cost is not None]
    return sum(costs, Decimal(0)) if len(costs) == len(replies) else None
