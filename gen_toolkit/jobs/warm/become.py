"""After a fork: everything that would tell the new process from one that was started afresh is replaced."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import importlib
import io
import os
import random
import resource
import signal
import sys
import threading
import time
import traceback
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from gen_toolkit.jobs.warm import area
from gen_toolkit.jobs.warm.circumstances import read_at_start
from gen_toolkit.jobs.warm.hidden import hide

_UNNOTICED = ("mlflow",)  # whether a notebook uses it is seen by whether it is loaded: `gt.run` asks
_ABOVE = 200  # where open files wait for their numbers: beyond those, and below the lowest limit there is (256)


@dataclass(frozen=True)
class Start:
    """A process as it is to be: plain JSON, beside its open files."""

    module: str
    """Its `main()` is run."""
    arguments: list[str]
    """As `sys.argv[1:]`."""
    environment: dict[str, str]
    cwd: str
    umask: int | None = None
    limits: dict[str, list[int]] = field(default_factory=dict)


def set_signals() -> None:
    """As Python finds and sets them at its start."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):  # the two that nobody can set, and those libc keeps
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def close_all_but(kept: Iterable[int]) -> None:
    """Nothing is shared with the process it came from: no socket, no lock, no database."""
    spared = {0, 1, 2, *kept}
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in spared:
            with contextlib.suppress(OSError):  # the one the listing itself was read from
                os.close(int(name))


def lifted(file: int) -> int:
    """The same open file under a number that `place_files` gives to no other; the old one is closed."""
    number = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(file)
    return number


def place_files(files: Sequence[int], numbers: Sequence[int]) -> None:
    """Give open files the numbers they are to have (below 200), whatever has those now."""
    waiting = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for file in files]
    for file in set(files) - set(numbers):
        os.close(file)
    for file, number in zip(waiting, numbers, strict=True):
        os.dup2(file, number, inheritable=True)
        os.close(file)


def become(start: Start, born_with: dict[str, str]) -> None:
    """Environment, folder, limits, arguments, paths, standard streams, `__main__` and seeds.

    `born_with` is what `read_at_start` found in the template. Raises OSError where the folder is gone.
    """
    sys.argv = [start.module, *start.arguments]
    sys.orig_argv = [sys.executable, "-m", *sys.argv]
    os.environ.clear()  # the C library must not point to the strings that `show` overwrites
    area.show(sys.orig_argv, start.environment)
    os.environ.update(start.environment)
    time.tzset()
    os.chdir(start.cwd)
    if start.umask is not None:
        os.umask(start.umask)
    for name, (soft, hard) in start.limits.items():
        resource.setrlimit(getattr(resource, name), (soft, hard))
    sys.dont_write_bytecode = bool(start.environment.get("PYTHONDONTWRITEBYTECODE"))
    _set_path(born_with.get("PYTHONPATH", ""), read_at_start(start.environment).get("PYTHONPATH", ""))
    _set_streams()
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.modules["__main__"].__dict__["__builtins__"] = sys.modules["builtins"]
    hide(_UNNOTICED)
    reseed()


def _set_path(before: str, now: str) -> None:
    """`sys.path` begins with the folders of PYTHONPATH; the current folder is added by who wants it.

    What is remembered of a folder's content is looked at again where the folder has changed: importlib does that.
    """
    old, new = (list(filter(None, paths.split(os.pathsep))) for paths in (before, now))
    sys.path[:] = [*new, *(folder for folder in sys.path if folder not in old and folder not in new and folder)]


def _set_streams() -> None:
    """New ones: the template's believe that they can be sought in. What a logger holds of those writes here, too."""
    named, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    encoding = named or sys.stdout.encoding
    errors = errors or ("strict" if named else str(sys.stdout.errors))
    sys.stdin = sys.__stdin__ = _stream(0, encoding, errors)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _stream(1, encoding, errors)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, encoding, "backslashreplace")  # type: ignore[misc]


def _stream(number: int, encoding: str, errors: str) -> io.TextIOWrapper:
    """As Python makes its own (`create_stdio`)."""
    through = number > 0 and bool(os.environ.get("PYTHONUNBUFFERED"))
    binary = open(number, "wb" if number else "rb", buffering=0 if through else -1, closefd=False)  # noqa: SIM115
    lines = not through and (number == 2 or binary.isatty())
    newline = "\n" if number else None
    made = io.TextIOWrapper(binary, encoding, errors, newline, line_buffering=lines, write_through=through)
    vars(made)["mode"] = "w" if number else "r"
    return made


def reseed() -> None:
    """Two forks must not draw the same numbers: Python's generator, numpy's, and those that libraries made."""
    for generator in _generators:
        generator.seed()
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


_generators: list[random.Random] = []


def remember_generators(objects: Iterable[object]) -> None:
    """Of the template, once: a library's own `random.Random()` is seeded anew in every fork, too."""
    _generators[:] = [it for it in objects if type(it) is random.Random]


def run(module: str) -> NoReturn:
    """Run the module's `main()`, then end as a program ends."""
    leave(outcome(module))


def outcome(module: str) -> int:
    """Run the module's `main()`; the exit code it asks for."""
    try:
        importlib.import_module(module).main()
    except SystemExit as leaving:
        return status_of(leaving)
    except BaseException as error:  # noqa: BLE001 - the end of the program
        traceback.print_exc()
        return 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def status_of(leaving: SystemExit) -> int:
    """As Python takes it."""
    if leaving.code is None or isinstance(leaving.code, int):
        return (leaving.code or 0) & 0xFF
    sys.stderr.write(f"{leaving.code}\n")
    return 1


def leave(status: int) -> NoReturn:
    """End this process and nothing of the one it came from: threads are waited for, `atexit` is run (MLflow's queued
    traces go out), streams are flushed; the frames of the template below are not unwound."""
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).fflush(None)
    os._exit(status)
