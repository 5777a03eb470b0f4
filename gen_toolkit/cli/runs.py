"""gen run; gen runs list, gen runs show."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gen_toolkit.cli.fan_out import run_parts
from gen_toolkit.cli.show import (
    cell_timeout_option,
    follow,
    given,
    json_option,
    memory_option,
    output_option,
    parameters_option,
    run_text,
    show_run,
    silence_timeout_option,
    timeout_option,
)
from gen_toolkit.errors import InputError

if TYPE_CHECKING:
    from gen_toolkit.jobs.ledger import RunRow

group = typer.Typer(help="Look at runs.", no_args_is_help=True, rich_markup_mode=None)


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


@group.command("list")
def list_(
    name: str | None = typer.Option(None, "--name", help="Of this pipeline only."),
    state: str | None = typer.Option(None, "--state", help="In this state only."),
    limit: int = typer.Option(20, "--limit", min=1, help="How many, newest first."),
    as_json: bool = json_option(),
) -> None:
    """The newest runs and how they ended."""
    from gen_toolkit import display
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Filter, Ledger, short
    from gen_toolkit.jobs.reconcile import reconcile

    reconcile()
    found = Ledger(open_database()).list(Filter(name=name, state=state), limit=limit)
    if as_json:
        print(json.dumps([row.to_json() for row in found], ensure_ascii=False))
        return
    if not found:
        print("no runs yet; start one with: gen run NAME")
        return
    ids = [row.id for row in found]
    rows = [
        [
            short(row.id, ids),
            row.title,
            row.state,
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.started_at or row.created_at)),
            display.seconds(row.seconds),
            display.money(row.outcome.get("cost_usd")) if row.outcome else "",
            _outcome(row),
        ]
        for row in found
    ]
    print(display.text_table(["run", "name", "state", "started", "took", "cost", "outcome"], rows, width=50))


def _outcome(row: RunRow) -> str:
    """Why it did not succeed, else the numbers it kept."""
    if row.reason is not None:
        return f"{row.reason.error}: {row.reason.message}" if row.reason.error else row.reason.message
    kept = row.outcome.get("kept", {})
    return ", ".join(f"{name} {value:.4g}" for name, value in kept.items() if isinstance(value, float | int))


@group.command("show")
def show(
    run_id: str = typer.Argument(..., metavar="RUN", help="Its id, or the first 8 characters."),
    as_json: bool = json_option(),
) -> None:
    """One run: how it ended, what it kept, what it cost, where its files are."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Ledger
    from gen_toolkit.jobs.reconcile import reconcile

    reconcile()
    found = Ledger(open_database()).find(run_id)
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
        return
    print(run_text(found))
    for name, value in found.parameters.items():
        print(f"  -p {name}={json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}")
