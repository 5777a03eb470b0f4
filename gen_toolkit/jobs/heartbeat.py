"""Says to the ledger, again and again, that a run is still worked on; hears that it is to stop, or lost.

Model calls that are paid for need no gate of their own: when the lease is lost, or can no longer be proven,
everything of the run is killed before the lease ends (see `Orders.hold`), and what was written under it is refused.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from gen_toolkit.errors import DatabaseError
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.jobs.rows import Lease, proven_until
from gen_toolkit.process import steady

BEATS = 4
"""In the time of a lease."""
CANCELLED = Reason("cancelled by gen cancel")
LOST = Reason("its lease is over: by the ledger's word another may have it")
UNPROVEN = Reason("its lease could not be proven in time: the database did not answer, or this process was stopped")


@contextlib.contextmanager
def beating(ledger: Ledger, lease: Lease) -> Iterator[Heartbeat]:
    """A heartbeat that is over with the block, and the orders it gives (`.orders`). To be started by the caller."""
    heartbeat = Heartbeat(ledger, lease, Orders())
    try:
        yield heartbeat
    finally:
        heartbeat.stop()
        heartbeat.orders.close()


class Heartbeat:
    """One run's, on a thread of its own from `start` to `stop`. Tells `orders` how long the lease is proven."""

    def __init__(self, ledger: Ledger, lease: Lease, orders: Orders) -> None:
        self._ledger, self._lease, self.orders = ledger, lease, orders
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gen_toolkit heartbeat", daemon=True)
        self._until = lease.proven_until
        orders.hold(self._until)

    def start(self) -> None:
        """Not before the run's first process was started: a fork wants a process without threads."""
        self._thread.start()

    def stop(self) -> None:
        """The end of the run is on record. Waits for a beat that is under way, for a moment."""
        self._over.set()
        with contextlib.suppress(RuntimeError):  # was never started
            self._thread.join(timeout=2)

    def _run(self) -> None:
        pause = self._lease.ttl / BEATS
        while not self._over.wait(pause):
            asked = steady()
            if asked > self._until:
                self.orders.stop("lost", UNPROVEN)
                return
            try:
                word = self._ledger.beat(self._lease)
            except DatabaseError:
                pause = self._lease.ttl / BEATS / 10  # until it answers, or the lease cannot be proven any more
                continue
            if word == "lost":
                self.orders.stop("lost", LOST)
                return
            pause = self._lease.ttl / BEATS
            self._until = proven_until(asked, self._lease.ttl)
            self.orders.hold(self._until)
            if word == "cancel" and self.orders.stopped is None:
                self.orders.stop("cancelled", CANCELLED)
