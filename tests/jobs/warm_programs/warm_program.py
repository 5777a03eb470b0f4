"""What the tests of the template run in its forks, and afresh: it tells about itself what it is asked for."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.children import Surroundings, start
from gen_toolkit.surface import RUN_MARK


def main() -> None:
    {"facts": facts, "wait": wait, "leave": leave, "die": die, "parent": parent, "state": state}[sys.argv[1]]()


def facts() -> None:
    """Everything that a process started afresh could be told by."""
    print(json.dumps(_facts()))


def _facts() -> dict[str, Any]:
    return {
        "environment": {k: v for k, v in os.environ.items() if k != "_"},
        "shown": "WARM_CANARY=one-that-is-nobody-else's" in _shown(),
        "arguments": sys.argv[1:],
        "cwd": os.getcwd(),
        "umask": _umask(),
        "signals": {n.name: str(signal.getsignal(n)) for n in signal.valid_signals() if n < 32},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "leads_its_session": os.getsid(0) == os.getpid(),
        "threads": [t.name for t in threading.enumerate() if t.name != "gen_toolkit caller"],
        "streams": [(s.encoding, s.errors, s.mode, s.line_buffering) for s in (sys.stdin, sys.stdout, sys.stderr)],
        "input": sys.stdin.read(),
        "zone": time.tzname,
        "mlflow_is_loaded": "mlflow" in sys.modules,
    }


def _shown() -> list[str]:
    return Path("/proc/self/environ").read_bytes().decode(errors="replace").split("\0")


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def state() -> None:
    """What only a fork is asked: what it has in common with others."""
    import numpy

    from gen_toolkit import loop
    from gen_toolkit.database import engine
    from gen_toolkit.models import gateway
    from gen_toolkit.models.limits import open as limits
    from gen_toolkit.tracking import store, writer

    held = [loop._loop, *engine._open, *writer._writers, *gateway._providers, *gateway._doors, *limits._limiters]
    told = {
        "random": random.random(),
        "numpy": float(numpy.random.random()),
        "held": [str(it) for it in held if it is not None],
        "ready": len(engine._handed_down),
        "clients": store.client.cache_info().currsize,
        "files": _files(),
        "main": [name for name in vars(sys.modules["__main__"]) if not name.startswith("__")],
    }
    import mlflow
    import mlflow.tracking

    told["mlflow"] = [mlflow.__name__, mlflow is sys.modules["mlflow"], mlflow.__spec__.name, bool(mlflow.__path__)]
    print(json.dumps(told))


def _files() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found += [os.readlink(f"/proc/self/fd/{name}")] if int(name) > 2 else []
    return found


def wait() -> None:
    """Until a signal comes; says which."""

    def told(number: int, _: object) -> None:
        os.write(1, f"{signal.Signals(number).name}\n".encode())  # a print may be what it interrupts
        raise SystemExit(40 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, told)
    try:
        os.write(1, b"waiting\n")
        time.sleep(60)
    except KeyboardInterrupt:
        os.write(1, b"SIGINT\n")
        raise SystemExit(130) from None


def leave() -> None:
    """Something is done after the exit code is known."""
    done = Path(sys.argv[2])
    atexit.register(done.write_text, "atexit")
    threading.Thread(target=lambda: (time.sleep(0.2), done.with_suffix(".thread").write_text("joined"))).start()
    sys.exit(7)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def parent() -> None:
    """Starts a child as a supervisor does, and passes its last line on."""
    reader, writer = os.pipe()
    environment = {**os.environ, RUN_MARK: sys.argv[2]}
    surroundings = Surroundings(environment, Path.cwd(), None, writer, 2, pass_fds=[reader])
    if sys.argv[3] == "in vain":
        surroundings = Surroundings({**environment, "OMP_NUM_THREADS": "7"}, Path.cwd(), None, writer, 2)
    child = start("warm_program", "facts", surroundings=surroundings)
    os.close(writer)
    with os.fdopen(reader) as lines:
        told = json.loads(lines.read())
    print(json.dumps({"status": child.wait(30), "pid": child.pid, **told}))


if __name__ == "__main__":
    main()
