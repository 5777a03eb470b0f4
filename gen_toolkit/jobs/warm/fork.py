"""Children of a process that came from a template are forks of it: reaper, runner and kernel of a run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

from gen_toolkit.jobs.children import REAPER, RUNNER, Fork, Surroundings, fork_with, start_program
from gen_toolkit.jobs.warm import wire
from gen_toolkit.jobs.warm.become import Start, become, close_all_but, lifted, place_files, run, set_signals
from gen_toolkit.jobs.warm.circumstances import differing, limits, read_at_start, shadowed, umask
from gen_toolkit.jobs.warm.kernel import MODULE, look_at_modules
from gen_toolkit.jobs.warm.practise import OF_KERNEL, OF_RUNNER, practise
from gen_toolkit.process import die_with_parent

# A program that does its work while it is imported, and who does the same when it is called.
_MAIN_OF = {MODULE: "gen_toolkit.jobs.warm.kernel"}


@dataclass
class _Ancestry:
    """What the template was born with, for all that descend from it."""

    environment: dict[str, str]


_WORKS_WITH = {RUNNER: OF_RUNNER, MODULE: OF_KERNEL}
_BROKEN = 70  # EX_SOFTWARE, sysexits.h
_template: list[_Ancestry] = []


def descend(environment: dict[str, str]) -> None:
    """Called in every fork of a template: from now on its own children are forks, too."""
    _template[:] = [_Ancestry(environment)]
    fork_with(fork)


def fork(module: str, arguments: Sequence[str], surroundings: Surroundings) -> int:
    """The pid of a fork of this process that runs the module's `main()`; of a new one where only that is right."""
    reason = "this process has threads" if threading.active_count() > 1 else unfit(surroundings)
    if reason is not None:
        return _started_cold(module, arguments, surroundings, reason)
    with _files(surroundings) as (files, numbers), _undisturbed():
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _live(_start(module, arguments, surroundings), files, numbers, surroundings, parent)
    return pid


def _started_cold(module: str, arguments: Sequence[str], surroundings: Surroundings, reason: str) -> int:
    if surroundings.stderr is not None:
        with contextlib.suppress(OSError):
            os.write(surroundings.stderr, f"[cold start of {module}: {reason}]\n".encode())
    # -u changes nothing (PYTHONUNBUFFERED is set for all of a run), and has `start_program` not fork
    safe = [] if module in _MAIN_OF else ["-P"]
    return start_program([sys.executable, "-u", *safe, "-m", module, *arguments], surroundings).pid


def unfit(surroundings: Surroundings) -> str | None:
    """Why a process in these surroundings cannot be a fork of this one."""
    mine, its = _template[0].environment, read_at_start(surroundings.environment)
    for name in differing(mine, its):
        if name != "PYTHONPATH":  # a release's own modules come first: that can be made up for
            return f"the environment variable {name} differs"
    known = set(mine.get("PYTHONPATH", "").split(os.pathsep))
    new = [folder for folder in its.get("PYTHONPATH", "").split(os.pathsep) if folder not in known]
    return shadowed([*new, str(surroundings.cwd)])


def main_of(module: str) -> str:
    """Where the `main()` is that does what `python -m module` does."""
    return _MAIN_OF.get(module, module)


def _start(module: str, arguments: Sequence[str], surroundings: Surroundings) -> Start:
    environment = dict(surroundings.environment)
    return Start(main_of(module), list(arguments), environment, str(surroundings.cwd))


def _live(
    start: Start, files: Sequence[int], numbers: Sequence[int], surroundings: Surroundings, parent: int
) -> NoReturn:
    """The life of the child; nothing of it comes back into the frames of its parent."""
    with _nothing_escapes():
        os.setsid()
        if surroundings.dies_with_parent:
            die_with_parent()
            if os.getppid() != parent:
                os._exit(1)
        set_signals()
        place_files(files, numbers)
        close_all_but(numbers)
        become(start, _template[0].environment)
        run(start.module)
    raise AssertionError("a fork ends in `run`")


@contextlib.contextmanager
def _files(surroundings: Surroundings) -> Iterator[tuple[list[int], list[int]]]:
    """(open files, the numbers they are to have)."""
    null = os.open(os.devnull, os.O_RDWR)
    given = (surroundings.stdin, surroundings.stdout, surroundings.stderr)
    try:
        yield (
            [*(null if file is None else file for file in given), *surroundings.pass_fds],
            [0, 1, 2, *surroundings.pass_fds],
        )
    finally:
        os.close(null)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """No signal is handled by the child with the handlers of its parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _nothing_escapes() -> Iterator[None]:
    """Around the whole life of a fork: the frames above belong to another process."""
    try:
        yield
    except BaseException:  # noqa: BLE001 - as above
        traceback.print_exc()
    os._exit(_BROKEN)


class Seed:
    """A fork made early, before its parent opened databases, read secrets or made threads: it becomes the child that
    is to run `module`, when its parent starts that one, and ends with its parent where that never comes.

    A fork of a template of some hundred MB takes 20 ms, and what it writes to for the first time as long again: a
    seed has that behind it while its parent is still busy with something else.
    """

    def __init__(self, module: str, children: Sequence[str] = (), *, has_time: bool = False) -> None:
        """`children`: the modules for which the seed sows seeds of its own. `has_time`: nobody waits for it yet."""
        mine, theirs = socket.socketpair()
        self._mine = socket.socket(fileno=lifted(mine.detach()))
        self._parent = os.getpid()
        with _undisturbed():
            self.pid = os.fork()
            if self.pid == 0:
                self._wait(theirs, module, children, has_time)
        theirs.close()

    def _wait(self, connection: socket.socket, module: str, children: Sequence[str], has_time: bool) -> NoReturn:
        with _nothing_escapes():
            os.setsid()
            set_signals()
            close_all_but([connection.fileno()])
            seeds = {child: Seed(child, has_time=has_time) for child in children}
            if module == MODULE:
                look_at_modules()
            if has_time:
                practise(_WORKS_WITH.get(module, ()))
            try:
                received = wire.receive(connection)
            except OSError:
                received = None
            if received is None:
                os._exit(0)
            message, files = received
            numbers, dies = message.pop("numbers"), message.pop("dies_with_parent")
            connection.close()
            if dies:
                self._die_with_parent()
            place_files(files, numbers)
            close_all_but([*numbers, *(seed.fileno() for seed in seeds.values())])
            if seeds:
                fork_with(_Sown(seeds, fork).fork)
            start = Start(**message)
            become(start, _template[0].environment)
            run(start.module)
        raise AssertionError("a fork ends in `run`")

    def _die_with_parent(self) -> None:
        die_with_parent()
        if os.getppid() != self._parent:
            os._exit(1)

    def fileno(self) -> int:
        return self._mine.fileno()

    def become(self, module: str, arguments: Sequence[str], surroundings: Surroundings) -> int:
        """Its pid. Raises OSError where it was killed."""
        with _files(surroundings) as (files, numbers), self._mine:
            start = asdict(_start(module, arguments, surroundings))
            dies = surroundings.dies_with_parent
            own = {"umask": umask(), "limits": limits()}  # as a child has them of its parent, who got them since
            wire.send(self._mine, {**start, **own, "numbers": numbers, "dies_with_parent": dies}, files)
        return self.pid


class _Sown:
    """Children that wait, and what is done for all others."""

    def __init__(self, seeds: dict[str, Seed], otherwise: Fork) -> None:
        self._seeds, self._otherwise = seeds, otherwise

    def fork(self, module: str, arguments: Sequence[str], surroundings: Surroundings) -> int:
        seed = self._seeds.get(module)
        if seed is not None and unfit(surroundings) is None:
            del self._seeds[module]
            with contextlib.suppress(OSError):
                return seed.become(module, arguments, surroundings)
        return self._otherwise(module, arguments, surroundings)


def sow(environment: dict[str, str], *, has_time: bool = False) -> None:
    """For the supervisor of a run: its reaper, and the reaper's runner and kernel, are seeds from now on."""
    descend(environment)  # children of the seeds are forks of them
    reaper = Seed(REAPER, [RUNNER, MODULE], has_time=has_time)
    fork_with(_Sown({REAPER: reaper}, _too_late).fork)


def _too_late(module: str, arguments: Sequence[str], surroundings: Surroundings) -> int:
    """This process has opened too much by now to be forked."""
    reason = unfit(surroundings) or "the fork that was ready is used up, or was killed"
    return _started_cold(module, arguments, surroundings, reason)
