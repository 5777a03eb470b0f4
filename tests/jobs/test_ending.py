"""What is said of a run's end follows from what its processes said last, and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from gen_toolkit.jobs.ending import UNPROVEN, Ending, Measured, ending_of
from gen_toolkit.jobs.ledger import Reason
from gen_toolkit.jobs.limits import UNLIMITED, Limits
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.jobs.watch import Watch
from gen_toolkit.process import steady


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        ({"event": "done", "state": "succeeded"}, "succeeded", None),
        ({"event": "dead", "status": -9, "cell": 4}, "killed", "the kernel was killed by SIGKILL"),
        ({"event": "dead", "status": 3}, "killed", "the kernel ended by itself with status 3"),
        (
            {"event": "dead", "status": -9, "out_of_memory": True},
            "killed",
            "the kernel was killed by SIGKILL (out of memory: the machine had none left)",
        ),
        ({"event": "left", "status": -11}, "killed", "the runner was killed by SIGSEGV"),
        ({"event": "reaper left", "status": -9}, "killed", "the reaper was killed by SIGKILL"),
        ({"event": "reaper left", "status": 1}, "killed", "the reaper ended by itself with status 1"),
        ({"event": "reaper left", "status": None}, "killed", "the reaper did not answer"),
        ({"event": "over memory", "mb": 512}, "killed", "out of memory: its processes took 512 MB (memory_mb)"),
        ({"event": "unproven"}, "lost", UNPROVEN),
        ({"event": "broken", "error": "KeyError", "message": "no\nluck"}, "failed", "no luck"),
        (
            {"event": "done", "state": "succeeded", "unsaved": "No space left on device"},
            "failed",
            "the executed notebook cannot be written: No space left on device",
        ),
    ],
)
def test_last_words(said: dict[str, Any], state: str, reason: str | None) -> None:
    ending = ending_of(said, 7)
    assert ending.state == state
    assert (ending.reason and ending.reason.message) == reason
    if reason and state == "killed":
        assert ending.reason is not None
        assert ending.reason.cell == said.get("cell", 7)


def watch(orders: Orders, limits: Limits = UNLIMITED, *events: dict[str, Any]) -> Watch:
    made = Watch(limits, lambda *_: None, orders)
    for event in events:
        made.hear(event)
    return made


CELL = {"event": "cell", "cell": 3, "of": 5}
DONE = {"event": "done", "state": "succeeded"}


def test_an_order_that_was_given_before_the_result_decides() -> None:
    orders = Orders()
    seen = watch(orders, UNLIMITED, CELL)
    orders.stop("cancelled", Reason("asked for"), signal=15)
    stop = seen.order()
    assert stop is not None
    assert seen.order() is None  # passed on once
    seen.hear(DONE)
    assert seen.ending() == Ending("cancelled", Reason("asked for", cell=3), 15)
    orders.close()


def test_an_order_that_comes_after_the_result_changes_nothing() -> None:
    orders = Orders()
    seen = watch(orders, UNLIMITED, CELL, DONE)
    orders.stop("cancelled", Reason("too late"))
    assert seen.order() is None
    assert seen.ending().state == "succeeded"
    orders.close()


def test_who_asks_again_takes_the_grace_away() -> None:
    orders = Orders()
    seen = watch(orders, UNLIMITED, CELL)
    orders.stop("cancelled", Reason("first"))
    first = seen.order()
    orders.stop("cancelled", Reason("again"))
    second = seen.order()
    assert first is not None
    assert second is not None
    assert (first.grace > 0, second.grace, seen.order()) == (True, 0, None)
    orders.close()


def test_times_are_over_for_the_run_before_and_for_cells_once_there_is_one() -> None:
    orders = Orders()
    limits = Limits(cell_timeout=1e-9, silence_timeout=1e-9)
    assert watch(orders, limits).order() is None
    stop = watch(orders, limits, CELL).order()
    assert stop is not None
    assert (stop.state, stop.reason) == ("timed out", Reason("cell 3 was not done after 1e-09 s", 3))
    orders.close()


def test_a_lease_that_is_over_is_noticed_here_too() -> None:
    orders = Orders()
    orders.hold(steady() - 1)
    stop = watch(orders).order()
    assert stop is not None
    assert (stop.state, stop.grace) == ("lost", 0)
    orders.close()


def test_what_it_took_is_told_whatever_became_of_it() -> None:
    orders = Orders()
    ran = {"event": "ran", "cell": 3, "seconds": 0.5}
    gone = {"event": "gone", "peak_memory_mb": 93.5, "all": True}
    seen = watch(orders, UNLIMITED, CELL, ran, {"event": "dead", "status": -9}, gone)
    assert seen.ending().measured == Measured(93.5, ((3, 0.5),))
    assert seen.ending().measured.to_json() == {"peak_memory_mb": 93.5, "cells": [{"cell": 3, "seconds": 0.5}]}
    orders.close()
