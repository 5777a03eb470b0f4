"""The template: a process that has imported everything, holds nothing open, and forks when it is asked to.

It has no thread, no event loop and no connection but the socket it listens on; of what a caller says it
looks at the first byte (its child reads it all), so nobody can block it and no secret gets into it. What it
was made of is looked at with every request: when that has changed it makes itself anew, and callers start
cold meanwhile.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from gen_toolkit.jobs.warm import address, area, born, modules, wire
from gen_toolkit.jobs.warm.become import remember_generators
from gen_toolkit.jobs.warm.caller import SUPERVISOR
from gen_toolkit.jobs.warm.circumstances import read_at_start
from gen_toolkit.jobs.warm.fingerprint import fingerprint
from gen_toolkit.jobs.warm.prepare import prepare
from gen_toolkit.locks import lock
from gen_toolkit.workspace import find_workspace

_QUIET = 0.5  # seconds in which nothing began and nothing ended, after which a spare child is made
_FIRST_BYTE = 50  # milliseconds; callers send it at once, where the machine lets them


@dataclass(frozen=True)
class Plan:
    """What a template is started with, as JSON."""

    root: str
    idle: float
    """Seconds without a request after which it ends, unless a keeper lives."""
    keepers: list[int] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    """Modules that turned out not to survive a fork."""


def main() -> None:
    plan = Plan(**json.loads(sys.argv[1]))
    workspace = find_workspace(Path(plan.root))
    held = lock(workspace.prepare() / address.LOCK)
    if held is None:
        return  # one template a workspace
    if not area.is_writable():
        sys.exit("no warm starts here: the system does not show a process where its environment lies")
    environment = read_at_start(os.environ)
    named = modules.wanted(workspace)
    try:
        loaded = modules.load(named, workspace, plan.without)
    except modules.Unforkable as error:
        _begin_anew(Plan(plan.root, plan.idle, plan.keepers, [*plan.without, str(error)]))
    prepare(workspace)
    if modules.contexts():
        sys.exit("no warm starts here: one of the modules opens zmq sockets when it is imported")
    made_of = fingerprint(loaded.modules)
    gc.collect()
    remember_generators(gc.get_objects())
    gc.freeze()  # what is never collected is never written to: forks share its memory
    orders, told = os.pipe()
    template = born.Template(workspace, named, loaded, environment, made_of, time.time(), told)
    _Server(plan, template, orders, address.listen(workspace.records), held).serve()


def _begin_anew(plan: Plan) -> NoReturn:
    """The same process, with everything imported again. Locks and sockets close as it begins."""
    sys.stdout.flush()
    command = [*sys.orig_argv[:-1], json.dumps(vars(plan))]
    os.execve(sys.executable, command, _BORN_WITH)  # noqa: S606 - no shell; the program is this one


_BORN_WITH = dict(os.environ)  # before any module that is imported writes into it


@dataclass
class _Server:
    plan: Plan
    template: born.Template
    orders: int
    listener: socket.socket
    lock: int
    _spare: born.Spare | None = None
    _has_failed: bool = False
    """The last spare ended before it was asked for anything: the next one is made once somebody has asked."""
    _children: dict[int, socket.socket] = field(default_factory=dict)
    _keepers: dict[int, int] = field(default_factory=dict)
    _asked: float = 0.0
    _busy: float = 0.0
    """When a child last began or ended."""
    _leaving: bool = False

    def serve(self) -> NoReturn:
        """Until it is idle, stale, or told to stop."""
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._leave)
        self._asked = time.monotonic()
        for pid in self.plan.keepers:
            self._keep(pid)
        with selectors.DefaultSelector() as selector:
            for file in (self.listener, woken, self.orders):
                selector.register(file, selectors.EVENT_READ)
            while not self._leaving:
                ready = {key.fileobj for key, _ in selector.select(self._pause())}
                if woken in ready:
                    woken.recv(4096)
                self._bury()
                if self.listener in ready:
                    self._accept()
                if self.orders in ready:
                    self._obey(os.read(self.orders, 4096).decode().splitlines())
                if not ready and self._is_idle():
                    break
                self._keep_spare()
        (self.template.workspace.records / address.SOCKET).unlink(missing_ok=True)
        os._exit(0)  # nothing was opened that wants a farewell

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return  # gone again
        if address.peer(connection)[1] != os.geteuid():
            connection.close()
            return
        self._asked = self._busy = time.monotonic()
        self._has_failed = False
        try:
            pid = self._by_spare(connection) or os.fork()
        except OSError:  # no memory, too many processes: whoever asked starts cold and says so
            connection.close()
            return
        if pid == 0:
            born.live(connection, self.template)
        self._children[pid] = connection

    def _by_spare(self, connection: socket.socket) -> int | None:
        """The pid of the spare, where it is one that is asked for and there is one."""
        if self._spare is None or not _asks_for_supervisor(connection):
            return None
        spare, self._spare = self._spare, None
        try:
            spare.live(connection)
        except OSError:  # it was killed
            return None
        return spare.pid

    def _keep_spare(self) -> None:
        """Made when nothing else is to be done: it takes the time that it saves."""
        if self._wants_spare and time.monotonic() - self._busy >= _QUIET:
            with contextlib.suppress(OSError):
                self._spare = born.Spare(self.template)

    @property
    def _wants_spare(self) -> bool:
        return self._spare is None and not self._has_failed

    def _pause(self) -> float:
        """Seconds until something must be looked at."""
        return min(self.plan.idle, _QUIET if self._wants_spare else 60.0)

    def _bury(self) -> None:
        """Tell whoever waits how a child ended, in case it could not say so itself."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._busy = time.monotonic()
                if self._spare is not None and ended[0] == self._spare.pid:
                    self._spare.close()
                    self._spare, self._has_failed = None, True
                connection = self._children.pop(ended[0], None)
                if connection is not None:
                    connection.setblocking(False)
                    with contextlib.suppress(OSError):
                        wire.send(connection, {"ended": os.waitstatus_to_exitcode(ended[1])})
                    connection.close()

    def _obey(self, orders: list[str]) -> None:
        for order in orders:
            match order.split():
                case ["keep", pid]:
                    self._keep(int(pid))
                case ["stop"]:
                    self._leaving = True
                case ["stale"]:
                    alive = [pid for pid in list(self._keepers) if self._lives(pid)]
                    _begin_anew(Plan(self.plan.root, self.plan.idle, alive))

    def _keep(self, pid: int) -> None:
        with contextlib.suppress(OSError):
            if pid not in self._keepers:
                self._keepers[pid] = os.pidfd_open(pid)

    def _lives(self, pid: int) -> bool:
        with selectors.PollSelector() as selector:
            selector.register(self._keepers[pid], selectors.EVENT_READ)  # readable when it has ended
            if not selector.select(0):
                return True
        os.close(self._keepers.pop(pid))
        return False

    def _is_idle(self) -> bool:
        alive = [pid for pid in list(self._keepers) if self._lives(pid)]
        if alive or self._children:
            self._asked = time.monotonic()
        return time.monotonic() - self._asked >= self.plan.idle

    def _leave(self, *_: Any) -> None:
        self._leaving = True


def _asks_for_supervisor(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    try:
        return bool(poll.poll(_FIRST_BYTE)) and connection.recv(1, socket.MSG_PEEK) == SUPERVISOR
    except OSError:
        return False


if __name__ == "__main__":
    main()
