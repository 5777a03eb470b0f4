"""gen runs list, show, peek: what runs are, were and are about."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, get_args

import typer

from gen_toolkit.cli.runs import group as group
from gen_toolkit.cli.show import attempts_text, json_option, run_text, started
from gen_toolkit.metrics import as_metric

if TYPE_CHECKING:
    from gen_toolkit.database.engine import Database
    from gen_toolkit.jobs.ledger import RunRow


@group.command("list")
def list_(
    name: str | None = typer.Option(None, "--name", help="Of this pipeline only."),
    state: str | None = typer.Option(None, "--state", help="In this state only."),
    since: str | None = typer.Option(None, "--since", metavar="WHEN", help="7d, 2026-11-24 or 2026-11-24T09:30."),
    parent: str | None = typer.Option(None, "--parent", metavar="RUN", help="Parts of this run only."),
    text: str | None = typer.Option(None, "--text", help="That name, parameters or reason contain."),
    limit: int = typer.Option(20, "--limit", min=1, max=1_000_000, help="How many, newest first."),
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
    which = Filter(name, known_state(state), moment(since), parent, text, before)
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


def known_state(state: str | None) -> str | None:
    """A state that a run can be in. Raises InputError."""
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
    numbers = {name: as_metric(value) for name, value in kept.items()}
    return ", ".join(f"{name} {number:.4g}" for name, number in numbers.items() if number is not None)


@group.command("show")
def show(
    run_id: str = typer.Argument(..., metavar="RUN", help="Its id, or the first 8 characters."),
    file: Path | None = typer.Argument(None, metavar="[FILE]", help="With --html: where to write it."),
    follow: bool = typer.Option(False, "--follow", "-f", help="Stay until it ends, and show what it does and prints."),
    html: bool = typer.Option(False, "--html", help="Write one page that holds everything, and print where."),
    as_json: bool = json_option(),
) -> None:
    """One run: how it ended, what it kept, what it cost, its attempts, where its files are."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.errors import InputError

    if follow and html:
        raise InputError("--follow and --html are two things", fix="Give one of them.")
    if file is not None and not html:
        raise InputError(f"there is nothing to write to {file}", fix="Add --html.")
    _put_right()
    database = open_database()
    found = _find(database, run_id)
    if follow:
        _follow(database, found, as_json)
    if html:
        _write_page(database, found, file, as_json)
        return
    _print(database, found, as_json)


def _find(database: Database, run_id: str) -> RunRow:
    from gen_toolkit.jobs.ledger import Ledger
    from gen_toolkit.jobs.reconcile import as_seen

    (found,) = as_seen(database, [Ledger(database).find(run_id)])
    return found


def _print(database: Database, found: RunRow, as_json: bool) -> None:
    from gen_toolkit.jobs.ledger import Ledger

    attempts = Ledger(database).attempts(found.id)
    if as_json:
        told = {**found.to_json(), "history": [attempt.to_json() for attempt in attempts]}
        print(json.dumps(told, ensure_ascii=False))
        return
    print(run_text(found))
    for name, value in found.parameters.items():
        print(f"  -p {name}={json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}")
    if len(attempts) > 1:
        print(attempts_text(attempts))


def _write_page(database: Database, found: RunRow, file: Path | None, as_json: bool) -> None:
    from gen_toolkit.jobs.run_page import write_page

    path = write_page(database, found, file)
    print(json.dumps({"run": found.id, "file": str(path)}) if as_json else path)


def _follow(database: Database, found: RunRow, as_json: bool) -> NoReturn:
    """Exit code 0 where it succeeded, else 1. Ctrl-C ends this, and not the run."""
    from gen_toolkit.cli.follow import print_json, print_lines
    from gen_toolkit.jobs.follow import followed

    events = followed(database, found)
    try:
        last = print_json(events) if as_json else print_lines(events, found.title)
    except KeyboardInterrupt:
        if not as_json:
            print(f"the run goes on; see: gen runs show {found.id[:13]} --follow", file=sys.stderr)
        raise
    if not as_json:
        _print(database, _find(database, found.id), as_json)
    raise typer.Exit(0 if last["run"]["state"] == "succeeded" else 1)


@group.command("peek")
def peek(
    run_id: str = typer.Argument(..., metavar="RUN", help="Its id, or the first 8 characters."),
    as_json: bool = json_option(),
) -> None:
    """Look into a run under way: its cell, what it has spent, its memory, its variables. It is not disturbed."""
    from gen_toolkit.cli.show_peek import peek_text
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.peek import peek as look_into

    _put_right()
    database = open_database()
    found = _find(database, run_id)
    seen = look_into(database, found)
    print(json.dumps(seen.to_json(), ensure_ascii=False) if as_json else peek_text(found, seen))
