"""Where the code runs: in a notebook, in a job, or in a script.

Used to choose how progress is shown and whose place a call takes in the journal; never to change
results. IPython is looked up, not imported.
"""

from __future__ import annotations

import sys
from typing import Any, Literal

from gen_toolkit.marks import environment

Surface = Literal["notebook", "job", "script"]

# Set by the supervisor in the environment of everything that belongs to a run.
RUN_MARK = "GEN_TOOLKIT_RUN"


def surface() -> Surface:
    if environment().get(RUN_MARK):
        return "job"
    return "notebook" if shell() is not None else "script"


def shell() -> Any | None:
    """The IPython shell of a Jupyter kernel, or nothing."""
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return None
    found = ipython.get_ipython()
    return found if found is not None and hasattr(found, "kernel") else None


def cell() -> str | None:
    """A name for the cell execution that is under way, or nothing outside a kernel."""
    found = shell()
    return None if found is None else f"cell {found.execution_count}"


def cell_text() -> str | None:
    """The text of the cell that is under way, as it was sent to the kernel; None where that is not known."""
    history = getattr(shell(), "history_manager", None)
    said = [] if history is None else history.input_hist_raw
    return str(said[-1]) if len(said) > 1 else None
