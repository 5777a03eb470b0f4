"""gen calls: the journal's calls: list, show, cost, prune, export, import."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gen_toolkit.cli.show import json_option
from gen_toolkit.errors import InputError, nearest

if TYPE_CHECKING:
    from gen_toolkit.journal.report import CallRow

group = typer.Typer(help="Look at calls, and at what they cost.", no_args_is_help=True, rich_markup_mode=None)

_SINCE = typer.Option(None, "--since", metavar="WHEN", help="Since 7d, 12h, or a date like 2026-11-24.")
_RUN = typer.Option(None, "--run", metavar="RUN", help="Of this run only: its id, or how it begins.")


@group.command("list")
def list_(
    run: str | None = _RUN,
    prompt: str | None = typer.Option(None, "--prompt", help="Of this prompt only: label-review, or label-review@4."),
    alias: str | None = typer.Option(None, "--alias", help="Of this model alias only."),
    state: str | None = typer.Option(None, "--state", help="In this state only: asked, answered, failed."),
    since: str | None = _SINCE,
    limit: int = typer.Option(20, "--limit", min=1, max=1_000_000, help="How many, newest first."),
    as_json: bool = json_option(),
) -> None:
    """The newest calls: what they took and how they ended."""
    from gen_toolkit import display
    from gen_toolkit.cli.since import moment
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.journal.report import STATES, list_calls, shortest

    _refuse_unknown("state", state, STATES)
    filters = {"run": run, "prompt": prompt, "alias": alias, "state": state, "since": moment(since)}
    found = list_calls(open_database(), **filters, limit=limit)
    if as_json:
        print(json.dumps([call.to_json() for call in found], ensure_ascii=False))
        return
    if not found:
        print("no such calls" if any(filters.values()) else "no calls yet")
        return
    ids = [call.id for call in found]
    rows = [
        [
            shortest(call.id, ids),
            _moment(call.asked_at),
            call.prompt or "",
            call.alias,
            call.status,
            display.seconds(call.seconds),
            _tokens(call),
            display.money(call.cost, 6),
        ]
        for call in found
    ]
    columns = ["call", "asked", "prompt", "alias", "state", "took", "tokens", "cost"]
    print(display.text_table(columns, rows, width=40))


@group.command("show")
def show(
    call_id: str = typer.Argument(..., metavar="CALL", help="Its id, or how it begins."),
    as_json: bool = json_option(),
) -> None:
    """One call: what was asked, what was answered, what it took, what it stands in for."""
    from gen_toolkit.cli.show_call import call_text
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.journal.report import find_call

    found = find_call(open_database(), call_id)
    print(json.dumps(found.to_json(), ensure_ascii=False) if as_json else call_text(found))


@group.command("cost")
def cost(
    by: str = typer.Option("run", "--by", help="What calls are summed by: run, prompt, alias, day (UTC)."),
    since: str | None = _SINCE,
    limit: int = typer.Option(20, "--limit", min=1, max=1_000_000, help="How many groups; the total is over all."),
    as_json: bool = json_option(),
) -> None:
    """What calls cost. What is not known is counted, never taken for nothing."""
    from gen_toolkit.cli.show_costs import costs_text
    from gen_toolkit.cli.since import moment
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.journal.costs import GROUPS, Cost, costs

    _refuse_unknown("by", by, GROUPS)
    found = costs(open_database(), by, moment(since))
    if as_json:
        groups = [{by: name, **each.to_json()} for name, each in list(found.items())[:limit]]
        total = sum(found.values(), Cost())
        print(json.dumps({"by": by, "groups": groups, "total": total.to_json()}, ensure_ascii=False))
    else:
        print(costs_text(found, by, limit))


@group.command("prune")
def prune(
    older_than: str | None = typer.Option(
        None, "--older-than", metavar="AGE", help="Such as 30d or 12h; default: the setting bodies_days."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be removed, and remove nothing."),
    as_json: bool = json_option(),
) -> None:
    """Remove requests and replies of old calls that nothing holds; hashes, usage and costs stay."""
    from gen_toolkit.cli.since import duration
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.journal.retention import DAY, would_prune
    from gen_toolkit.journal.retention import prune as prune_calls
    from gen_toolkit.settings import load_settings

    settings = load_settings()
    age = settings.settings.bodies_days * DAY if older_than is None else duration(older_than)
    done = (would_prune if dry_run else prune_calls)(open_database(settings), age)
    if as_json:
        print(json.dumps({"calls": done.calls, "held": done.held, "before": done.before, "dry_run": dry_run}))
        return
    before = _moment(max(done.before, 0))
    print(f"requests and replies of calls from before {before} {'to remove' if dry_run else 'removed'}: {done.calls}")
    if done.held:
        print(f"kept, because of a hold: {done.held}")


@group.command("export")
def export(
    file: Path = typer.Argument(..., metavar="FILE", help="A file of JSON lines, one a call."),
    run: str | None = _RUN,
    as_json: bool = json_option(),
) -> None:
    """Write calls to a file: secrets masked, whole or not at all."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.journal.transfer import export_calls

    count = export_calls(open_database(), file, run)
    print(json.dumps({"calls": count, "file": str(file)}) if as_json else f"calls written to {file}: {count}")


@group.command("import")
def import_(
    file: Path = typer.Argument(..., metavar="FILE", help="A file that `gen calls export` wrote."),
    as_json: bool = json_option(),
) -> None:
    """Add the calls of a file; those that are here already stay as they are."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.journal.transfer import import_calls

    done = import_calls(open_database(), file)
    if as_json:
        print(json.dumps({"added": done.added, "known": done.known}))
    else:
        print(f"calls added: {done.added}, here already: {done.known}")


def _refuse_unknown(option: str, given: str | None, known: Iterable[str]) -> None:
    if given is not None and given not in known:
        fix = nearest(given, known) or f"Use {', '.join(known)}."
        raise InputError(f"--{option} cannot be {given!r}", fix=fix)


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _tokens(call: CallRow) -> str:
    if call.state == "asked":
        return ""
    known = ["?" if tokens is None else str(tokens) for tokens in (call.input_tokens, call.output_tokens)]
    return "+".join(known)
