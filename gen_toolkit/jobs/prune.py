"""Let old runs go, a step at a time, so that being killed half way leaves nothing that the next time does not find."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from gen_toolkit.database.engine import Database
from gen_toolkit.database.sql import delete
from gen_toolkit.database.tables import alerts
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.old_runs import Old, folders_of
from gen_toolkit.tracking.forget import batches, forget, told_runs


def prune(database: Database, old: Old) -> Iterator[str]:
    """Yields what could not be removed, and why. A run that was taken up again meanwhile stays, with all it has."""
    stays = set(old.runs)
    for some in batches(old.runs):
        gone = Ledger(database).purge(some, old.before)
        stays -= set(gone)
        with database.write() as connection:
            connection.execute(delete(alerts).where(alerts.c.run.in_(list(gone)), alerts.c.done_at.is_not(None)))
    told = told_runs(database) if stays else {}
    inside = {one for run in stays if run in told for one in told[run].runs}
    forget(database, [run for run in old.events_of if run not in inside])
    kept = set(folders_of(database, stays))
    for folder in old.folders:
        try:
            if folder not in kept:
                shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{folder}: {error.strerror}"
    database.tidy()
