"""gen run, gen resume, gen cancel; the noun `gen runs`, whose commands are in runs_look.py and runs_prune.py."""

from __future__ import annotations

import json
import time
from pathlib import Path

import typer

from gen_toolkit.cli.fan_out import resume_parts, run_parts
from gen_toolkit.cli.reproduce import export
from gen_toolkit.cli.rollback import tell_override
from gen_toolkit.cli.show import (
    cell_timeout_option,
    follow,
    given,
    json_option,
    memory_option,
    output_option,
    parameters_option,
    show_run,
    silence_timeout_option,
    timeout_option,
)
from gen_toolkit.errors import InputError

group = typer.Typer(help="Look at runs.", no_args_is_help=True, rich_markup_mode=None)
group.command("export")(export)


def run(
    name: str = typer.Argument(..., metavar="NAME", help="The pipeline."),
    parameters: list[str] = parameters_option(),
    release: int | None = typer.Option(None, "--release", metavar="N", help="Another release than the live one."),
    timeout: float | None = timeout_option(),
    cell_timeout: float | None = cell_timeout_option(),
    silence_timeout: float | None = silence_timeout_option(),
    memory_mb: float | None = memory_option(),
    output_mb: float | None = output_option(),
    grid: list[str] = typer.Option([], "--grid", metavar="NAME=A,B,C", help="A run for each; repeated: for each pair."),
    partitions: Path | None = typer.Option(
        None, "--partitions", metavar="FILE", help="A run for each row: .csv, .jsonl."
    ),
    jobs: int = typer.Option(2, "--jobs", min=1, max=256, help="Parts of --grid or --partitions at once."),
    as_json: bool = json_option(),
) -> None:
    """Execute the live release of a pipeline with parameters."""
    from gen_toolkit.jobs.reconcile import reconcile
    from gen_toolkit.releases.start import run_release

    reconcile()
    if release is None:
        tell_override(name)
    if grid or partitions is not None:
        if any(limit is not None for limit in (timeout, cell_timeout, silence_timeout, memory_mb, output_mb)):
            raise InputError("limits are for one run", fix="Set them in pipeline.toml: they hold for each part.")
        run_parts(name, parameters, grid, partitions, release=release, jobs=jobs, as_json=as_json)
    with follow(name, quiet=as_json) as progress:
        finished = run_release(
            name,
            given(parameters),
            number=release,
            progress=progress,
            timeout=timeout,
            cell_timeout=cell_timeout,
            silence_timeout=silence_timeout,
            memory_mb=memory_mb,
            output_mb=output_mb,
        )
    show_run(finished, as_json)


def resume(
    run_id: str = typer.Argument(..., metavar="RUN", help="Its id, or the first 8 characters."),
    timeout: float | None = timeout_option(),
    cell_timeout: float | None = cell_timeout_option(),
    silence_timeout: float | None = silence_timeout_option(),
    memory_mb: float | None = memory_option(),
    output_mb: float | None = output_option(),
    jobs: int = typer.Option(2, "--jobs", min=1, max=256, help="Of a run with parts, how many at once."),
    as_json: bool = json_option(),
) -> None:
    """Try a run that did not succeed once more; what it has paid for is not paid again."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Ledger
    from gen_toolkit.jobs.reconcile import reconcile
    from gen_toolkit.jobs.rows import FAN_OUT
    from gen_toolkit.releases.again import resume_run

    reconcile()
    run = Ledger(open_database()).find(run_id)
    if run.kind == FAN_OUT:
        resume_parts(run, jobs=jobs, as_json=as_json)
    with follow(f"resume {run_id[:13]}", quiet=as_json) as progress:
        finished = resume_run(
            run_id,
            progress=progress,
            timeout=timeout,
            cell_timeout=cell_timeout,
            silence_timeout=silence_timeout,
            memory_mb=memory_mb,
            output_mb=output_mb,
        )
    show_run(finished, as_json)


_ENDING = 40.0  # seconds: a heartbeat hears of it, a cell clears up, the end is recorded


def cancel(
    run_id: str = typer.Argument(..., metavar="RUN", help="Its id, or the first 8 characters."),
    wait: bool = typer.Option(True, "--wait/--no-wait", help="Wait until it has ended, 40 s at most."),
    as_json: bool = json_option(),
) -> None:
    """Stop a run that is under way, or take one that waits out of the queue; its parts, too."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Ledger
    from gen_toolkit.jobs.reconcile import reconcile

    reconcile()
    ledger = Ledger(open_database())
    found = ledger.find(run_id)
    was_open = found.is_open
    ledger.cancel(found.id)
    until = time.monotonic() + _ENDING
    while (found := ledger.find(found.id)).is_open and wait and time.monotonic() < until:
        time.sleep(0.5)
        reconcile()
    reconcile()  # tells MLflow the end of what waited
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
        return
    if not was_open:
        print(f"run {found.id[:13]} had ended already: {found.state}")
    elif found.is_open:
        print(f"run {found.id[:13]} is asked to stop; see: gen runs show {found.id[:13]}")
    else:
        print(f"run {found.id[:13]} is {found.state}")
