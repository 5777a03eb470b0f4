"""A worker that needs no kernel: it has the run alone for a moment, or says that it had not."""

from __future__ import annotations

import fcntl
import os
import random
import time
from functools import partial
from pathlib import Path

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.execute import Finished
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.patience import insist
from gen_toolkit.jobs.rows import Lease
from gen_toolkit.releases.work import work


def execute(lease: Lease) -> Finished:
    """`seen.log` of the workspace gets a line at the beginning, and one at the end; a second copy of a run says so."""
    folder = Path(os.environ["SEEN"])
    ledger = Ledger(open_database())
    with open(folder / f"alive-{lease.run}", "wb") as alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _note(folder, "TWICE", lease)
            raise
        _note(folder, "begin", lease)
        until = time.monotonic() + float(os.environ.get("TAKES", "0.05")) * random.uniform(0.5, 1.5)
        while time.monotonic() < until or (folder / "hold").exists():
            time.sleep(0.02)
        _note(folder, "end", lease)
        assert insist(partial(ledger.finish, lease, "succeeded"), lambda _: None)
    return Finished(ledger.find(lease.run))


def _note(folder: Path, what: str, lease: Lease) -> None:
    descriptor = os.open(folder / "seen.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.write(descriptor, f"{what} {lease.run} {lease.number}\n".encode())
    os.close(descriptor)


if __name__ == "__main__":
    work(execute)
