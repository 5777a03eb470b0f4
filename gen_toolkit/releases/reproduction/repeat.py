"""Whether a frozen notebook, executed offline once more, shows and keeps what it did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen_toolkit.ipynb import tags
from gen_toolkit.jobs.ending import Ending
from gen_toolkit.jobs.job import silent
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.releases.reproduction.compare import Brought, Difference, first_difference
from gen_toolkit.releases.reproduction.outputs import code_of
from gen_toolkit.releases.reproduction.replay import Replay, Replayed, replay
from gen_toolkit.releases.reproduction.sanitize import Rules
from gen_toolkit.text import one_line


@dataclass(frozen=True)
class Repeated:
    """What came of it."""

    difference: Difference | None
    """None: identical."""
    cells: int
    kept: int
    calls: int
    """How many of each were compared; of calls, how many answers were there."""
    signal: int | None = None
    """That ended it before anything was compared."""

    def to_json(self) -> dict[str, Any]:
        difference = None if self.difference is None else self.difference.to_json()
        counted = {"cells": self.cells, "kept": self.kept, "calls": self.calls}
        return {"identical": self.difference is None, **counted, "difference": difference}

    def __str__(self) -> str:
        if self.difference is not None:
            return str(self.difference)
        counts = ((self.cells, "cell"), (self.kept, "kept value"), (self.calls, "call"))
        return "identical: " + ", ".join(f"{n} {word}" if n == 1 else f"{n} {word}s" for n, word in counts)


def repeat(
    what: Replay, was: Brought, rules: Rules, *, files: Path | None = None, progress: Progress = silent
) -> Repeated:
    """Execute it and compare. Raises what `replay` raises."""
    done = replay(what, files, progress)
    ending = done.ending
    answers = sum(1 for line in what.cassette.read_bytes().split(b"\n") if line.strip())
    difference = _ended(done) if ending.state not in {"succeeded", "failed"} else None
    if difference is None:
        difference = first_difference(was, done.brought, rules.also(done.workspace))
    if difference is None and ending.state == "failed" and not _has_error(was):
        difference = _ended(done)
    return Repeated(difference, len(code_of(was.notebook)), len(was.kept), answers, ending.signal)


def _has_error(brought: Brought) -> bool:
    cells = (cell for _, cell in code_of(brought.notebook))
    return any(output.get("output_type") == "error" for cell in cells for output in cell.get("outputs", []))


def _ended(done: Replayed) -> Difference:
    """Where it did not get to its end, and nothing that a cell showed says so."""
    return Difference(_where(done), f"it is {done.ending.state}", "", one_line(_said(done.ending), 300))


def _said(ending: Ending) -> str:
    return ending.reason.message if ending.reason else ""


def _where(done: Replayed) -> str:
    """The cell, numbered as in the release: without the one that sets the parameters."""
    number = done.ending.reason.cell if done.ending.reason else None
    if number is None:
        return "the execution"
    before = done.brought.notebook["cells"][: number - 1]
    return f"cell {number - sum('injected-parameters' in tags(cell) for cell in before)}"
