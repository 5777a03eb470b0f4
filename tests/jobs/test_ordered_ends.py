"""A run that is told to end, or whose lease is not proven any more: it ends, as what, and with whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from notebook_cells import environment_of_nobody
from supervised import Supervised, supervised

from gen_toolkit.jobs.ledger import Reason
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.process import marked, steady
from gen_toolkit.surface import RUN_MARK

pytestmark = pytest.mark.kernel

SAY = "print('in', file=sys.stderr, flush=True)"
SLEEP = f"import sys, time\ntry:\n    {SAY}\n    time.sleep(300)\nfinally:\n    print('cleared up')"
DEAF = (
    f"import sys, time\nwhile True:\n    try:\n        {SAY}\n        time.sleep(300)\n"
    "    except KeyboardInterrupt:\n        pass"
)
HOLDER = """
import sys
from pathlib import Path
from supervised import supervised
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.process import steady

orders = Orders()
orders.hold(steady() + float(sys.argv[2]))
ended = supervised(Path(sys.argv[1]), "import time; time.sleep(300)", orders=orders)
print(ended.ending.state, "|", ended.ending.reason.message)
"""


def own(name: str) -> str:
    """A run of this process: two suites on one machine do not take each other's processes for theirs."""
    return f"{name}-{os.getpid()}"


def in_a_cell(folder: Path, cell: str, then: Callable[[Orders], None]) -> Supervised:
    """Execute the cell; `then` is called in another thread once it says that it is in."""
    orders = Orders()
    told: list[str] = []

    def progress(_cell: int, _of: int, line: str) -> None:
        if line == "in" and not told:
            told.append(line)
            threading.Thread(target=then, args=[orders]).start()

    return supervised(folder, cell, "print('never')", orders=orders, progress=progress)


def test_an_order_from_another_thread_interrupts_the_cell_and_says_what_became_of_the_run(tmp_path: Path) -> None:
    ended = in_a_cell(
        tmp_path / own("stopped"), SLEEP, lambda orders: orders.stop("cancelled", Reason("cancelled by a test"))
    )
    assert (ended.ending.state, ended.ending.signal) == ("cancelled", None)
    assert ended.ending.reason == Reason("cancelled by a test", cell=1)
    assert ended.shown(1) == "in\ncleared up\n"
    assert marked(RUN_MARK, own("stopped")) == []


def test_whoever_asks_twice_does_not_wait_for_a_cell_that_will_not_end(tmp_path: Path) -> None:
    began = time.monotonic()

    def twice(orders: Orders) -> None:
        nonlocal began
        began = time.monotonic()
        orders.stop("cancelled", Reason("first"), grace=300)
        time.sleep(0.5)
        orders.stop("timed out", Reason("second"))

    ended = in_a_cell(tmp_path / own("twice"), DEAF, twice)
    assert ended.ending.state == "cancelled"
    assert ended.ending.reason == Reason("first", cell=1)
    assert time.monotonic() - began < 60  # and not 300
    assert marked(RUN_MARK, own("twice")) == []


def test_a_run_that_is_lost_gets_no_grace(tmp_path: Path) -> None:
    ended = in_a_cell(tmp_path / own("lost"), SLEEP, lambda orders: orders.stop("lost", Reason("somebody else has it")))
    assert ended.ending.state == "lost"
    assert "cleared up" not in ended.log


def test_a_run_whose_lease_is_not_proven_any_more_ends_as_lost(tmp_path: Path) -> None:
    ended = in_a_cell(tmp_path / own("unproven"), SLEEP, lambda orders: orders.hold(steady() + 0.5))
    assert ended.ending.state == "lost"
    assert ended.ending.reason is not None
    assert "could not be proven" in ended.ending.reason.message
    assert marked(RUN_MARK, own("unproven")) == []


def test_a_lease_that_is_renewed_disturbs_nobody(tmp_path: Path) -> None:
    orders = Orders()
    orders.hold(steady() + 60)
    ended = supervised(
        tmp_path / own("proven"),
        "import time\ntime.sleep(0.5)",
        orders=orders,
        progress=lambda *_: orders.hold(steady() + 60),
    )
    assert ended.ending.state == "succeeded"


@pytest.mark.long
def test_while_its_supervisor_is_stopped_a_run_ends_with_its_lease(tmp_path: Path) -> None:
    """Whoever wakes up without a lease must find nothing of the run at work."""
    here = str(Path(__file__).parents[1])
    environment = {**environment_of_nobody(), "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / own("held")), "12"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        try:
            assert patiently(lambda: marked(RUN_MARK, own("held")))
            holder.send_signal(signal.SIGSTOP)
            assert patiently(lambda: not marked(RUN_MARK, own("held")))
            holder.send_signal(signal.SIGCONT)
            said, _ = holder.communicate(timeout=60)
        finally:
            holder.kill()  # a stopped process ends by nothing else
    assert said.startswith("lost | its lease could not be proven in time")


def patiently(true: Callable[[], object], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
