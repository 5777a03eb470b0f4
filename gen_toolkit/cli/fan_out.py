"""gen run --grid, --partitions, and gen resume of such a run."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from gen_toolkit.cli.show import EXIT_OF_STATE, given, live_line, run_text
from gen_toolkit.errors import InputError

if TYPE_CHECKING:
    from gen_toolkit.jobs.ledger import RunRow
    from gen_toolkit.releases.fan_out_run import Spread

_MOST_SHOWN = 50


def run_parts(
    name: str,
    parameters: list[str],
    axes: list[str],
    file: Path | None,
    *,
    release: int | None,
    jobs: int,
    as_json: bool,
) -> NoReturn:
    """Execute the release once for each part, and exit as the whole ended."""
    from gen_toolkit.releases.fan_out import fan_out
    from gen_toolkit.releases.parts import grid, partitions
    from gen_toolkit.releases.start import from_files

    if axes and file is not None:
        raise InputError("--grid and --partitions are two ways to say the same", fix="Give one of them.")
    parts = partitions(file) if file is not None else grid(axes)
    shared = from_files(given(parameters))
    with _counted(name, quiet=as_json) as progress:
        spread = fan_out(name, shared, parts, number=release, jobs=jobs, progress=progress)
    _show(spread, as_json)


def resume_parts(parent: RunRow, *, jobs: int, as_json: bool) -> NoReturn:
    """Execute the parts that have not succeeded, and exit as the whole ended."""
    from gen_toolkit.releases.fan_out import resume_fan_out

    with _counted(parent.name, quiet=as_json) as progress:
        spread = resume_fan_out(parent, jobs=jobs, progress=progress)
    _show(spread, as_json)


@contextlib.contextmanager
def _counted(title: str, *, quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Progress on standard error: one line that changes in a terminal, a line whenever more have ended elsewhere."""
    shown = (-1, "")

    def progress(ended: int, of: int, line: str) -> None:
        nonlocal shown
        if quiet or (ended, line) == shown:
            return
        shown = ended, line
        write(f"{title}  {ended} of {of} parts  {line}")

    with live_line(quiet=quiet) as write:
        yield progress


def _show(spread: Spread, as_json: bool) -> NoReturn:
    from gen_toolkit import display

    if as_json:
        print(json.dumps({**spread.run.to_json(), "parts": spread.collected.to_json()}, ensure_ascii=False))
    else:
        table = spread.collected
        print(run_text(spread.run))
        hidden = {table.columns.index(name) for name in ("run", "reason")}
        shown = [i for i in range(len(table.columns)) if i not in hidden or table.failed]
        rows = [[_cell(row[i]) for i in shown] for row in table.rows[:_MOST_SHOWN]]
        print(display.text_table([table.columns[i] for i in shown], rows, width=40))
        if len(table.rows) > _MOST_SHOWN:
            print(f"… and {len(table.rows) - _MOST_SHOWN} more")
        print(f"  table  {spread.run.outcome.get('table', '')}")
        if spread.run.state != "succeeded":
            print(f"  the missing ones: gen resume {spread.run.id[:13]}")
    sys.stdout.flush()
    if spread.signal is not None:
        sys.exit(128 + spread.signal)
    raise typer.Exit(EXIT_OF_STATE.get(spread.run.state, 1))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)[:13] if isinstance(value, str) and len(value) == 36 and value.count("-") == 4 else str(value)
