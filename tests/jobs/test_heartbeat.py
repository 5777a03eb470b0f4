"""The heartbeat: renews the lease, passes on orders, and lets nothing of a run live beyond what can be proven."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from postgres import Server

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import DatabaseError
from gen_toolkit.jobs import heartbeat as kind
from gen_toolkit.jobs.heartbeat import Heartbeat
from gen_toolkit.jobs.ledger import Again, Ledger, Word
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.jobs.rows import Lease, NewRun
from gen_toolkit.process import steady

TTL = 20.0  # seconds; a machine that stands still for a moment has not lost what is proven for 15
SHORT = 1.0  # where the test waits for a lease to be over, and nothing has to be in time for it


class Told(Ledger):
    """A real ledger whose database can be made to fail, or to hang."""

    down = False
    refused = 0

    def beat(self, lease: Lease) -> Word:
        if self.down:
            self.refused += 1
            raise DatabaseError("nobody answers there")
        return super().beat(lease)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats as often as the tests want to see them."""
    monkeypatch.setattr(kind, "BEATS", 40)


@pytest.fixture
def ledger(either_database: str) -> Told:
    return Told(open_database())


@pytest.fixture
def orders() -> Iterator[Orders]:
    made = Orders()
    yield made
    made.close()


@pytest.fixture
def lease(ledger: Told) -> Lease:
    made = ledger.begin(NewRun("label", "job", "x.ipynb", {}), ttl=TTL)
    assert made is not None
    return made


@pytest.fixture
def beating(ledger: Told, orders: Orders, lease: Lease) -> Iterator[Heartbeat]:
    made = Heartbeat(ledger, lease, orders)
    made.start()
    yield made
    made.stop()


def patiently(true: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_it_renews_the_lease_and_proves_it_a_margin_shorter(
    ledger: Told, orders: Orders, lease: Lease, beating: Heartbeat
) -> None:
    first = ledger.find(lease.run).lease_until
    patiently(lambda: (ledger.find(lease.run).lease_until or 0) > (first or 0) + 0.1)
    proven = orders.proven_until
    assert proven is not None
    assert proven <= steady() + TTL * 0.75
    assert orders.stopped is None


def test_before_its_first_beat_the_lease_is_proven_from_the_moment_it_was_asked_for(
    ledger: Told, orders: Orders, lease: Lease
) -> None:
    Heartbeat(ledger, lease, orders)
    assert orders.proven_until == lease.asked + TTL * 0.75


def test_who_is_to_be_cancelled_is_told_to_stop_and_keeps_its_lease(
    ledger: Told, orders: Orders, lease: Lease, beating: Heartbeat
) -> None:
    ledger.cancel(lease.run)
    patiently(lambda: orders.stopped)
    assert orders.stopped is not None
    assert (orders.stopped.state, orders.stopped.reason) == ("cancelled", kind.CANCELLED)
    until = ledger.find(lease.run).lease_until
    patiently(lambda: (ledger.find(lease.run).lease_until or 0) > (until or 0))
    assert not orders.in_a_hurry  # said once


def test_who_lost_its_lease_is_told_so_and_beats_no_more(
    ledger: Told, orders: Orders, lease: Lease, beating: Heartbeat
) -> None:
    ledger.finish(lease, "lost")
    patiently(lambda: orders.stopped)
    assert orders.stopped is not None
    assert (orders.stopped.state, orders.stopped.reason, orders.stopped.grace) == ("lost", kind.LOST, 0.0)


def test_while_the_database_is_down_nothing_is_proven_and_when_it_answers_in_time_it_goes_on(
    ledger: Told, orders: Orders, lease: Lease, beating: Heartbeat
) -> None:
    ledger.down = True
    patiently(lambda: ledger.refused > 0)
    proven = orders.proven_until or 0
    patiently(lambda: ledger.refused > 3)
    assert orders.proven_until == proven
    ledger.down = False
    patiently(lambda: (orders.proven_until or 0) > proven)
    assert orders.stopped is None


def test_a_database_that_is_down_for_longer_than_the_lease_ends_the_run(ledger: Told, orders: Orders) -> None:
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}), ttl=SHORT)
    assert lease is not None
    ledger.down = True
    beating = Heartbeat(ledger, lease, orders)
    beating.start()
    patiently(lambda: orders.stopped)
    beating.stop()
    assert orders.stopped is not None
    assert (orders.stopped.state, orders.stopped.reason) == ("lost", kind.UNPROVEN)
    assert steady() >= lease.asked + SHORT * 0.75


def test_one_that_was_never_started_stops_at_once(ledger: Told, orders: Orders, lease: Lease) -> None:
    beating = Heartbeat(ledger, lease, orders)
    beating.stop()
    assert beating._thread not in threading.enumerate()


@pytest.mark.postgres
def test_a_server_that_is_gone_for_longer_than_a_lease_starts_nothing_twice(postgres: Server, orders: Orders) -> None:
    """Who works stops before the lease is over, and so before anybody who waits for that can have the run."""
    ledger = Ledger(open_database())
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}), ttl=4.0)
    assert lease is not None
    taken: list[tuple[float, Lease]] = []

    def wait_for_it() -> None:
        until = time.monotonic() + 60
        while not taken and time.monotonic() < until:
            with contextlib.suppress(DatabaseError):
                row, now = ledger.find(lease.run), ledger.now()
                if row.lease_until is not None and now > row.lease_until:
                    ledger.finish(lease, "lost", again=Again(0.0), seen=row.lease_until)
                taken.extend((steady(), found) for found in ledger.claim("another", 1))
            time.sleep(0.02)

    beating = Heartbeat(ledger, lease, orders)
    beating.start()
    other = threading.Thread(target=wait_for_it)
    other.start()
    patiently(lambda: (orders.proven_until or 0) > lease.proven_until)
    postgres.stop()
    try:
        patiently(lambda: orders.stopped)
        stopped = steady()
    finally:
        postgres.start()
    other.join()
    beating.stop()
    assert orders.stopped is not None
    assert (orders.stopped.state, orders.stopped.reason) == ("lost", kind.UNPROVEN)
    ((moment, second),) = taken
    assert (second.run, second.number) == (lease.run, 2)
    assert stopped < moment
    assert not ledger.finish(lease, "succeeded")
