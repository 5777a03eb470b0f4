"""Look into a run under way: which cell, since when, what it has spent, what memory it takes, which variables it has.

Nothing is asked of the run but the variables, of its kernel, over its control channel (see jobs/variables.py), by a
client of our own and for a few seconds only. The kernel's key stays in its connection file, which is its user's.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from gen_toolkit.database.engine import Database
from gen_toolkit.errors import InputError
from gen_toolkit.jobs.ledger import Ledger, RunRow
from gen_toolkit.jobs.outcome import family_of
from gen_toolkit.jobs.steps import cell_under_way, read_steps
from gen_toolkit.jobs.tree import exact_memory_mb
from gen_toolkit.jobs.variables import REPLY, REQUEST
from gen_toolkit.journal.totals import totals
from gen_toolkit.process import is_here, marked, place_of, this_process
from gen_toolkit.surface import RUN_MARK

_PATIENCE = 5.0  # seconds for the kernel to answer


@dataclass(frozen=True)
class Peeked:
    """What a run is about at this moment."""

    run: str
    attempt: int
    """Its number."""
    seconds: float
    """Since the attempt began."""
    cell: int | None
    """Number of the cell under way, counted from 1 over all cells; None: it is between two, or nobody knows."""
    of: int | None
    line: str
    """The first of the cell's code."""
    cell_seconds: float | None
    progress: str
    """The newest line of a progress that the cell shows."""
    calls: int
    cost_usd: str | None
    """None: unknown."""
    memory_mb: float | None
    """Of all its processes together, its reaper too, which the outcome's peak leaves out; None: unknown."""
    variables: tuple[dict[str, str], ...] | None = None
    """`name`, `type`, `value` of each; None: see `problem`."""
    problem: str = field(default="")
    """Why the variables are not known."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def peek(database: Database, run: RunRow) -> Peeked:
    """Raises InputError where the run is not under way."""
    if run.state != "running":
        what = "waits to be started" if run.is_open else f"has ended: {run.state}"
        raise InputError(f"run {run.id[:13]} {what}", fix=f"See it with: gen runs show {run.id[:13]}")
    attempt = Ledger(database).attempts(run.id)[-1]
    steps = read_steps(attempt.folder)
    cells = [step for step in steps if step["event"] == "cell"]
    number = cell_under_way(steps)
    now = cells[-1] if number is not None else {}
    shown = [step["line"] for step in steps if step["event"] == "progress" and now and step["at"] >= now["at"]]
    took = totals(database, *family_of(database, attempt.id))
    pids = marked(RUN_MARK, attempt.id) if is_here(attempt.process) else []
    told: dict[str, Any]
    if pids or attempt.process == this_process():
        told = _variables(steps)
    else:
        told = {"problem": f"it is executed on {place_of(attempt.process)}: look there"}
    return Peeked(
        run=run.id,
        attempt=attempt.number,
        seconds=round(attempt.seconds, 1),
        cell=number,
        of=cells[-1]["of"] if cells else None,
        line=now.get("line", ""),
        cell_seconds=round(max(0.0, time.time() - now["at"]), 1) if now else None,
        progress=shown[-1] if shown else "",
        calls=took.calls,
        cost_usd=None if took.cost is None else str(took.cost),
        memory_mb=round(exact_memory_mb(pids), 1) if pids else None,
        **told,
    )


def _variables(steps: list[dict[str, Any]]) -> dict[str, Any]:
    kernels = [step for step in steps if step["event"] == "kernel"]
    if not kernels:
        return {"problem": "its kernel has not started yet"}
    if kernels[-1]["implementation"] != "ipython":
        return {"problem": f"its kernel is {kernels[-1]['implementation']}, which cannot be asked"}
    try:
        return {"variables": tuple(_ask(Path(kernels[-1]["connection"])))}
    except FileNotFoundError:
        return {"problem": "its kernel has ended"}
    except (OSError, ValueError) as error:
        return {"problem": f"its kernel cannot be reached: {type(error).__name__}"}
    except Empty:
        waited = f"its kernel has not answered for {_PATIENCE:g} s"
        return {"problem": f"{waited}: it is in code that lets nothing else run, or is stopped"}


def _ask(connection: Path) -> list[dict[str, str]]:
    """Raises queue.Empty where no answer comes in time."""
    from jupyter_client.blocking import BlockingKernelClient

    client = BlockingKernelClient()
    client.load_connection_info(json.loads(connection.read_text(encoding="utf-8")))
    client.start_channels(shell=False, iopub=False, stdin=False, hb=False, control=True)
    try:
        request = client.session.msg(REQUEST, {})
        client.control_channel.send(request)
        until = time.monotonic() + _PATIENCE
        while True:
            reply = client.control_channel.get_msg(timeout=max(0.0, until - time.monotonic()))
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"] and reply["msg_type"] == REPLY:
                return list(reply["content"]["variables"])
    finally:
        client.stop_channels()
