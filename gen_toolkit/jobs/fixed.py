"""What a run fixes for all its attempts, so that the next one asks what the first one asked: due time and seed."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gen_toolkit import scope
from gen_toolkit.errors import InputError
from gen_toolkit.jobs.rows import RunRow
from gen_toolkit.marks import environment

DUE_MARK = "GEN_TOOLKIT_DUE"  # seconds since 1970
SEED_MARK = "GEN_TOOLKIT_SEED"  # of an execution that repeats another; else it follows from the owner
HASH_SEED = "0"
"""PYTHONHASHSEED of every kernel of a job: sets of texts have the same order in each attempt."""

_session_due: dict[str, float] = {}


def fixed_environment(run: RunRow) -> dict[str, str]:
    """For the kernel of an attempt."""
    return {DUE_MARK: repr(run.due or run.created_at), "PYTHONHASHSEED": HASH_SEED}


def due(zone: str = "UTC") -> datetime:
    """When this run was meant to run: the instant of its schedule, else when it was asked for.

    The same in every attempt of a run, where `datetime.now()` is another each time and makes every prompt it
    stands in a new one, paid for again. In a notebook: when it was first asked in this session. `zone` is an
    IANA name, in whose time it is told. Raises InputError for an unknown one.
    """
    try:
        place = UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"there is no time zone {zone!r}", fix="Use an IANA name, as Europe/Oslo.") from None
    named = environment().get(DUE_MARK)
    at = float(named) if named else _session_due.setdefault(scope.session(), time.time())
    return datetime.fromtimestamp(at, place)


def seed() -> int:
    """A number from 0 to 2**32 - 1 for `random.seed`, `numpy.random.default_rng` and samplers.

    The same in every attempt of a run, another in another run. In a notebook: one a session. Nothing is
    seeded with it by itself: the notebook does the same on every surface.
    """
    named = environment().get(SEED_MARK)
    return int(named) if named else seed_of(environment().get(scope.ROOT_MARK) or scope.session())


def seed_of(owner: str) -> int:
    """The seed of a run of a job, or of a session, by its id."""
    return int.from_bytes(hashlib.sha256(f"gen_toolkit seed {owner}".encode()).digest()[:4], "big")
