"""gen run, gen resume, gen cancel; gen runs list, gen runs show."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

from gen_toolkit.cli.fan_out import resume_parts, run_parts
from gen_toolkit.cli.reproduce import export
from gen_toolkit.cli.rollback import tell_override
from gen_toolkit.cli.show import (
    attempts_text,
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
    started,
    timeout_option,
)
from gen_toolkit.errors import InputError

if TYPE_CHECKING:
    from gen_toolkit.jobs.ledger import RunRow

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
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
        return
    if not was_open:
        print(f"run {found.id[:13]} had ended already: {found.state}")
    elif found.is_open:
        print(f"run {found.id[:13]} is asked to stop; see: gen runs show {found.id[:13]}")
    else:
        print(f"run {found.id[:13]} is {found.state}")


@group.command("list")
def list_(
    name: str | None = typer.Option(None, "--name", help="Of this pipeline only."),
    state: str | None = typer.Option(None, "--state", help="In this state only."),
    since: str | None = typer.Option(None, "--since", metavar="WHEN", help="7d, 2026-11-24 or 2026-11-24T09:30."),
    parent: str | None = typer.Option(None, "--parent", metavar="RUN", help="Parts of this run only."),
    text: str | None = typer.Option(None, "--text", help="That name, parameters or reason contain."),
    limit: int = typer.Option(20, "--limit", min=1, help="How many, newest first."),
    before: str | None = typer.Option(None, "--before", metavar="RUN", help="Older than this one: the next page."),
    as_json: bool = json_option(),
) -> None:
    """The newest runs and how they ended."""
    from gen_toolkit import display
    from gen_toolkit.cli.since import moment
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Filter, Ledger, short
    from gen_toolkit.jobs.reconcile import as_seen

    _put_right()
    database = open_database()
    ledger = Ledger(database)
    parent, before = (ledger.find(run).id if run else None for run in (parent, before))
    which = Filter(name, _known_state(state), moment(since), parent, text, before)
    page = as_seen(database, ledger.list(which, limit=limit + 1))
    found = page[:limit]
    if as_json:
        print(json.dumps([row.to_json() for row in found], ensure_ascii=False))
        return
    if not found:
        asked = any(value is not None for value in vars(which).values())
        print("no such runs" if asked else "no runs yet; start one with: gen run NAME")
        return
    ids = [row.id for row in found]
    rows = [
        [
            short(row.id, ids),
            row.title,
            row.state,
            started(row.started_at or row.created_at),
            display.seconds(row.seconds),
            display.money(row.outcome.get("cost_usd")) if row.outcome else "",
            _outcome(row),
        ]
        for row in found
    ]
    print(display.text_table(["run", "name", "state", "started", "took", "cost", "outcome"], rows, width=50))
    if len(page) > limit:
        print(f"older ones: --before {found[-1].id}")


def _put_right() -> None:
    """What can only be read can still be shown."""
    from gen_toolkit.errors import DatabaseError
    from gen_toolkit.jobs.reconcile import reconcile

    with contextlib.suppress(DatabaseError):
        reconcile()


def _known_state(state: str | None) -> str | None:
    from gen_toolkit.errors import InputError, nearest
    from gen_toolkit.jobs.ledger import State

    states = get_args(State)
    if state is not None and state not in states:
        raise InputError(f"{state!r} is no state", fix=nearest(state, states) or f"There are: {', '.join(states)}.")
    return state


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
    """One run: how it ended, what it kept, what it cost, its attempts, where its files are."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Ledger
    from gen_toolkit.jobs.reconcile import as_seen

    _put_right()
    database = open_database()
    ledger = Ledger(database)
    (found,) = as_seen(database, [ledger.find(run_id)])
    attempts = ledger.attempts(found.id)
    if as_json:
        told = {**found.to_json(), "history": [attempt.to_json() for attempt in attempts]}
        print(json.dumps(told, ensure_ascii=False))
        return
    print(run_text(found))
    for name, value in found.parameters.items():
        print(f"  -p {name}={json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}")
    if len(attempts) > 1:
        print(attempts_text(attempts))
