"""The parts of a run's page. Each is a piece of HTML, and nothing where there is nothing to tell."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from gen_toolkit import display, text
from gen_toolkit.ipynb import Notebook, source
from gen_toolkit.jobs.attempt_log import LOG
from gen_toolkit.jobs.kept import is_elsewhere, whole, word
from gen_toolkit.jobs.rows import Attempt, RunRow
from gen_toolkit.jobs.steps import cells_ran, read_steps
from gen_toolkit.journal.costs import Cost

_MOST_ROWS, _MOST_COLUMNS = 50, 12  # of a kept table
_MOST_CELLS = 200
_LONGEST_TAIL = 20_000  # bytes of the log
_ENDED_WELL = {"succeeded": "good"}


def head(run: RunRow) -> str:
    """Its name, and in a sentence what became of it."""
    facts = {
        "run": run.id,
        "kind": run.kind,
        "notebook": run.notebook,
        "release": None if run.release is None else f"{run.release} ({(run.digest or '')[:12]})",
        "part of": run.parent,
        "asked for": moment(run.created_at),
        "due": moment(run.due),
        "began": moment(run.started_at),
        "ended": moment(run.ended_at),
        "by": run.worker,
        "peak memory": None if (peak := run.outcome.get("peak_memory_mb")) is None else f"{peak:.0f} MB",
        "folder": run.folder,
    }
    rows = [[name, value] for name, value in facts.items() if value is not None]
    tone = _ENDED_WELL.get(run.state, "" if run.is_open else "bad")
    return (
        f'<h1>{text.html(run.title)}</h1><p class="sentence {tone}">{text.html(sentence(run))}</p>'
        f"<details><summary>run {text.html(run.id[:13])}</summary>{display.html_table(['', ''], rows)}</details>"
    )


def sentence(run: RunRow) -> str:
    """`failed in cell 4 after 12.3 s: ValueError: no rows`."""
    where = f" in cell {run.reason.cell}" if run.reason and run.reason.cell else ""
    took = f" after {display.seconds(run.seconds)}" if run.started_at is not None else ""
    why = ""
    if run.reason is not None:
        error = f"{run.reason.error}: " if run.reason.error else ""
        why = f": {error}{text.one_line(run.reason.message, 300)}"
    how = {"running": "is running, as of this page,", "queued": "waits"}.get(run.state, run.state)
    return f"It {how}{where}{took}{why}."


def why(run: RunRow, notebook: Notebook | None) -> str:
    """The cell in which it stopped, and the end of the traceback."""
    if run.reason is None or (not run.reason.cell and not run.reason.excerpt):
        return ""
    number, cells = run.reason.cell or 0, [] if notebook is None else notebook["cells"]
    code = source(cells[number - 1]) if 0 < number <= len(cells) else ""
    shown = f"<p>Cell {number}:</p><pre>{text.html(code)}</pre>" if code else ""
    excerpt = f"<pre>{text.html(run.reason.excerpt)}</pre>" if run.reason.excerpt else ""
    return _section("Why", shown + excerpt)


def kept(run: RunRow) -> str:
    """Values in one table, tables each below it."""
    found = {name: whole(value, run.folder) for name, value in run.outcome.get("kept", {}).items()}
    tables = {name: value for name, value in found.items() if is_table(value)}
    rows = [[name, told(value)] for name, value in found.items() if name not in tables]
    body = display.html_table(["kept", "value"], rows) if rows else ""
    for name, value in tables.items():
        columns = list(dict.fromkeys(key for row in value[:_MOST_ROWS] for key in row))
        cells = [[told(row.get(column)) for column in columns[:_MOST_COLUMNS]] for row in value[:_MOST_ROWS]]
        note = f'<span class="note">{len(value)} rows, {len(columns)} columns</span>'
        body += f"<p><b>{text.html(name)}</b> {note}</p>{display.html_table(columns[:_MOST_COLUMNS], cells)}"
    return _section("Kept", body)


def is_table(value: Any) -> bool:
    """Whether a kept value is rows with columns."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def told(value: Any) -> str:
    """A kept value as text: numbers to four digits, others as JSON, shortened."""
    if is_elsewhere(value):
        return word(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return value if len(value) <= 2000 else value[:2000] + "…"
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 2000 else written[:2000] + "…"


def parameters(run: RunRow) -> str:
    rows = [[name, told(value)] for name, value in run.parameters.items()]
    return _section("Parameters", display.html_table(["parameter", "value"], rows) if rows else "")


def cells(run: RunRow, notebook: Notebook | None) -> str:
    """A bar for each cell that was executed, as long as it took."""
    took = {each["cell"]: each["seconds"] for each in run.outcome.get("cells", [])}
    if run.is_open:
        took = dict(cells_ran(read_steps(run.folder)))
    if not took:
        return ""
    code = [] if notebook is None else [source(cell) for cell in notebook["cells"]]
    longest = max(max(took.values()), 1e-9)
    shown = sorted(sorted(took, key=lambda number: -took[number])[:_MOST_CELLS])
    bars = "".join(
        f"<span>{number}</span><code>{text.html(_first_line(code, number))}</code>"
        f'<div><div class="bar" style="width:{100 * took[number] / longest:.1f}%"></div></div>'
        f"<span>{display.seconds(took[number])}</span>"
        for number in shown
    )
    rest = len(took) - len(shown)
    note = f'<p class="note">and {rest} cells that took less</p>' if rest else ""
    return _section("Cells", f'<div class="bars">{bars}</div>{note}')


def _first_line(code: Sequence[str], number: int) -> str:
    lines = code[number - 1].strip().splitlines() if 0 < number <= len(code) else []
    return text.one_line(lines[0], 100) if lines else ""


def calls(run: RunRow, by: Mapping[str, Mapping[str | None, Cost]]) -> str:
    """What its calls of models took, by prompt and by alias."""
    total = sum(by["alias"].values(), Cost())
    if not total.calls and not run.outcome.get("reused"):
        return ""
    body = ""
    for what, sums in by.items():
        rows = [
            [name or f"no {what}", each.calls, each.failed or "", each.input_tokens, each.output_tokens, cost(each)]
            for name, each in sums.items()
        ]
        body += display.html_table([what, "calls", "failed", "tokens in", "tokens out", "cost"], rows)
    return _section("Calls", f"<p>In all attempts: {total.calls}, {text.html(cost(total))}.</p>{body}")


def cost(sums: Cost) -> str:
    """What is known, and whether that is all."""
    known = display.money(sums.cost)
    return known if sums.is_exact else f"{known} and an unknown part"


def reused(run: RunRow) -> str:
    """What was taken from the journal, and which requests of a later attempt were others than before."""
    count, last = run.outcome.get("reused"), run.outcome.get("last_attempt")
    if not count and not last:
        return ""
    body = f"<p>{count or 0} answers were taken from the journal, and not paid again.</p>"
    if last:
        body += f"<p>The last attempt reused {last['reused']} and asked {last['calls']} anew"
        body += f", {last['differ']} of them in place of others.</p>" if last["differ"] else ".</p>"
        rows = [
            [one["prompt"], one["row"], one["cause"] or "another text", one["was"], one["is"]]
            for one in last["differences"]
        ]
        body += display.html_table(["prompt", "row", "why", "was", "is"], rows) if rows else ""
    return _section("Reused", body)


def history(attempts: Sequence[Attempt]) -> str:
    rows = [
        [each.number, each.state, moment(each.started_at), display.seconds(each.seconds), _why(each), each.id]
        for each in attempts
    ]
    return _section("Attempts", display.html_table(["", "state", "began", "took", "why", "id"], rows) if rows else "")


def _why(attempt: Attempt) -> str:
    return "" if attempt.reason is None else attempt.reason.message


def log(run: RunRow) -> str:
    """The end of what was printed."""
    try:
        with open("" if run.folder is None else run.folder / LOG, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LONGEST_TAIL))
            tail = file.read(_LONGEST_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    note = f'<p class="note">the last {_LONGEST_TAIL:,} of {size:,} bytes</p>' if size > _LONGEST_TAIL else ""
    return _section("Log", f"{note}<pre>{text.html(tail)}</pre>") if tail.strip() else ""


def executed(notebook: Notebook | None, problem: str) -> str:
    """The notebook with its outputs, folded."""
    if notebook is None:
        return _section("Notebook", f"<p>{text.html(problem)}</p>")
    from gen_toolkit.jobs.executed_html import executed_html

    try:
        body = executed_html(notebook)
    except Exception as error:  # noqa: BLE001 - whatever a cell left in it, the rest of the page is wanted now
        return _section("Notebook", f"<p>{text.html(f'It cannot be shown: {type(error).__name__}: {error}')}</p>")
    return _section("Notebook", f'<details><summary>as executed</summary><div class="notebook">{body}</div></details>')


def moment(at: float | None) -> str | None:
    """In local time."""
    return None if at is None else time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at))


def _section(title: str, body: str) -> str:
    return f"<h2>{title}</h2>{body}" if body else ""
