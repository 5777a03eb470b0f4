"""The runner's end of its line to the reaper: what it says, what it is told, the kernel it asked for."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import threading
from collections.abc import Mapping
from typing import Any

from gen_toolkit.jobs.lines import written

_LONGEST_START = 30.0  # seconds until the reaper has started a process: it is a matter of milliseconds


class Link:
    """Speaks from any thread. A thread of its own listens, and ends this process when the reaper is gone."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._speaking = threading.Lock()
        self._held = b""
        self._tasks: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.stopped = threading.Event()
        """The run is to end: no further cell begins."""
        self.late: dict[str, str] = {}
        """What the kernel's environment is to have besides, once `late_has_come`."""
        self.late_has_come = threading.Event()
        self._deciding = threading.Lock()
        self._in_cell = self._interrupted = False
        self.kernel: Kernel | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, **facts: Any) -> None:
        with self._speaking:
            self._socket.sendall(self._held + written(facts))
            self._held = b""

    def say_next(self, **facts: Any) -> None:
        """Together with what is said next, which is soon: each time, two processes wake up to hear it."""
        with self._speaking:
            self._held += written(facts)

    def flush(self) -> None:
        """Nothing is said next."""
        with self._speaking:
            self._socket.sendall(self._held)
            self._held = b""

    def task(self) -> dict[str, Any]:
        """What there is to do; waits for it."""
        return self._tasks.get()

    def start_kernel(self, command: list[str], environment: Mapping[str, str], cwd: str) -> Kernel:
        """As a child of the reaper. Raises OSError where it cannot be started."""
        self.say(ask="kernel", command=command, environment=dict(environment), cwd=cwd)
        answer = self._answers.get(timeout=_LONGEST_START)
        if "refused" in answer:
            raise OSError(answer["refused"])
        assert self.kernel is not None, "made by the listener"
        return self.kernel

    def cell(self, is_under_way: bool) -> None:
        """The kernel has begun a cell, or ended it. One that is under way is interrupted when the run is to end."""
        with self._deciding:
            self._in_cell = is_under_way
            self._interrupt()

    def _interrupt(self) -> None:
        """Once, and only in a cell: a kernel between two cells would just shrug."""
        if self._in_cell and self.stopped.is_set() and not self._interrupted and self.kernel is not None:
            self._interrupted = True
            self.kernel.send_signal(signal.SIGINT)

    def _listen(self) -> None:
        with self._socket.makefile("rb") as lines:
            for line in lines:
                self._hear(json.loads(line))
        os._exit(1)

    def _hear(self, said: dict[str, Any]) -> None:
        if "task" in said:
            self._tasks.put(said["task"])
        elif "late" in said:
            self.late = said["late"]
            self.late_has_come.set()
        elif "stop" in said:
            with self._deciding:
                self.stopped.set()
                self._interrupt()
        elif "ended" in said:
            assert self.kernel is not None, "it has been started"
            self.kernel.out_of_memory = said["out_of_memory"]
            self.kernel.ended(said["ended"])
        else:
            if "kernel" in said:
                self.kernel = Kernel(said["kernel"], self)
            self._answers.put(said)


class Kernel:
    """The kernel's process, as `subprocess.Popen` would show it to jupyter_client."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, link: Link) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.out_of_memory = False
        """Whether the machine killed it for want of memory."""
        self._link = link
        self._end = threading.Event()

    def ended(self, status: int) -> None:
        self.returncode = status
        self._end.set()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        self._end.wait(timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """To its whole group."""
        self._link.say(ask="signal", number=number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
