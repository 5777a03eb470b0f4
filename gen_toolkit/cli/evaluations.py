"""gen eval: an evaluation described in a file, for people and for CI."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gen_toolkit.cli.show import json_option

if TYPE_CHECKING:
    from gen_toolkit.evals.grid import Grid
    from gen_toolkit.evals.result import Result


def eval_(
    file: Path = typer.Argument(..., metavar="FILE", help="A TOML file; docs/eval-files.md shows every key."),
    calls: str | None = typer.Option(None, "--calls", metavar="MODE", help="live, reuse, replay: over what FILE says."),
    as_json: bool = json_option(),
) -> None:
    """Run an evaluation that a file describes; exit 1 where it is worse than its baseline, or too few rows say so."""
    from gen_toolkit.evals.eval_file import read_eval_file
    from gen_toolkit.evals.evaluate import evaluate

    described = read_eval_file(file)
    if described.cassette is not None:
        os.environ["GEN_TOOLKIT_CASSETTE"] = described.cassette
    asked = described.asked()
    if calls is not None:
        asked["calls"] = calls
    result = evaluate(asked.pop("subject"), asked.pop("rows"), **asked)
    cells = list(result) if hasattr(result, "cells") else [result]
    problems = _problems(result, cells)
    if as_json:
        print(json.dumps(_told(result, cells, problems), ensure_ascii=False))
    else:
        print(result)
        for problem in problems:
            print(f"exit 1: {problem}")
    if problems:
        raise typer.Exit(1)


def _problems(result: Result | Grid, cells: list[Result]) -> list[str]:
    """Why the work says no; nothing where it says yes, or has nothing to compare with."""
    is_grid = hasattr(result, "cells")
    lost = getattr(result, "failed", ()) if is_grid else ()  # of a grid cells, of a result rows
    failed = [f"{cell.title} could not be evaluated: {cell.error}" for cell in lost]
    unscored = [
        f"{cell.title}: no row was scored by {name!r}"
        for cell in cells
        for name, found in cell.scores.items()
        if found is None
    ]
    said = [
        f"{cell.title}: {verdict.scorer} {'is' if verdict.finding == 'worse' else 'has'} {verdict.finding}"
        for cell in cells
        for verdict in cell.verdicts
        if verdict.finding in {"worse", "too few rows"}
    ]
    said += [
        f"{cell.title}: {verdict.scorer}: more rows fail than of {verdict.baseline}, "
        f"{verdict.failed_here} only here, {verdict.failed_there} only there"
        for cell in cells
        for verdict in cell.verdicts
        if verdict.fails_more
    ]
    uncompared = [f"{cell.title}: {cell.note}" for cell in cells if is_grid and cell.note]
    return failed + unscored + uncompared + said


def _told(result: Any, cells: list[Result], problems: list[str]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "name": result.title,
        "run": result.run,
        "passed": not problems,
        "problems": problems,
        "verdicts": [{"cell": cell.title, **asdict(verdict)} for cell in cells for verdict in cell.verdicts],
        "note": result.note,
        "result": json.loads(result.to_json()),
    }
