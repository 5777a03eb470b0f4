"""The first moments of a template's child: it reads what is asked of it, and becomes that."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from gen_toolkit.jobs.warm import fork, wire
from gen_toolkit.jobs.warm.become import (
    Start,
    become,
    close_all_but,
    leave,
    lifted,
    outcome,
    place_files,
    set_signals,
)
from gen_toolkit.jobs.warm.caller import GO, PLAIN, SUPERVISOR, Caller
from gen_toolkit.jobs.warm.circumstances import circumstances, difference, differing, read_at_start, shadowed
from gen_toolkit.jobs.warm.fingerprint import Fingerprint, changed
from gen_toolkit.jobs.warm.modules import Loaded, wanted
from gen_toolkit.jobs.warm.practise import OF_SUPERVISOR, practise
from gen_toolkit.workspace import Workspace

STATUS, KEEP, STOP = b"s", b"p", b"q"
_PATIENCE = 10.0


@dataclass(frozen=True)
class Template:
    """What a child knows of the process it comes from."""

    workspace: Workspace
    named: list[str]
    loaded: Loaded
    environment: dict[str, str]
    fingerprint: Fingerprint
    since: float
    orders: int
    """An open file that the template reads."""

    def stale(self) -> str | None:
        """What is no longer as it was when the template was made."""
        path = changed(self.fingerprint)
        if path is not None:
            return f"{path} has changed"
        return None if wanted(self.workspace) == self.named else "the list of modules has changed"


def live(connection: socket.socket, template: Template) -> NoReturn:
    """Serve the one who asked. The template itself reads nothing: no secret gets into it, and nobody can block it."""
    with _of_its_own():
        connection = socket.socket(fileno=lifted(connection.detach()))
        close_all_but([connection.fileno(), template.orders])
        _serve(connection, template)
    raise AssertionError("a child ends in its own life")


class Spare:
    """A child that waits for who asks next for a supervisor: it, and its own children, have begun by then.

    It ends with the template, or when that one lets go of it.
    """

    def __init__(self, template: Template) -> None:
        self._mine, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            _wait(theirs, template)
        theirs.close()

    def live(self, connection: socket.socket) -> None:
        """From now on it is as any child that `live`s. Raises OSError where it was killed."""
        with self._mine:
            wire.send(self._mine, {}, [connection.fileno()])

    def close(self) -> None:
        self._mine.close()


def _wait(line: socket.socket, template: Template) -> NoReturn:
    with _of_its_own():
        close_all_but([line.fileno(), template.orders])
        fork.sow(template.environment, has_time=True)
        practise(OF_SUPERVISOR)
        received = wire.receive(line)
        if received is None:
            os._exit(0)
        line.close()
        _serve(socket.socket(fileno=lifted(received[1][0])), template, sown=True)
    raise AssertionError("a child ends in its own life")


@contextlib.contextmanager
def _of_its_own() -> Iterator[None]:
    """Around the whole life of a child: in its own session, and never back into the frames of the template."""
    try:
        os.setsid()
        set_signals()
        yield
    except (OSError, ValueError):
        pass  # whoever asked is gone, or talks nonsense
    finally:
        os._exit(70)


def _serve(connection: socket.socket, template: Template, *, sown: bool = False) -> None:
    connection.settimeout(_PATIENCE)
    kind = connection.recv(1)
    if kind in (SUPERVISOR, PLAIN):
        if kind == PLAIN:
            fork.descend(template.environment)
        elif not sown:
            fork.sow(template.environment)
        received = wire.receive(connection)
        if received is None:
            return
        message, files = received
        reason = _unfit(message, template)
        if reason is not None:
            wire.send(connection, {"cold": reason})
            return
        wire.send(connection, {"ready": os.getpid()})
        if connection.recv(1) == GO:
            os.close(template.orders)
            place_files(files, message["numbers"])
            _begin(connection, Start(**message["start"]), Caller(message["caller"]), template)
    elif kind == STATUS:
        wire.send(connection, _facts(template))
    elif kind == KEEP:
        received = wire.receive(connection)
        if received is not None:
            os.write(template.orders, f"keep {int(received[0]['pid'])}\n".encode())
            wire.send(connection, {"kept": True})
    elif kind == STOP:
        os.write(template.orders, b"stop\n")
        wire.send(connection, {"stopping": os.getppid()})
    os._exit(0)


def _unfit(message: dict[str, Any], template: Template) -> str | None:
    stale = template.stale()
    if stale is not None:
        os.write(template.orders, b"stale\n")
        return stale
    start = message["start"]
    for name in differing(template.environment, read_at_start(start["environment"])):
        return f"the environment variable {name} differs"
    return difference(circumstances(), message["circumstances"]) or shadowed([start["cwd"]])


def _facts(template: Template) -> dict[str, Any]:
    return {
        "pid": os.getppid(),
        "since": template.since,
        "modules": len(template.loaded.modules),
        "named": template.named,
        "problems": template.loaded.problems,
        "stale": template.stale(),
    }


def _begin(connection: socket.socket, start: Start, caller: Caller, template: Template) -> NoReturn:
    connection.settimeout(None)
    become(start, template.environment)
    # a thread, and so after everything that forks: see `fork.Seed`
    threading.Thread(target=_obey, args=(connection, caller), name="gen_toolkit caller", daemon=True).start()
    status = _told(fork.main_of(start.module), connection)
    if caller is Caller.COMMAND:
        _let_go()
    leave(status)


_over = threading.Event()  # what was asked for is done: nobody has to stop any more


def _told(module: str, connection: socket.socket) -> int:
    """Run it, and tell who waits how it ended: before `atexit`, where MLflow is told. The ledger knows by now."""
    status = outcome(module)
    _over.set()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    with contextlib.suppress(OSError):
        wire.send(connection, {"exit": status})
    return status


def _let_go() -> None:
    """The command has ended: whoever reads its output must not wait for what comes after it."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)


def _obey(connection: socket.socket, caller: Caller) -> None:
    """A byte is the number of a signal; the end of the connection is the end of the caller."""
    said = b"."
    while said:
        try:
            said = connection.recv(1)
        except OSError:
            said = b""
        if _over.is_set():
            return
        if said:
            os.kill(os.getpid(), said[0])
    match caller:
        case Caller.COMMAND:
            os.kill(os.getpid(), signal.SIGHUP)  # as when a terminal closes: the run ends in order
        case Caller.KERNEL:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
            os._exit(1)
        case Caller.SERVER | Caller.LEAVING:
            pass  # a worker finishes what it has begun
