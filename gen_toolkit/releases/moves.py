"""The record of moves: which release was live, since when, by whose hand, and why.

pipeline.toml says which release is live. The ledger says how it came to be, and where the file is not to be
changed it says so in the file's stead: that is an override.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.place import find_place
from gen_toolkit.database.sql import Row, and_, now, or_, select
from gen_toolkit.database.tables import live_moves
from gen_toolkit.errors import DatabaseError
from gen_toolkit.settings import load_settings
from gen_toolkit.text import encodable, one_line, scrub
from gen_toolkit.tracking.registry import author

Kind = Literal["promote", "rollback", "override", "edit"]
_REASON = 1000  # characters


@dataclass(frozen=True)
class Move:
    """From one live release to another."""

    kind: Kind
    """`override`: the ledger says it, pipeline.toml does not. `edit`: nobody recorded it, see `with_edits`."""
    was: int | None
    """The release that was live."""
    live: int
    said: int | None
    """What pipeline.toml said before."""
    by: str
    reason: str
    at: float | None
    """Seconds since 1970, by the database's clock."""

    @property
    def when(self) -> str:
        """In UTC; "" where it is not known."""
        return "" if self.at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at))

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.when or None}


@dataclass(frozen=True)
class Live:
    """Which release of a pipeline is live, and who says so. `str()` of it is what every view shows."""

    number: int | None
    said: int | None
    """By pipeline.toml."""
    override: Move | None = None
    """What says otherwise."""

    def __str__(self) -> str:
        """`2 (override in the ledger by ann at 2026-11-30T01:02:03Z: wrong labels; pipeline.toml says 3)`."""
        if self.override is None:
            return "none" if self.number is None else str(self.number)
        why = f": {one_line(self.override.reason, 120)}" if self.override.reason else ""
        said = "nothing" if self.said is None else self.said
        by = one_line(self.override.by, 40)
        return f"{self.number} (override in the ledger by {by} at {self.override.when}{why}; pipeline.toml says {said})"

    def to_json(self) -> dict[str, Any]:
        override = None if self.override is None else self.override.to_json()
        return {"live": self.number, "file": self.said, "override": override}


def live_of(pipeline: str, said: int | None) -> Live:
    """The live release of a pipeline whose file says `said`.

    What the newest move says about that value of the file holds: an override, or that the file was set to it.
    So an override is over as soon as the file says something else. Raises DatabaseError where the ledger cannot
    be read: what an override took out of service must not run because of that.
    """
    database = _there()
    if database is None:
        return Live(said, said)
    column = live_moves.c
    query = (
        select(live_moves)
        .where(
            column.pipeline == pipeline,
            or_(
                and_(column.kind == "override", column.said == said),
                and_(column.kind != "override", column.live == said),
            ),
        )
        .order_by(column.id.desc())
        .limit(1)
    )
    try:
        with database.read() as connection:
            row = connection.execute(query).first()
    except DatabaseError as error:
        raise DatabaseError(
            f"nobody can tell which release of {pipeline!r} is live: {error.message}", fix=error.fix, url=database.name
        ) from None
    found = None if row is None else _move(row)
    if found is None or found.kind != "override" or found.live == said:
        return Live(said, said)
    return Live(found.live, said, found)


def moves_of(pipeline: str) -> list[Move]:
    """The oldest first."""
    database = _there()
    if database is None:
        return []
    query = select(live_moves).where(live_moves.c.pipeline == pipeline).order_by(live_moves.c.id)
    with database.read() as connection:
        return [_move(row) for row in connection.execute(query)]


def with_edits(moves: Sequence[Move], live: int | None) -> Iterator[Move]:
    """The moves, and between them what was not recorded: somebody changed pipeline.toml, by hand or with git."""
    last: int | None = None
    for move in moves:
        if last is not None and move.was is not None and move.was != last:
            yield _edit(last, move.was)
        yield move
        last = move.live
    if last is not None and live is not None and live != last:
        yield _edit(last, live)


def _edit(was: int, live: int) -> Move:
    return Move("edit", was, live, None, "", "pipeline.toml was changed; not on record", None)


@contextlib.contextmanager
def recorded(pipeline: str, kind: Kind, before: Live, live: int, reason: str = "") -> Iterator[None]:
    """Put a move on record, and in the same transaction do what is done inside: where either fails, nothing moved.

    Only where the last step fails, after the file was changed, is it without a record: DatabaseError says so.
    """
    changed = False
    row = {
        "pipeline": pipeline,
        "kind": kind,
        "was": before.number,
        "live": live,
        "said": before.said,
        "by": author(),
        "reason": scrub(encodable(reason.strip()))[:_REASON],
        "at": now(),
    }
    try:
        with open_database().write() as connection:
            connection.execute(live_moves.insert().values(row))
            yield
            changed = kind != "override"
    except DatabaseError as error:
        state = f"is live as pipeline.toml says, and that is not on record: {error.message}"
        told = state if changed else f"is not live, the move cannot be recorded: {error.message}"
        raise DatabaseError(
            f"release {live} of {pipeline!r} {told}", fix=error.fix, url=error.data.get("url")
        ) from None


def _there() -> Database | None:
    """The workspace's database; None before there is one: looking makes none."""
    settings = load_settings()
    return open_database(settings) if find_place(settings).is_there() else None


def _move(row: Row[Any]) -> Move:
    return Move(row.kind, row.was, row.live, row.said, row.by, row.reason, row.at)
