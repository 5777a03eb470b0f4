"""gen runs prune: old runs go, with their folders and what MLflow has got of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer

from gen_toolkit.cli.runs_look import group as group
from gen_toolkit.cli.runs_look import known_state
from gen_toolkit.cli.show import json_option, started
from gen_toolkit.errors import InputError

if TYPE_CHECKING:
    from gen_toolkit.jobs.old_runs import Old


@group.command("prune")
def prune(
    older_than: str = typer.Option(..., "--older-than", metavar="AGE", help="That ended so long ago: 30d, 12h, 2w."),
    keep: int = typer.Option(0, "--keep", metavar="N", min=0, help="But not the newest N of each pipeline."),
    state: str | None = typer.Option(None, "--state", help="Only runs that ended so."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be removed, and remove nothing."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    as_json: bool = json_option(),
) -> None:
    """Remove old runs: rows, folders, delivered events; and old texts of calls, as `gen calls prune` does.

    What is open, what releases rest on, what reviewers said, and what MLflow does not have yet stays.
    """
    from gen_toolkit.cli.since import duration
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.old_runs import find_old
    from gen_toolkit.jobs.prune import prune as prune_runs
    from gen_toolkit.jobs.reconcile import reconcile
    from gen_toolkit.journal import retention
    from gen_toolkit.releases.spoken_for import runs_named
    from gen_toolkit.settings import load_settings

    age, state = duration(older_than), known_state(state)
    settings = load_settings()
    database = open_database(settings)
    reconcile()
    workspace = settings.workspace
    old = find_old(database, workspace, age, keep=keep, state=state, needed=runs_named(workspace))
    texts = retention.would_prune(database, settings.settings.bodies_days * retention.DAY).calls
    if not dry_run and not yes:
        _ask(old, texts, as_json)
    problems = [] if dry_run else list(prune_runs(database, old))
    if not dry_run:
        retention.prune(database, settings.settings.bodies_days * retention.DAY)
    if as_json:
        freed = {part.what: {"count": part.count, "bytes": part.size} for part in old.parts}
        told = {"dry_run": dry_run, "before": old.before, **freed, "texts of calls": {"count": texts}}
        print(json.dumps({**told, "spared": old.spared, "problems": problems}, ensure_ascii=False))
    elif dry_run or yes:
        print(_table(old, texts, "would go" if dry_run else "gone"))
    else:
        print("gone")
    for problem in problems:
        print(f"cannot be removed: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(3)


def _ask(old: Old, texts: int, as_json: bool) -> None:
    """Nothing is removed before somebody has seen what."""
    if as_json or not _is_terminal():
        raise InputError(
            "this removes runs, and nobody is there to be asked", fix="Add --dry-run to see what, or --yes."
        )
    print(_table(old, texts, "to go"))
    typer.confirm("Remove them?", abort=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _table(old: Old, texts: int, head: str) -> str:
    from gen_toolkit import display

    rows = [[part.what, f"{part.count:,}", size(part.size)] for part in old.parts]
    rows.append(["texts of calls", f"{texts:,}", ""])
    table = display.text_table([f"{head}, from before {started(old.before)}", "count", "size"], rows)
    kept = f"\n{old.spared} as old stay: needed by a release or a hold, or not yet told to MLflow" if old.spared else ""
    return table + kept


def size(value: int) -> str:
    """Bytes for people, in powers of ten."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value} B"
