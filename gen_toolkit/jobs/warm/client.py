"""Asks the template of a workspace for a process. Light: this is all that `gen run` loads when one is up."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gen_toolkit.jobs.warm import wire
from gen_toolkit.jobs.warm.address import connect
from gen_toolkit.jobs.warm.caller import GO, Caller
from gen_toolkit.jobs.warm.circumstances import circumstances, umask
from gen_toolkit.workspace import find_workspace

COLD_VARIABLE = "GEN_TOOLKIT_START"
"""`cold`: never ask a template."""
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Cold(Exception):
    """Why a process has to be started the ordinary way: one line."""


def ask(
    records: Path,
    caller: Caller,
    module: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: str,
    files: Sequence[int],
    more: Sequence[int] = (),
    umask: int | None = None,
) -> tuple[socket.socket, int]:
    """(connection, pid) of a fork that is about to run `module`: `begin` lets it. Raises Cold.

    `files` become its standard input, output and error; `more` it has under the numbers they have here.
    """
    if os.environ.get(COLD_VARIABLE) == "cold":
        raise Cold(f"{COLD_VARIABLE}=cold says so")
    connection = connect(records)
    if connection is None:
        raise Cold("no template is up")
    try:
        connection.sendall(caller.greeting)  # first of all: the template waits for nobody
        mine = circumstances()
        start = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "cwd": cwd,
            "umask": umask,
            "limits": mine["limits"],
        }
        message = {"start": start, "circumstances": mine, "numbers": [0, 1, 2, *more], "caller": caller}
        wire.send(connection, message, [*files, *more])
        answer = wire.receive(connection)
    except (OSError, ValueError) as error:
        connection.close()
        raise Cold(f"the template does not answer ({error})") from None
    said = answer[0] if answer else {"cold": "the template could not fork"}
    if "ready" not in said:
        connection.close()
        raise Cold(str(said.get("cold", "it ended while it was asked")))
    return connection, int(said["ready"])


def begin(connection: socket.socket) -> None:
    """Until this is said nothing has happened: whoever gave up waiting may start cold, and nothing runs twice."""
    connection.sendall(GO)
    connection.settimeout(None)


class Handed(NamedTuple):
    """What this process was to do is done by a fork of the template; signals to this one reach it."""

    pid: int
    connection: socket.socket

    def ended(self) -> tuple[int, str]:
        """(exit code, what there is to say about it), when it has: its own word, else its template's, else nothing."""
        try:
            answer = wire.receive(self.connection)
        except OSError:
            answer = None
        said = answer[0] if answer else {}
        if "exit" in said:
            return int(said["exit"]), ""
        status = int(said.get("ended", -signal.SIGKILL))
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        return 128 - min(status, 0), f"the process that supervised it ended with {name} and told no result"


def hand_over(module: str, arguments: Sequence[str]) -> Handed:
    """Have `module` run by a fork of the template, with this process's files, folder and environment. Raises Cold
    where that is impossible; nothing has happened then."""
    try:
        records, cwd = find_workspace().records, os.getcwd()
    except OSError as error:
        raise Cold(f"the current folder is gone ({error.strerror})") from None
    connection, pid = ask(
        records,
        Caller.COMMAND,
        module,
        arguments,
        environment=os.environ,
        cwd=cwd,
        files=_files(),
        umask=umask(),
    )
    _forward_signals(connection)
    try:
        begin(connection)
    except OSError as error:
        raise Cold(f"the template's child is gone ({error.strerror})") from None
    return Handed(pid, connection)


def _files() -> list[int]:
    """Standard input, output and error; /dev/null for what is closed."""
    files = []
    for number in (0, 1, 2):
        try:
            os.fstat(number)
            files.append(number)
        except OSError:
            files.append(os.open(os.devnull, os.O_RDWR))
    return files


def _forward_signals(connection: socket.socket) -> None:
    def forward(number: int, _: object) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(bytes([number]))

    for number in _FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
