"""Serving processes for tests: the real loop with a worker that needs no kernel; killed, stopped, looked at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_CODE = """
import json, sys
from gen_toolkit.schedules.serve import Serving, serve
serve(Serving(jobs=int(sys.argv[1]), grace=float(sys.argv[2]), worker="serve_worker", warm=False),
      lambda event: print(json.dumps(event), flush=True))
"""


@dataclass
class Server:
    """One serving process."""

    process: subprocess.Popen[str]
    log: Path

    def said(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def wait_for(self, event: str, seconds: float = 60) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((one for one in self.said() if one["event"] == event), None)

        return eventually(found, seconds, lambda: f"no {event!r} in:\n{self.log.read_text()}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Site:
    """A workspace that is served."""

    root: Path
    takes: float = 0.05
    servers: list[Server] = field(default_factory=list)

    @property
    def seen(self) -> Path:
        folder = self.root / "seen"
        folder.mkdir(exist_ok=True)
        return folder

    def serve(self, jobs: int = 2, grace: float = 60) -> Server:
        log = self.root / f"serve-{len(self.servers)}.log"
        paths = [str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "SEEN": str(self.seen), "TAKES": str(self.takes)}
        with open(log, "w") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", _CODE, str(jobs), str(grace)],
                cwd=self.root,
                env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.servers.append(Server(process, log))
        return self.servers[-1]

    def notes(self) -> list[list[str]]:
        log = self.seen / "seen.log"
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []

    def count(self, what: str) -> Counter[str]:
        """Of each run, how often its execution said so."""
        return Counter(note[1] for note in self.notes() if note[0] == what)

    def leave(self) -> None:
        """End every server and wait until no worker is left."""
        (self.seen / "hold").unlink(missing_ok=True)
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        from gen_toolkit.locks import lock

        for place in (self.root / "mlruns/serve").glob("slot-*.lock"):
            descriptor = eventually(lambda place=place: lock(place), 60, lambda: "a worker does not end")
            os.close(descriptor)


def eventually(look: Callable[[], Any], seconds: float, says: Callable[[], str]) -> Any:
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        assert time.monotonic() < until, says()
        time.sleep(0.05)
