"""Watches over one execution: starts the reaper, follows what it says, ends it in time, and tells how it went.

Runner and kernel are children of the reaper, which ends everything when this process does. Every process of
the run also carries the run's id in its environment, and is found by it when it is the reaper that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gen_toolkit.errors import SetupError
from gen_toolkit.ipynb import sweep
from gen_toolkit.jobs.children import REAPER, Child, Surroundings, start
from gen_toolkit.jobs.ending import Ending as Ending
from gen_toolkit.jobs.group import end_group
from gen_toolkit.jobs.ledger import Reason
from gen_toolkit.jobs.limits import UNLIMITED, Limits
from gen_toolkit.jobs.lines import Lines, written
from gen_toolkit.jobs.orders import Orders
from gen_toolkit.jobs.stops import asking
from gen_toolkit.jobs.watch import Progress as Progress
from gen_toolkit.jobs.watch import Watch
from gen_toolkit.process import end_marked, steady
from gen_toolkit.surface import RUN_MARK

WORK_MARK = "GEN_TOOLKIT_WORK"
"""Names, in a run's environment, the folder for its temporary files."""
_WORK = "work"


def supervise(
    run: str,
    folder: Path,
    *,
    environment: dict[str, str],
    late_environment: Callable[[], dict[str, str]],
    cwd: Path,
    progress: Progress,
    limits: Limits = UNLIMITED,
    orders: Orders | None = None,
    mark: str = RUN_MARK,
    secrets: Sequence[str] = (),
) -> Ending:
    """Execute `folder/prepared.ipynb`; the executed notebook is `folder/notebook.ipynb`.

    `late_environment` is asked once the reaper has started, in a thread, while runner and kernel start up: what it
    returns reaches the kernel before a cell that waits for it, see `jobs/late.py`. The values of `secrets`
    (references) are masked in what the runner writes.
    `folder/work` is the run's own: see `drop_work`. Raises SetupError where the folder cannot be written to.
    """
    orders = orders or Orders()
    watch = Watch(limits, progress, orders)
    work = folder / _WORK
    with contextlib.closing(orders), _signals(orders), _sockets() as sockets, _log(folder, work) as log:
        plan = {
            "mark": mark,
            "run": run,
            "folder": str(folder),
            "sockets": sockets,
            "memory_mb": limits.memory_mb,
            "proven_until": orders.proven_until,  # from the first moment: this process may be stopped at any
        }
        try:
            with _Reaper(plan, {**environment, mark: run, WORK_MARK: str(work)}, cwd, log) as reaper:
                task = {
                    "cwd": str(cwd),
                    "secrets": list(secrets),
                    "connection_file": f"{sockets}/kernel.json",
                    "output_mb": limits.output_mb,
                }
                reaper.order(order="task", task=task)
                threading.Thread(target=_tell_late, args=(reaper, late_environment), daemon=True).start()
                _follow(reaper, watch, orders)
            watch.hear({"event": "reaper left", "status": reaper.status})
        finally:
            end_marked(mark, run)
            end_group(folder, run)
            sweep(folder)
    return watch.ending()


def drop_work(folder: Path) -> None:
    """Delete what an execution in `folder` left in its working folder. For a success, once that is on record."""
    shutil.rmtree(folder / _WORK, ignore_errors=True)


def _tell_late(reaper: _Reaper, late_environment: Callable[[], dict[str, str]]) -> None:
    found: dict[str, str] = {}
    try:
        found = late_environment()
    finally:  # whatever kept it from coming: there is a cell that waits
        reaper.order(order="late", environment=found)


def _follow(reaper: _Reaper, watch: Watch, orders: Orders) -> None:
    """Hear what the reaper passes on, and give it orders, until it has gone."""
    held = None
    with selectors.DefaultSelector() as selector:
        selector.register(reaper.says, selectors.EVENT_READ)
        selector.register(orders, selectors.EVENT_READ)
        while True:
            if orders.proven_until != held:
                held = orders.proven_until
                reaper.order(order="hold", until=held)
            stop = watch.order()
            if stop is not None:
                reaper.order(order="stop", grace=stop.grace)
            selector.select(max(0.0, watch.next_look() - steady()))
            orders.heard()
            lines = reaper.says.read()
            if lines is None or (watch.patience_until is not None and steady() > watch.patience_until):
                return
            for said in lines:
                watch.hear(said)


class _Reaper:
    """The reaper's process: when the block is left, it is gone, and with it everything of the run."""

    def __init__(self, plan: dict[str, Any], environment: dict[str, str], cwd: Path, log: int) -> None:
        their_orders, self._orders = os.pipe()
        says, their_says = os.pipe()
        self.says = Lines(says)
        self.status: int | None = None
        """Its exit status; None also of one that did not go by itself."""
        self._ordering = threading.Lock()
        self._is_closed = False
        surroundings = Surroundings(environment, cwd, their_orders, their_says, log)
        try:
            self._child: Child = start(REAPER, json.dumps(plan), surroundings=surroundings)
        except OSError as error:
            self._close()
            raise SetupError(f"no process can be started for the run: {error.strerror}") from None
        finally:
            os.close(their_orders)
            os.close(their_says)

    def order(self, **order: Any) -> None:
        """From any thread; nothing happens once the block is left."""
        with self._ordering, contextlib.suppress(BrokenPipeError):
            if self._is_closed:
                return
            view = memoryview(written(order))
            while view:
                view = view[os.write(self._orders, view) :]

    def __enter__(self) -> _Reaper:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()  # which is the order to end everything
        self.status = self._child.wait(5)
        if self.status is None:
            self._child.send_signal(signal.SIGKILL)
            self._child.wait(5)

    def _close(self) -> None:
        with self._ordering:
            self._is_closed = True
            os.close(self._orders)
        os.close(self.says.fileno())


def _sockets() -> tempfile.TemporaryDirectory[str]:
    """A folder for the kernel's sockets, with a short name: a socket's path may have 107 characters."""
    return tempfile.TemporaryDirectory(prefix="gt-", ignore_cleanup_errors=True)


@contextlib.contextmanager
def _log(folder: Path, work: Path) -> Iterator[int]:
    """The run's log.txt, open, and its working folder made."""
    try:
        work.mkdir(mode=0o700, exist_ok=True)
        log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise SetupError(
            f"the run's folder {folder} cannot be written to: {error.strerror}",
            fix="Check free space and permissions.",
        ) from None
    try:
        yield log
    finally:
        os.close(log)


@contextlib.contextmanager
def _signals(orders: Orders) -> Iterator[None]:
    """A signal that asks to stop ends the run, and only then this process; asked twice, without grace."""
    if threading.current_thread() is not threading.main_thread():
        yield  # whoever started the thread gives the orders
        return
    stopped = False

    def stop(number: int, _: object) -> None:
        nonlocal stopped
        stopped = True
        orders.stop("cancelled", Reason(f"stopped by {signal.Signals(number).name}"), signal=number)

    before = {number: signal.signal(number, stop) for number in asking()}
    try:
        yield
    finally:
        if stopped:  # they stay ignored until the end is on record: see `ended_in_order`
            _ignore_stops()
        else:
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore_stops() -> None:
    for number in asking():
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def ended_in_order() -> Iterator[Callable[[], None]]:
    """Around a run and the record of its end: from the call of what this gives on, signals to stop are ignored."""
    before = {number: signal.getsignal(number) for number in asking()}
    try:
        yield _ignore_stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
