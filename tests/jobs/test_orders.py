"""Orders to a run that is under way: the first one decides, whoever waits is woken."""

from __future__ import annotations

import selectors
import threading
from collections.abc import Iterator

import pytest

from gen_toolkit.jobs.ledger import Reason
from gen_toolkit.jobs.orders import GRACE, Orders
from gen_toolkit.process import steady


@pytest.fixture
def orders() -> Iterator[Orders]:
    made = Orders()
    yield made
    made.close()


def awake(orders: Orders, within: float = 0) -> bool:
    with selectors.DefaultSelector() as waiting:
        waiting.register(orders, selectors.EVENT_READ)
        return bool(waiting.select(within))


def test_an_order_from_another_thread_wakes_who_waits_and_only_once(orders: Orders) -> None:
    assert not awake(orders)
    threading.Timer(0.05, orders.stop, ("cancelled", Reason("asked for"))).start()
    assert awake(orders, within=30)
    orders.heard()
    assert not awake(orders)
    assert orders.stopped is not None
    assert orders.stopped.reason.message == "asked for"


def test_the_first_stop_decides_the_state_and_the_next_one_is_in_a_hurry(orders: Orders) -> None:
    orders.stop("cancelled", Reason("first"), signal=2)
    assert not orders.in_a_hurry
    orders.stop("timed out", Reason("second"))
    assert orders.stopped is not None
    assert (orders.stopped.state, orders.stopped.signal, orders.stopped.grace) == ("cancelled", 2, GRACE)
    assert orders.in_a_hurry


def test_a_lost_run_has_no_grace(orders: Orders) -> None:
    orders.stop("lost", Reason("the lease is somebody else's"))
    assert orders.stopped is not None
    assert orders.stopped.grace == 0


def test_a_run_has_a_lease_only_when_somebody_proves_one(orders: Orders) -> None:
    assert orders.proven_until is None
    until = steady() + 60
    orders.hold(until)
    assert orders.proven_until == until
    assert awake(orders)


def test_orders_to_a_run_that_has_ended_are_not_heard() -> None:
    orders = Orders()
    orders.close()
    orders.close()
    orders.stop("cancelled", Reason("too late"))
    orders.hold(steady())


def test_a_flood_of_orders_blocks_nobody(orders: Orders) -> None:
    for _ in range(100_000):
        orders.hold(steady())
    orders.heard()
    assert not awake(orders)
