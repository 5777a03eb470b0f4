"""How an execution ended, by what the cells show: papermill calls cells completed whose kernel was killed."""

from __future__ import annotations

from typing import Any

SKIPPED = "skip-execution"
_LONGEST = 2000


def is_work(cell: Any) -> bool:
    """Whether a cell is to be executed."""
    return cell.cell_type == "code" and bool(cell.source.strip()) and SKIPPED not in cell.metadata.get("tags", [])


def judge(notebook: Any, ran: set[int]) -> dict[str, Any]:
    """`state`, and where it is no success cell (from 1), error, message and excerpt. `ran`: indexes of done cells."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or "raises-exception" in cell.metadata.get("tags", []):
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                return {
                    "state": "failed",
                    "cell": index + 1,
                    "error": output.ename[:200],
                    "message": output.evalue[:_LONGEST],
                    "excerpt": "\n".join(output.traceback[-4:])[-4 * _LONGEST :],
                }
    wanted = {index for index, cell in enumerate(notebook.cells) if is_work(cell)}
    if wanted - ran:
        message = f"only {len(wanted & ran)} of {len(wanted)} code cells ran; the notebook stopped half way"
        return {"state": "failed", "cell": max(ran, default=0) + 1, "error": "Stopped", "message": message}
    return {"state": "succeeded"}


def running_cell(notebook: Any) -> int | None:
    """Number of the cell that is under way."""
    for index, cell in enumerate(notebook.cells):
        if cell.metadata.get("papermill", {}).get("status") == "running":
            return index + 1
    return None
