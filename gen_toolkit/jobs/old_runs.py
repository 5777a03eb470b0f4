"""Which runs are old enough to go, with their folders and events. What is open, needed, or not yet told stays."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import attempts, runs
from gen_toolkit.jobs.ledger import Ledger, RunRow
from gen_toolkit.journal.holds import held
from gen_toolkit.process import marked
from gen_toolkit.scope import SESSION_MARK
from gen_toolkit.tracking.forget import Told, batches, size_of, told_runs
from gen_toolkit.workspace import Workspace

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Part:
    """One kind of what goes."""

    what: str
    count: int
    size: int
    """Bytes, of rows characters."""


@dataclass(frozen=True)
class Old:
    """What is to go. Between this and `prune` nothing of it is held: what is taken up meanwhile stays."""

    before: float
    """Seconds since 1970."""
    runs: tuple[str, ...]
    events_of: tuple[str, ...]
    folders: tuple[Path, ...]
    parts: tuple[Part, ...]
    spared: int
    """Runs as old that stay: a release or somebody else needs them, or MLflow does not have them yet."""


def find_old(
    database: Database,
    workspace: Workspace,
    older_than: float,
    *,
    keep: int = 0,
    state: str | None = None,
    needed: Collection[str] = (),
) -> Old:
    """What ended more than `older_than` seconds ago, but for the newest `keep` runs of each name.

    `needed`: ids of runs and sessions that stay, such as those that releases name. With `state` only runs that
    ended so, and nothing else.
    """
    before = time.time() - older_than
    told, ids = told_runs(database), _ids(database)
    waiting = {run for one in told.values() if not one.is_delivered for run in one.runs}
    stays = {*needed, *waiting, *(one.run for one in held(database))}
    families = _families(ids, Ledger(database).ended(before), keep, state)
    going = [family for family in families if _may_go(family, ids, told, stays)]
    chosen = [run for family in going for run in family]
    known = ids.known
    sessions = [
        one
        for root, one in told.items()
        if root not in known and one.has_ended and one.delivered_at < before and not stays & set(one.runs)
    ]
    told_by = dict.fromkeys(one for run in chosen for one in _told_of(run, told))
    events_of = (*told_by, *(run for one in sessions if not state for run in one.runs))
    home = workspace.runs.resolve()
    folders = [path for path in folders_of(database, chosen) if path.parent.resolve() == home and path.is_dir()]
    left = [] if state else _left_behind(workspace, before, known, stays)
    parts = (
        Part("runs", len(chosen), _size_of_rows(database, chosen)),
        Part("events", *size_of(database, events_of)),
        Part("folders of runs", len(folders), sum(map(_size, folders))),
        Part("folders left behind", len(left), sum(map(_size, left))),
    )
    spared = sum(map(len, families)) - len(chosen)
    return Old(before, tuple(chosen), events_of, (*folders, *left), parts, spared)


@dataclass(frozen=True)
class _Ids:
    """All that the ledger knows by id."""

    runs: Sequence[tuple[str, str, str | None]]
    """(id, name, parent), the newest first."""
    attempts: dict[str, list[str]]
    """By run."""
    untold: set[str]
    """Runs with an attempt whose end is not in the spool yet."""

    @property
    def known(self) -> set[str]:
        return {run for run, _, _ in self.runs} | {one for some in self.attempts.values() for one in some}


def _ids(database: Database) -> _Ids:
    tries: dict[str, list[str]] = {}
    untold = set()
    with database.read() as connection:
        found = connection.execute(select(runs.c.id, runs.c.name, runs.c.parent).order_by(runs.c.id.desc())).all()
        for row in connection.execute(select(attempts.c.id, attempts.c.run, attempts.c.told)):
            tries.setdefault(row.run, []).append(row.id)
            if not row.told:
                untold.add(row.run)
    return _Ids([(row.id, row.name, row.parent) for row in found], tries, untold)


def _families(ids: _Ids, ended: Sequence[RunRow], keep: int, state: str | None) -> list[list[str]]:
    """Runs with their parts, which stay and go with them."""
    known = {id_ for id_, _, _ in ids.runs}
    count: Counter[str] = Counter()
    newest = set()
    for id_, name, parent in ids.runs:
        if parent not in known and count[name] < keep:
            count[name] += 1
            newest.add(id_)
    families = {
        run.id: [run.id]
        for run in ended
        if run.parent not in known and run.id not in newest and state in {None, run.state}
    }
    for run in ended:
        if run.parent in families:
            families[run.parent].append(run.id)
    return list(families.values())


def _may_go(family: Sequence[str], ids: _Ids, told: dict[str, Told], stays: set[str]) -> bool:
    members = {one for run in family for one in (run, *ids.attempts.get(run, ()), *_told_of(run, told))}
    return not (members & stays or ids.untold & set(family))


def _told_of(run: str, told: dict[str, Told]) -> tuple[str, ...]:
    return told[run].runs if run in told else ()


def folders_of(database: Database, chosen: Iterable[str]) -> list[Path]:
    """Of all attempts of these runs, wherever they are."""
    found: list[Path] = []
    for some in batches(chosen):
        query = select(attempts.c.folder).where(attempts.c.run.in_(some), attempts.c.folder.is_not(None))
        with database.read() as connection:
            found += [Path(folder) for folder in connection.execute(query).scalars()]
    return found


def _left_behind(workspace: Workspace, before: float, known: set[str], stays: set[str]) -> list[Path]:
    """Old folders of sessions that are over, and of attempts that no record knows: somebody was killed half way."""
    attempts_now = _old_folders(workspace.runs, before)
    sessions = _old_folders(workspace.records / "sessions", before)
    over = [path for path in sessions if path.name not in stays and not marked(SESSION_MARK, path.name)]
    return [path for path in attempts_now if path.name not in known | stays] + over


def _old_folders(where: Path, before: float) -> list[Path]:
    return [
        path
        for path in (sorted(where.iterdir()) if where.is_dir() else ())
        if _ID.fullmatch(path.name) and not path.is_symlink() and path.is_dir() and path.stat().st_mtime < before
    ]


def _size_of_rows(database: Database, chosen: Sequence[str]) -> int:
    size = 0
    for some in batches(chosen):
        for table, column in ((runs, runs.c.id), (attempts, attempts.c.run)):
            long = func.length(func.coalesce(table.c.outcome, "")) + func.length(func.coalesce(table.c.reason, ""))
            query = select(func.coalesce(func.sum(long), 0)).where(column.in_(some))
            with database.read() as connection:
                size += connection.execute(query).scalar_one()
    return size


def _size(folder: Path) -> int:
    """Bytes of its files."""
    found = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                found += os.lstat(os.path.join(where, name)).st_size
            except OSError:
                continue  # gone meanwhile
    return found
