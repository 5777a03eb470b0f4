"""A worker of a fan-out that needs no kernel: keeps `double`, fails for 13, and takes its time."""

from __future__ import annotations

import os
import time
from pathlib import Path

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.execute import Finished
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.jobs.rows import Lease
from gen_toolkit.releases.work import work


def execute(lease: Lease) -> Finished:
    seen = Path(os.environ["SEEN"])
    ledger = Ledger(open_database())
    limit = ledger.find(lease.run).parameters["limit"]
    (seen / f"{lease.run}.{lease.number}").touch()
    (seen / f"at-once-{sum(1 for _ in seen.glob('now-*')) + 1}").touch()
    (seen / f"now-{lease.run}").touch()
    time.sleep(0.05)
    while (seen / f"hold-{limit}").exists():
        time.sleep(0.02)
    (seen / f"now-{lease.run}").unlink()
    if limit == 13 and not (seen / "lucky").exists():
        ledger.finish(lease, "failed", Reason("unlucky", 2, "ValueError"), {"kept": {}, "cost_usd": "0.01"})
    else:
        ledger.finish(lease, "succeeded", None, {"kept": {"double": limit * 2}, "cost_usd": "0.01"})
    return Finished(ledger.find(lease.run))


if __name__ == "__main__":
    work(execute)
