"""gen release rollback, gen release history; and the line that every view has while an override holds."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer

from gen_toolkit.cli.show import json_option
from gen_toolkit.text import one_line

if TYPE_CHECKING:
    from gen_toolkit.releases.moves import Move
    from gen_toolkit.releases.pipeline import Pipeline

_NAME = typer.Argument(..., metavar="NAME", help="The pipeline.")


def rollback(
    name: str = _NAME,
    to: int | None = typer.Option(None, "--to", metavar="N", help="By default the one that was live before."),
    reason: str = typer.Option("", "--reason", metavar="TEXT", help="Why; it is put on record."),
    as_json: bool = json_option(),
) -> None:
    """Make an earlier release live again: one move, on record, and no release is changed."""
    from gen_toolkit.releases.rollback import rollback as go_back

    done = go_back(name, to, reason)
    if as_json:
        print(json.dumps(done.to_json(), ensure_ascii=False))
        return
    if not done.moved:
        print(f"release {done.live} of {name} is live already{_by_override(done.override)}")
        return
    was = "none was" if done.was is None else f"it was {done.was}"
    print(f"release {done.live} of {name} is live; {was}{_by_override(done.override)}")
    if done.override:
        print(f"  until   pipeline.toml says something else: set live = {done.live} where it comes from, and deploy it")
    else:
        print(f"  commit  pipelines/{name}/pipeline.toml")
    print(f"  record  gen release history {name}")


def _by_override(why: str) -> str:
    return f", by an override in the ledger: {why}" if why else ""


def history(name: str = _NAME, as_json: bool = json_option()) -> None:
    """Which release was live since when, by whom and why; the newest first."""
    from gen_toolkit import display
    from gen_toolkit.releases.moves import moves_of, with_edits
    from gen_toolkit.releases.overview import pipeline_named

    pipeline = pipeline_named(name)
    standing = pipeline.standing
    found = list(with_edits(moves_of(name), standing.number))[::-1]
    if as_json:
        print(json.dumps({**standing.to_json(), "moves": [move.to_json() for move in found]}, ensure_ascii=False))
        return
    if found:
        columns = ["when", "by", "was", "live", "how", "why"]
        print(display.text_table(columns, [_row(move) for move in found], width=100))
    print(f"live: {standing}" if found else f"live: {standing}; nothing is on record of how it came to be")


def _row(move: Move) -> list[str]:
    return [move.when, move.by, "" if move.was is None else str(move.was), str(move.live), move.kind, move.reason]


def tell_override(name: str) -> None:
    """On standard error, before something runs."""
    from gen_toolkit.releases.overview import pipeline_named

    line = override_line(pipeline_named(name))
    if line:
        print(line, file=sys.stderr)


def override_line(pipeline: Pipeline) -> str | None:
    """`live: 2 (override in the ledger by …)`; None where pipeline.toml says which release is live."""
    standing = pipeline.standing
    return one_line(f"live: {standing}", 400) if standing.override else None
