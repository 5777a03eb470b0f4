"""Processes that execute queued runs, one each: started while places are free, listened to, stopped.

A worker gets its run from the ledger itself, and holds it under its own lease: it finishes also when whoever
started it is gone. It holds its place by a lock that it was given, so that the next server counts it too.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.children import Child, Surroundings
from gen_toolkit.jobs.slots import take_slot
from gen_toolkit.jobs.warm.start import start_warm
from gen_toolkit.workspace import Workspace

Orders = Callable[[], Mapping[str, Any] | None]


@dataclass
class _Worker:
    child: Child
    orders: int | None
    """Pipe to its standard input; closed once it has been let go, or is to go away."""
    said: int | None
    """Pipe from its standard output; closed when it has said its last word."""
    rest: bytes = b""
    run: str | None = None
    over: bool = False
    """It has said how its run ended."""


class Workers:
    """At most `limit` at once, of all who share `folder`, which is made.

    `module` is run with `-m`: it says `{"event": "ready"}`, waits for a line with its orders (the end of the
    pipe: it goes away), and then says what it does, a line of JSON each. Where a template is up, it is a fork of that.
    """

    def __init__(self, module: str, folder: Path, limit: int, workspace: Workspace) -> None:
        self._module = module
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._limit = limit
        self._workspace = workspace
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def without_run(self) -> int:
        """Those that have not said yet that they have a run."""
        return sum(worker.run is None for worker in self._workers)

    @property
    def waiting(self) -> int:
        """Those that have not been let go yet."""
        return sum(worker.orders is not None for worker in self._workers)

    @property
    def log(self) -> Path:
        """Where what they print goes, and why they broke."""
        return self._folder / "workers.log"

    @property
    def runs(self) -> Sequence[str]:
        """What they execute."""
        return [worker.run for worker in self._workers if worker.run and not worker.over]

    def start(self) -> bool:
        """One more. False: no place is free."""
        slot = take_slot(self._folder, self._limit)
        if slot is None:
            return False
        its_orders, orders = os.pipe()
        said, its_said = os.pipe()
        errors = os.open(self.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            surroundings = Surroundings(
                dict(os.environ),
                self._workspace.root,
                stdin=its_orders,
                stdout=its_said,
                stderr=errors,  # not ours: it outlives us
                pass_fds=(slot,),
            )
            child = start_warm(self._workspace.records, self._module, str(slot), surroundings=surroundings)
        except BaseException:
            os.close(orders)
            os.close(said)
            raise
        finally:
            for descriptor in (slot, its_orders, its_said, errors):
                os.close(descriptor)
        os.set_blocking(said, False)
        worker = _Worker(child, orders, said)
        self._workers.append(worker)
        self._selector.register(said, selectors.EVENT_READ, worker)
        return True

    def watch(self, descriptor: int) -> None:
        """Have `listen` return when something can be read there, too."""
        self._selector.register(descriptor, selectors.EVENT_READ, None)

    def listen(self, seconds: float, orders: Orders) -> list[dict[str, Any]]:
        """What they say within so many seconds. Each that is ready gets `orders()`; None: it is sent away."""
        found: list[dict[str, Any]] = []
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.data is not None:
                found += self._read(key.data, orders)
        return found + self._gone()

    def stop(self) -> None:
        """Ask all to end what they do: their runs are cancelled."""
        for worker in self._workers:
            worker.child.send_signal(signal.SIGTERM)

    def _read(self, worker: _Worker, orders: Orders) -> list[dict[str, Any]]:
        assert worker.said is not None, "is listened to"
        try:
            chunk = os.read(worker.said, 65536)
        except BlockingIOError:
            return []
        *lines, worker.rest = (worker.rest + chunk).split(b"\n")
        messages = [_message(line) for line in lines]
        for message in messages:
            match message.get("event"):
                case "ready":
                    self._let_go(worker, orders)
                case "claimed":
                    worker.run = message["run"]
                case _:
                    worker.over = worker.over or (worker.run is not None and message.get("run") == worker.run)
        if not chunk:
            self._close(worker)
        return [message for message in messages if message.get("event") != "ready"]

    def _gone(self) -> list[dict[str, Any]]:
        """Those that have said their last word, as they end."""
        ended = [worker for worker in self._workers if worker.said is None and worker.child.wait(0.2) is not None]
        self._workers = [worker for worker in self._workers if worker not in ended]
        return [{"event": "gone", "run": worker.run, "status": worker.child.status} for worker in ended]

    def _let_go(self, worker: _Worker, orders: Orders) -> None:
        if worker.orders is None:
            return
        given = orders()
        with contextlib.suppress(BrokenPipeError):
            if given is not None:
                os.write(worker.orders, json.dumps(given).encode() + b"\n")
        os.close(worker.orders)
        worker.orders = None

    def _close(self, worker: _Worker) -> None:
        assert worker.said is not None, "was heard just now"
        self._selector.unregister(worker.said)
        os.close(worker.said)
        worker.said = None
        if worker.orders is not None:
            os.close(worker.orders)
            worker.orders = None


def _message(line: bytes) -> dict[str, Any]:
    """A line that is no message is somebody's print: shown, not obeyed."""
    with contextlib.suppress(ValueError):
        message = json.loads(line)
        if isinstance(message, dict) and isinstance(message.get("event"), str):
            return message
    return {"event": "printed", "line": line.decode("utf-8", "replace")}
