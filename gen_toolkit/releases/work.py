"""A worker: `python -m gen_toolkit.releases.work SLOT` executes one queued run, under a lease of its own.

Started by those who use jobs/workers.py. It says `ready`, waits for its orders, gets its run from the ledger
and finishes it also when whoever started it is gone; without orders it goes away. The orders name a run to `take`
or to `resume`, else any that waits is claimed, of the names in `apart` one at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_toolkit.jobs.execute import Finished
    from gen_toolkit.jobs.rows import Lease

Execute = Callable[["Lease"], "Finished"]
"""Executes the run of a lease, and records how it ended."""


def main() -> None:
    from gen_toolkit.jobs.courier import start_courier
    from gen_toolkit.releases.again import run_claimed
    from gen_toolkit.tracking.hand_over import by_courier

    by_courier(start_courier)
    work(run_claimed)


def work(execute: Execute) -> None:
    """One run, from the orders to its end. Tests give an `execute` of their own, which needs no kernel."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Ledger

    say = _speaker()
    os.set_inheritable(int(sys.argv[1]), False)  # the place is this process's, not its children's
    ledger = Ledger(open_database())
    say({"event": "ready"})
    line = sys.stdin.readline()
    if not line:
        return
    lease = _lease(ledger, json.loads(line))
    if lease is None:
        return
    run = ledger.find(lease.run)
    say({"event": "claimed", "pipeline": run.name, "run": run.id, "due": run.due, "attempt": lease.number})
    ended = execute(lease).run
    reason = None if ended.reason is None else ended.reason.message
    say(
        {
            "event": "again" if ended.is_open else ended.state,
            "pipeline": ended.name,
            "run": ended.id,
            "seconds": round(ended.seconds, 1),
            "reason": reason,
        }
    )


def _lease(ledger: Any, orders: Mapping[str, Any]) -> Lease | None:
    from gen_toolkit.errors import ResumeRefused
    from gen_toolkit.process import this_process

    if "resume" in orders:
        try:
            return ledger.resume(orders["resume"])  # type: ignore[no-any-return]
        except ResumeRefused:
            return None
    if "take" in orders:
        return ledger.take(orders["take"])  # type: ignore[no-any-return]
    return next(iter(ledger.claim(this_process(), 1, apart=orders.get("apart", ()))), None)


def _speaker() -> Callable[[dict[str, Any]], None]:
    """Says messages on what was standard output; from now on prints go where errors go."""
    out = os.dup(1)  # open until this process ends, so that the end of the pipe is its end
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more: the ledger does
            os.write(out, json.dumps(message).encode() + b"\n")

    return say


if __name__ == "__main__":
    main()
