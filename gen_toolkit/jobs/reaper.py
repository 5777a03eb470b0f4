"""The parent of everything that a run starts: `python -m gen_toolkit.jobs.reaper PLAN`.

Its standard input is a pipe from the supervisor: orders, a line each, and when it ends, everything ends.
Runner and kernel are its children from their first moment; whatever they start becomes its child when its
own parent ends. So nothing of a run can get away from it, by whatever name or session. It imports little
and waits for nobody: it must be there when all others hang.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.children import RUNNER, Child, Surroundings, start, start_program
from gen_toolkit.jobs.group import made_group, put_in
from gen_toolkit.jobs.lines import Lines, written
from gen_toolkit.jobs.memory import Memory
from gen_toolkit.jobs.tree import descendants, end_children
from gen_toolkit.process import adopt_orphans, marked, steady

_PATIENCE = 4.0  # seconds for what was killed to be gone
_MOST_UNSENT = 1 << 20  # bytes; beyond that the runner waits until the supervisor listens again
_KILL_ME_FIRST = b"500"  # where the machine's memory is short: the kernel, not whoever tells how it ended


def main() -> None:
    plan = json.loads(sys.argv[1])
    adopt_orphans()
    reaper = Reaper(**plan)
    reaper.work()
    reaper.end()


class Reaper:
    """Of one run: starts its processes, passes on what they say, and ends them."""

    def __init__(
        self, mark: str, run: str, folder: str, sockets: str, memory_mb: float | None, proven_until: float | None
    ) -> None:
        self._mark, self._run, self._sockets = mark, run, sockets
        self._memory = Memory(memory_mb)
        self._wake = _wake_on_signals()
        self._orders = Lines(0)
        os.set_blocking(1, False)
        self._unsent = bytearray()
        self._kernel: Child | None = None
        self._kill_at: float | None = None
        self._proven_until = proven_until
        self._channel, theirs = socket.socketpair()
        self._talk = Lines(self._channel.fileno())
        # what the kernel writes past its messages goes through the runner, who knows the secrets
        readable, self._raw = os.pipe()
        arguments = [folder, str(theirs.fileno()), str(readable)]
        fds = [theirs.fileno(), readable]
        surroundings = Surroundings(os.environ, Path.cwd(), None, 2, 2, pass_fds=fds, dies_with_parent=True)
        self._runner = start(RUNNER, *arguments, surroundings=surroundings)
        theirs.close()
        os.close(readable)
        self._group = made_group(Path(folder), run)
        self._grouping = threading.Thread(target=self._put_in_group, args=(os.getpid(), self._runner.pid), daemon=True)
        self._grouping.start()  # it takes its time, and only the kernel has to wait for it

    def work(self) -> None:
        """Until the runner has ended, or everything has to."""
        while self._runner.status is None:
            has_room = len(self._unsent) < _MOST_UNSENT
            reads: list[socket.socket | Lines] = [self._wake, self._orders]
            select.select([*reads, self._talk] if has_room else reads, [1] if self._unsent else [], [], self._pause())
            with contextlib.suppress(BlockingIOError):
                self._wake.recv(4096)
            orders = self._orders.read()
            for order in orders or ():
                self._obey(order)
            if has_room:
                self._hear()
            self._bury()
            self._flush()
            if orders is None or self._must_end():
                return

    def _pause(self) -> float:
        """Seconds until something must be looked at, whether anybody speaks or not."""
        moments = [m for m in (self._memory.next, self._kill_at, self._proven_until) if m is not None]
        return max(0.0, min(moments) - steady())

    def _must_end(self) -> bool:
        now = steady()
        if self._proven_until is not None and now > self._proven_until:
            self._say(event="unproven")
            return True
        if now > self._memory.next and self._memory.look(descendants(os.getpid())):
            self._say(event="over memory", mb=round(self._memory.now))
            return True
        return self._kill_at is not None and now > self._kill_at

    def _obey(self, order: dict[str, Any]) -> None:
        match order["order"]:
            case "task":
                self._tell(task=order["task"])
            case "late":
                self._tell(late=order["environment"])
            case "hold":
                self._proven_until = order["until"]
            case "stop":
                self._kill_at = steady() + order["grace"]
                self._tell(stop=True)

    def _hear(self) -> bool:
        """What the runner says: to us, or to the supervisor. Whether it said anything."""
        lines = self._talk.read() or []
        for said in lines:
            match said.get("ask"):
                case "kernel":
                    self._start_kernel(said["command"], said["environment"], Path(said["cwd"]))
                case "signal":
                    self._signal(said["number"])
                case _:
                    self._say(**said)
        return bool(lines)

    def _start_kernel(self, command: list[str], environment: dict[str, str], cwd: Path) -> None:
        surroundings = Surroundings(environment, cwd, None, self._raw, self._raw, dies_with_parent=True)
        try:
            self._kernel = start_program(command, surroundings)
        except OSError as error:
            self._tell(refused=f"{error.strerror}: {error.filename or command[0]}")
            return
        self._grouping.join()  # before it does anything: who it starts must be in the group
        self._put_in_group(self._kernel.pid)
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._kernel.pid}/oom_score_adj").write_bytes(_KILL_ME_FIRST)
        self._tell(kernel=self._kernel.pid)

    def _put_in_group(self, *pids: int) -> None:
        if self._group is not None:
            for pid in pids:
                put_in(self._group, pid)

    def _signal(self, number: int) -> None:
        """To the kernel and what else is in its group, as a terminal would."""
        if self._kernel is not None and self._kernel.status is None:
            with contextlib.suppress(OSError):
                os.killpg(self._kernel.pid, number)

    def _bury(self) -> None:
        """Collect children that have ended; of two of them others want to know."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                if self._kernel is not None and pid == self._kernel.pid:
                    self._kernel.reaped(status)
                    self._tell(ended=self._kernel.status, out_of_memory=self._memory.was_short())
                elif pid == self._runner.pid:
                    self._runner.reaped(status)
                    while self._hear():  # its last words
                        pass
                    self._say(event="left", status=self._runner.status, out_of_memory=self._memory.was_short())

    def _tell(self, **facts: Any) -> None:
        """The runner; it listens all the time, or has ended."""
        with contextlib.suppress(OSError):
            self._channel.sendall(written(facts))

    def _say(self, **facts: Any) -> None:
        self._unsent += written(facts)
        self._flush()

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(1, self._unsent)]
        except BlockingIOError:
            pass
        except OSError:  # the supervisor is gone
            self._unsent.clear()

    def end(self) -> None:
        """Kill everything, and say what cannot be known later."""
        gone = end_children(lambda: marked(self._mark, self._run), _PATIENCE)
        shutil.rmtree(self._sockets, ignore_errors=True)
        self._say(event="gone", peak_memory_mb=self._memory.peak, all=gone)
        until = steady() + 1
        while self._unsent and steady() < until:
            time.sleep(0.005)
            self._flush()


def _wake_on_signals() -> socket.socket:
    """Signals end nobody here: they make this readable. Handlers, since what is ignored stays so in children."""
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    signal.set_wakeup_fd(os.dup(writer.fileno()), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    return reader


if __name__ == "__main__":
    main()
