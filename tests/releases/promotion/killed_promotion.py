"""`python killed_promotion.py [lines] STEP`: kills a promotion at every STEP-th point, and says what is left.

A point is a change of a file, or (`lines`) the first time that a line of the package runs, counted from the moment
that the promotion has the pipeline for itself: what comes before writes nothing. Run in a workspace where
`notebooks/second.ipynb` is not promoted yet. Each promotion is a fork of this process, so that it starts at once.
Prints a JSON line for each point, after one of a promotion that nobody killed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from released import promoted

import gen_toolkit
from gen_toolkit.cli.app import main as gen
from gen_toolkit.errors import GenToolkitError
from gen_toolkit.releases import start
from gen_toolkit.releases.moves import moves_of
from gen_toolkit.releases.overview import pipeline_named, releases_of

SECOND = Path("notebooks/second.ipynb")
PACKAGE = str(Path(gen_toolkit.__file__).parent)
CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "shutil.rmtree", "shutil.copyfile"}
LOADED = [start, promoted]  # before the first fork


class Killer:
    """Counts points, and ends this process at one of them."""

    def __init__(self, at: int, lines: bool) -> None:
        self.at, self.lines = at, lines
        self.count, self.begun = 0, False
        self.seen: set[tuple[str, int]] = set()

    def set(self) -> None:
        sys.addaudithook(self.audit)
        if self.lines:
            sys.settrace(self.trace)

    def point(self) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not writes and event not in CHANGES:
            return
        path = str(arguments[0])
        self.begun = self.begun or path.endswith("/locks/label.lock")
        if self.begun and ("pipelines" in path or ".lock" in path):
            self.point()

    def trace(self, frame: Any, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(PACKAGE):
            return None
        if event == "line" and self.begun and (name, frame.f_lineno) not in self.seen:
            self.seen.add((name, frame.f_lineno))
            self.point()
        return self.trace


def in_a_fork(act: Callable[[], object]) -> tuple[int, Any]:
    """How it ended, and what it returned."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            os.write(write, json.dumps(act()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        answer = said.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(answer) if answer else None


def killed(at: int, lines: bool) -> int:
    """Promote, and be killed at a point; else the number of points."""
    killer = Killer(at, lines)
    killer.set()
    promoted(SECOND, "label")
    sys.settrace(None)
    return killer.count


def code_of(*arguments: str) -> int:
    sys.argv = ["gen", *arguments]
    try:
        gen()
    except SystemExit as ended:
        return int(ended.code or 0)


def left() -> dict[str, Any]:
    """What can be seen, then what a second promotion makes of it."""
    pipeline = pipeline_named("label")
    before = {
        "live": pipeline.live,
        "numbers": pipeline.numbers(),
        "problems": [line.problem for line in releases_of("label") if line.problem],
        "commands": [code_of("release", "verify", "label"), code_of("release", "list")],
    }
    try:
        before["runs"] = start.release_job("label", {}).release
    except GenToolkitError as error:
        before["runs"] = str(error)
    made = promoted(SECOND, "label")
    after = {
        "release": made.number,
        "live": pipeline.live,
        "numbers": pipeline.numbers(),
        "file": pipeline.file.read_text(),
        "hidden": [str(path) for path in pipeline.folder.rglob(".*")],
        "commands": [code_of("release", "verify", "label"), code_of("release", "rollback", "label", "--to", "1")],
        "record": [(move.was, move.live) for move in moves_of("label")],
    }
    return {"before": before, "after": after}


def main() -> None:
    lines = "lines" in sys.argv
    for name in ("pipelines", "mlruns"):
        shutil.copytree(name, f"pristine/{name}")
    for at in range(1, play(0, lines) + 1, int(sys.argv[-1])):
        play(at, lines)


def play(at: int, lines: bool) -> int:
    for name in ("pipelines", "mlruns"):
        shutil.rmtree(name)
        shutil.copytree(f"pristine/{name}", name)
    status, points = in_a_fork(lambda: killed(at, lines))
    _, found = in_a_fork(left)
    print(json.dumps({"at": at, "status": status, "points": points, "found": found}), flush=True)
    return points or 0


if __name__ == "__main__":
    main()
