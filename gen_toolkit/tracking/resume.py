"""Runs that are taken up again: which one of a name was left unfinished, and who is at it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from gen_toolkit import scope
from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import resumable
from gen_toolkit.journal.holds import hold, release
from gen_toolkit.process import is_alive, this_process

_NOBODY = ""


@contextlib.contextmanager
def taken_up(database: Database, name: str, run: str) -> Iterator[str]:
    """The root of the last unfinished run of that name, else `run` itself. Finished when the block ends well.

    One that another process is still at is not taken: then this is a run of its own.
    """
    root = _take(database, name, run)
    hold(database, root, root)  # until it is finished its answers are wanted, however old they get
    scope.count_anew(root)  # the first equal request of this attempt is the first of the attempt before
    try:
        yield root
    except BaseException:
        _leave(database, root, finished=False)
        raise
    _leave(database, root, finished=True)
    release(database, root)


def _take(database: Database, name: str, run: str) -> str:
    unfinished = (
        select(resumable)
        .where(resumable.c.name == name, resumable.c.finished == 0)
        .order_by(resumable.c.changed_at.desc())
    )
    mine = {"run": run, "process": this_process(), "changed_at": time.time()}
    with database.write() as connection:
        for row in connection.execute(unfinished).all():
            if row.process == _NOBODY or not is_alive(row.process):
                connection.execute(resumable.update().where(resumable.c.root == row.root).values(mine))
                return str(row.root)
        connection.execute(resumable.insert().values(root=run, name=name, finished=0, **mine))
    return run


def _leave(database: Database, root: str, *, finished: bool) -> None:
    left = {"process": _NOBODY, "finished": int(finished), "changed_at": time.time()}
    with database.write() as connection:
        connection.execute(resumable.update().where(resumable.c.root == root).values(left))
