"""How fast an alias may be called. Pure arithmetic: the time is an argument.

A limit is a schedule (the generic cell rate algorithm in its "virtual scheduling" form, ITU-T I.371): each
call takes the next free instant, and moves it on by the time that its share of the limit takes. No window
is counted, so nothing bunches up at a window's edge. Capacity that nobody took is kept for `BURST` seconds:
in t seconds at most rate × (t + BURST) + 1 calls may go.

A 429 slows the schedule for all: to `SLOWED` of the rate at which it came. Such a multiplicative decrease is what
many who share a limit need to settle (D.-M. Chiu & R. Jain, "Analysis of the increase and decrease algorithms for
congestion avoidance in computer networks", Computer Networks and ISDN Systems 17, 1989). Where they add a constant,
the way back follows the cubic curve of RFC 9438, section 4.2: steep at first, flat near the rate that was too much,
steep again when that turns out to be bearable now. It needs no step that fits the limit's size, and nothing has to
be written while calls succeed: it follows from the time since the pause. Against a hard limit of 5 a second
89 % of it are used so, with a linear way back of the same length 80 % (simulated as in test_lease.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

BURST = 0.5
"""Seconds for which capacity that was not used is kept."""
BLOCK = 0.5
"""Seconds of a schedule that a process may lease at once."""
SLOWED = 0.7
MARGIN = 0.95
"""The curve is flat a little below the rate at which the 429 came."""
RECOVERY = 20.0
"""Seconds from a 429 back to the rate at which it came."""
SLOWEST = 5.0
"""Seconds a request takes at most, however often a server says 429: what it wants beyond, `Retry-After` says."""
_FORGOTTEN = 4 * RECOVERY  # then the curve is at nine times the rate that was too much: it tells nothing any more


class Units(NamedTuple):
    """One number for each thing that is limited."""

    requests: float
    tokens: float


NOTHING = Units(0.0, 0.0)


def schedule(now: float, next_at: Units, pace: Units, calls: Sequence[float]) -> tuple[list[float], Units]:
    """The instants at which the first of these calls may go, and what is free after them.

    `calls` are their tokens, `pace` the seconds that a unit takes (0: no limit). At most BLOCK seconds of the
    schedule are given away at once, and at least one call is served.
    """
    instants: list[float] = []
    requests, tokens = next_at
    for call in calls:
        at = max(now - BURST, requests, tokens)
        if instants and at - instants[0] >= BLOCK:
            break
        instants.append(at)
        requests = at + pace.requests if pace.requests else requests
        tokens = at + call * pace.tokens if pace.tokens else tokens
    return instants, Units(requests, tokens)


def spare(now: float, next_at: Units, pace: Units) -> tuple[Units, Units]:
    """Half of what is left over by now, to be used without asking; and what is free after it.

    Half, so that the next process that asks finds some too. Where the limit is short nothing is left over.
    """
    left = [
        (now - max(now - BURST, at)) / takes / 2 if takes else math.inf for at, takes in zip(next_at, pace, strict=True)
    ]
    if left[0] < 1 or left[1] <= 0:
        return NOTHING, next_at
    taken = Units(math.floor(left[0]) if pace.requests else left[0], left[1])
    after = [
        max(now - BURST, at) + number * takes if takes else at
        for at, takes, number in zip(next_at, pace, taken, strict=True)
    ]
    return taken, Units(*after)


def recovering(pace: float, since: float) -> float:
    """Seconds a request takes `since` seconds after a pause, when it took `pace` before a 429; 0: no limit any more."""
    if pace == 0.0 or since > _FORGOTTEN:
        return 0.0
    share = 1 - (1 - SLOWED) * (1 - max(0.0, since) / RECOVERY) ** 3
    return pace / share


def too_fast(now: float, next_at: float, pace: float, sent: float) -> float:
    """The pace at which a 429 came: the schedule's where calls waited for it, else what was really sent.

    `sent` are the requests that this process has sent in its busiest recent second. (As TCP halves what is in
    flight, not what might be: RFC 5681, 3.1.)
    """
    really = 1 / max(1.0, sent)
    seen = pace if pace and next_at >= now else max(pace, really)
    return min(seen / MARGIN, SLOWEST)
