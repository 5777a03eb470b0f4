"""Who belongs to a `gen run` that is under way, by the parts they play."""

from __future__ import annotations

from command_lines import command_line, running

from gen_toolkit.jobs.tree import descendants
from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK

PARTS = ("command", "reaper", "runner", "kernel", "child")


def part_of(command_line: str) -> str:
    for part in ("reaper", "runner"):
        if f"gen_toolkit.jobs.{part}" in command_line:
            return part
    return "kernel" if "ipykernel_launcher" in command_line else "child"


def cast(command: int) -> dict[str, list[int]]:
    """The processes below the command of that pid, and itself."""
    found: dict[str, list[int]] = {"command": [command]}
    below = descendants(command)
    known = {pid: command_line(pid) for pid in below}
    if not any(part_of(line) == "reaper" for line in known.values()):
        return found  # what it starts before has nothing to do with the run
    for pid, line in known.items():
        if line:
            found.setdefault(part_of(line), []).append(pid)
    return found


def left_of(run: str) -> list[str]:
    """Command lines of what still bears the run's mark, or names it: also of who has cleared its environment."""
    return [line for line in map(command_line, {*marked(RUN_MARK, run), *running(run)}) if line]
