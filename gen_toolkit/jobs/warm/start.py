"""Start a module as a child, by the template where one is up: for a process that is no fork itself, as `gen serve`."""

from __future__ import annotations

import os
from pathlib import Path

from gen_toolkit.jobs.children import Child, Surroundings, start
from gen_toolkit.jobs.warm.caller import Caller
from gen_toolkit.jobs.warm.client import Cold, ask, begin
from gen_toolkit.jobs.warm.handle import Handle


class WarmChild(Child):
    """As any child, but that the template is its parent: it is not ours to wait for, and goes on without us."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle.pid)
        self._handle = handle

    def poll(self) -> int | None:
        self.status = self._handle.poll()
        return self.status

    def wait(self, timeout: float | None = None) -> int | None:
        self.status = self._handle.wait(timeout)
        return self.status

    def send_signal(self, number: int) -> None:
        self._handle.send_signal(number)


def start_warm(
    records: Path, module: str, *arguments: str, surroundings: Surroundings, caller: Caller = Caller.SERVER
) -> Child:
    """As `children.start`. A child that dies with its parent cannot be the template's."""
    if surroundings.dies_with_parent:
        return start(module, *arguments, surroundings=surroundings)
    null = os.open(os.devnull, os.O_RDWR)
    given = (surroundings.stdin, surroundings.stdout, surroundings.stderr)
    try:
        connection, pid = ask(
            records,
            caller,
            module,
            arguments,
            environment=surroundings.environment,
            cwd=str(surroundings.cwd),
            files=[null if file is None else file for file in given],
            more=surroundings.pass_fds,
        )
        begin(connection)
    except (Cold, OSError):
        return start(module, *arguments, surroundings=surroundings)
    finally:
        os.close(null)
    return WarmChild(Handle(connection, pid))
