"""How a result looks: what one looks at first, its verdicts, its rows. All texts are escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit import display

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result

_FEW, _NARROW = 10, 160  # rows and characters of a cell, as a notebook shows them
_EXCERPT = 400  # characters of a cell of rows that were picked to be read


def page(result: Result, count: int, width: int) -> str:
    """Summary and verdicts, and folded the first rows, cells cut to `width`."""
    columns, rows = result.table()
    shown = [[str("" if v is None else v)[:width] for v in row] for row in rows[:count]]
    summary = result.summary()
    body = display.html_table(list(summary), [list(summary.values())])
    body += "".join(display.html_text(line) for line in _said(result))
    return display.html_card(result.title, "", body, display.html_table(columns, shown))


def bundle(result: Result) -> dict[str, str]:
    """What IPython asks for."""
    if result.is_excerpt:
        return _rows(result)
    summary = result.summary()
    table = display.text_table(list(summary), [list(summary.values())])
    return display.bundle("\n".join([result.title, table, *_said(result)]), page(result, _FEW, _NARROW))


def _said(result: Result) -> list[str]:
    return [str(verdict) for verdict in result.verdicts] + ([result.note] if result.note else [])


def _rows(result: Result) -> dict[str, str]:
    columns, rows = result.table()
    shown = [[str("" if value is None else value)[:_EXCERPT] for value in row[1:]] for row in rows]
    plain = f"{result.title}\n{display.text_table(columns[1:], shown)}"
    return display.bundle(plain, display.html_card(result.title, "", display.html_table(columns[1:], shown)))
