"""How a look into a run under way is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit import display
from gen_toolkit.text import one_line

if TYPE_CHECKING:
    from gen_toolkit.jobs.peek import Peeked
    from gen_toolkit.jobs.rows import RunRow


def peek_text(run: RunRow, seen: Peeked) -> str:
    """Where it is, what it took so far, and its variables."""
    attempt = f", attempt {seen.attempt}" if seen.attempt > 1 else ""
    lines = [f"{run.title}  running for {display.seconds(seen.seconds)}  (run {run.id[:13]}{attempt})"]
    if seen.cell is not None:
        lines.append(
            f"  cell {seen.cell}/{seen.of} for {display.seconds(seen.cell_seconds)}: {one_line(seen.line, 80)}"
        )
    else:
        lines.append("  between two cells" if seen.of else "  before its first cell")
    if seen.progress:
        lines.append(f"  progress    {one_line(seen.progress, 90)}")
    lines.append(f"  spent       {seen.calls} calls, {display.money(seen.cost_usd)}")
    if seen.memory_mb is not None:
        lines.append(f"  memory      {seen.memory_mb:.0f} MB")
    if seen.variables is None:
        return "\n".join([*lines, f"  variables   not known: {seen.problem}"])
    if not seen.variables:
        return "\n".join([*lines, "  variables   none yet"])
    rows = [[each["name"], each["type"], each["value"]] for each in seen.variables]
    return "\n".join([*lines, "", display.text_table(["variable", "type", "value"], rows, width=80)])
