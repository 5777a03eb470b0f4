"""What commands share: parameters, progress, how a run is shown, exit codes of runs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from gen_toolkit.errors import ParameterError
from gen_toolkit.text import one_line, terminal

if TYPE_CHECKING:
    from gen_toolkit.jobs.execute import Finished
    from gen_toolkit.jobs.ledger import RunRow
    from gen_toolkit.jobs.rows import Attempt

EXIT_OF_STATE = {"succeeded": 0, "timed out": 4}
EXIT_OF_ERROR = {"BudgetExceeded": 4, "DeadlineExceeded": 4, "NotSaved": 3}


def json_option() -> Any:
    return typer.Option(False, "--json", help="Print JSON, errors too.")


def timeout_option() -> Any:
    return typer.Option(None, "--timeout", metavar="SECONDS", min=0.1, help="End the run after this long.")


def cell_timeout_option() -> Any:
    return typer.Option(None, "--cell-timeout", metavar="SECONDS", min=0.1, help="End it when a cell takes longer.")


def silence_timeout_option() -> Any:
    return typer.Option(None, "--silence-timeout", metavar="SECONDS", min=0.1, help="End it after no output for this.")


def memory_option() -> Any:
    return typer.Option(None, "--memory-mb", metavar="MB", min=1, help="End it when its processes take more.")


def output_option() -> Any:
    return typer.Option(None, "--output-mb", metavar="MB", min=0.001, help="Collect no more output than this.")


def parameters_option() -> Any:
    return typer.Option(
        [], "-p", "--parameter", metavar="NAME=VALUE", help="A parameter; NAME=@FILE.json reads a file."
    )


def given(parameters: list[str]) -> dict[str, str]:
    values = {}
    for item in parameters:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"-p {item!r} is no parameter", fix="Write -p name=value.", parameter=item)
        values[name.strip()] = value
    return values


@contextlib.contextmanager
def live_line(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on standard error that takes the place of the one before in a terminal, and comes after it elsewhere."""
    live = sys.stderr.isatty()

    def write(said: str) -> None:
        line = one_line(said, 110)
        sys.stderr.write(f"\r\x1b[2K{line}" if live else f"{line}\n")
        sys.stderr.flush()

    try:
        yield write
    finally:
        if live and not quiet:
            sys.stderr.write("\r\x1b[2K")


@contextlib.contextmanager
def follow(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int, str], None]]:
    """Progress on standard error: one line that changes in a terminal, a line a cell elsewhere."""
    live = sys.stderr.isatty()
    shown, last = 0.0, ""

    def progress(cell: int, of: int, line: str) -> None:
        nonlocal shown, last
        now = time.monotonic()
        is_news = not line or (not of and line != last)  # a cell begins, or it is no cell that speaks
        if quiet or (now - shown < (0.1 if live else 10.0) and not is_news):
            return
        shown, last = now, line
        where = f"cell {cell}/{of}  " if of else ""
        write(f"{title.strip()}  {where}{line}")

    with live_line(quiet=quiet) as write:
        yield progress


def show_run(finished: Finished, as_json: bool) -> NoReturn:
    """Print a run that ended, and exit as it ended."""
    if as_json:
        print(json.dumps(finished.run.to_json(), ensure_ascii=False))
    else:
        print(run_text(finished.run))
    sys.stdout.flush()
    if finished.signal is not None:
        sys.exit(128 + finished.signal)
    by_error = EXIT_OF_ERROR.get(finished.run.reason.error or "", 1) if finished.run.reason else 1
    raise typer.Exit(EXIT_OF_STATE.get(finished.run.state, by_error))


def run_text(run: RunRow) -> str:
    """A run for people: how it ended, what it kept, what it took, where things are."""
    from gen_toolkit import display

    lines = [f"{run.title}  {run.state}  ({display.seconds(run.seconds)}, run {run.id[:13]})"]
    if run.reason is not None:
        where = f"cell {run.reason.cell}: " if run.reason.cell else ""
        error = f"{run.reason.error}: " if run.reason.error else ""
        lines.append(f"  {where}{error}{one_line(run.reason.message, 300)}")
        lines += [f"    {line}" for line in terminal(run.reason.excerpt).splitlines()[-12:]]
    facts: dict[str, Any] = dict(run.outcome.get("kept", {}))
    width = max([len(name) for name in facts] + [10])
    lines += [f"  {name.ljust(width)}  {_value(value)}" for name, value in facts.items()]
    if run.outcome:
        took = run.outcome
        tokens = "" if took.get("input_tokens") is None else f", {took['input_tokens']}+{took['output_tokens']} tokens"
        lines.append(
            f"  {'calls'.ljust(width)}  {took.get('calls', 0)}{tokens}, cost {display.money(took.get('cost_usd'))}"
        )
        lines += _measured(took, width)
        if took.get("last_attempt"):
            lines += _last_attempt(took["last_attempt"], width)
        for name in ("notebook", "log"):
            if took.get(name) and os.path.exists(took[name]):
                lines.append(f"  {name.ljust(width)}  {took[name]}")
    return "\n".join(lines)


def _measured(took: dict[str, Any], width: int) -> list[str]:
    """The memory it took, and the cells that took longest."""
    from gen_toolkit import display

    lines = []
    if took.get("peak_memory_mb") is not None:
        lines.append(f"  {'memory'.ljust(width)}  {took['peak_memory_mb']:.0f} MB at the most")
    slowest = sorted(took.get("cells", ()), key=lambda cell: -cell["seconds"])[:3]
    if slowest and slowest[0]["seconds"] >= 1:
        told = ", ".join(f"cell {cell['cell']} {display.seconds(cell['seconds'])}" for cell in slowest)
        lines.append(f"  {'slowest'.ljust(width)}  {told}")
    return lines


def _last_attempt(took: dict[str, Any], width: int) -> list[str]:
    """Of a run that was tried again: what the last attempt reused and asked anew, and what it asked otherwise."""
    lines = [f"  {'attempt'.ljust(width)}  reused {took['reused']}, new {took['calls']}"]
    if took["differ"]:
        lines[0] += f", of these {took['differ']} in place of requests of an attempt before"
    for one in took["differences"][:5]:
        place = " ".join(filter(None, [one["prompt"], one["row"] and f"row {one['row']}"]))
        lines.append("    " + one_line(f"{place or one['now'][:13]}: {one['cause'] or 'another text'}", 106))
        if one["was"]:
            lines += [f"      was  …{one_line(one['was'], 100)}", f"      is   …{one_line(one['is'], 100)}"]
    return lines


def attempts_text(attempts: Sequence[Attempt]) -> str:
    """A table, for a run that has several."""
    from gen_toolkit import display

    rows = [
        [str(a.number), a.state, started(a.started_at), display.seconds(a.seconds), a.id[:13], str(a.folder or "")]
        for a in attempts
    ]
    return display.text_table(["attempt", "state", "started", "took", "id", "folder"], rows, width=200)


def started(moment: float) -> str:
    """In local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _value(value: Any) -> str:
    from gen_toolkit.jobs.kept import is_elsewhere, word

    if is_elsewhere(value):
        return one_line(word(value), 80)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"{len(value)} items"
    return one_line(value, 80)
