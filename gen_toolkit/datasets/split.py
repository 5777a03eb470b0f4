"""Rows divided in two: by a seed, in equal shares of every label, with a group on one side."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from gen_toolkit.errors import DatasetError
from gen_toolkit.messages.request import digest


def divided(
    units: Sequence[str], strata: Sequence[Any], share: float, seed: int, *, name: str, group: str | None = None
) -> list[int]:
    """The positions, in order, of about `share` of the rows.

    Rows of one unit stay together; every stratum gives its share, the seats left by rounding going to the
    largest remainders (Hamilton's method). Within a stratum the units with the smallest
    SHA-256(seed, unit) are taken, so that neither the order of the rows nor a few new ones reshuffle the rest.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for position, unit in enumerate(units):
        members[unit].append(position)
    parts: dict[str, list[str]] = defaultdict(list)
    for unit, positions in members.items():
        kinds = {digest(strata[position]): strata[position] for position in positions}
        if len(kinds) > 1:
            raise DatasetError(
                f"the rows of one {group or 'unit'} have different labels ({_some(list(kinds.values()))}), "
                "so a group cannot stay together and the labels be shared out",
                fix="Leave by= or group= out.",
                rows=positions,
            )
        parts[next(iter(kinds))].append(unit)
    taken: list[int] = []
    for part, wanted in _seats({key: sum(len(members[u]) for u in found) for key, found in parts.items()}, share):
        taken += _drawn(sorted(parts[part], key=lambda unit: _rank(seed, unit)), members, wanted)
    if not taken or len(taken) == len(units):
        raise DatasetError(
            f"{share:g} of the {len(units)} rows of {name} leaves one side without rows",
            fix="Give more rows, another share, or smaller groups."
            if len(members) > 1
            else "All rows belong together.",
            rows=len(units),
        )
    return sorted(taken)


def _seats(sizes: dict[str, int], share: float) -> list[tuple[str, int]]:
    exact = {part: size * share for part, size in sizes.items()}
    seats = {part: math.floor(wanted) for part, wanted in exact.items()}
    left = round(sum(sizes.values()) * share) - sum(seats.values())
    by_remainder = sorted(exact, key=lambda part: (seats[part] - exact[part], part))
    for part in by_remainder[: max(left, 0)]:
        seats[part] += 1
    return list(seats.items())


def _drawn(units: list[str], members: dict[str, list[int]], wanted: int) -> list[int]:
    """Units in their order, each where it brings the number of rows nearer to what is wanted."""
    drawn: list[int] = []
    for unit in units:
        if abs(wanted - len(drawn) - len(members[unit])) < abs(wanted - len(drawn)):
            drawn += members[unit]
    return drawn


def _rank(seed: int, unit: str) -> str:
    return hashlib.sha256(f"{seed}:{unit}".encode("utf-8", "surrogatepass")).hexdigest()


def _some(values: list[Any]) -> str:
    return ", ".join(repr(value) for value in values[:3])
