"""Tables that hold what was measured: seconds, costs, calls. Such a value is another each time, its column is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

MEASURED = frozenset(
    {
        *("seconds", "took", "cost", "cost_usd", "calls", "calls made", "attempts", "reused", "source"),
        *("first token", "between pieces"),
    }
)
"""Names of columns and facts in the tables that the toolkit shows."""
MASK = "[measured]"

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"(<t[hd]\b[^>]*>)(.*?)(</t[hd]>)", re.DOTALL)
_RULE = re.compile(r"─+(?:  ─+)*")


def without_measures(text: str) -> str:
    """The text with what its tables measured masked, be they of HTML or as a terminal shows them."""
    if "<table" in text:
        text = _TABLE.sub(lambda table: _masked_html(table[0]), text)
    return _masked_text(text) if "─" in text else text


def _masked_html(table: str) -> str:
    header: list[str] = []

    def masked(row: re.Match[str]) -> str:
        nonlocal header
        cells = [cell[2].strip() for cell in _CELL.finditer(row[0])]
        header = header or cells
        hidden = _hidden(header, cells)
        numbers = iter(range(len(cells)))

        def cell(match: re.Match[str]) -> str:
            return f"{match[1]}{MASK}{match[3]}" if next(numbers) in hidden else match[0]

        return _CELL.sub(cell, row[0])

    return _ROW.sub(masked, table)


def _hidden(header: Sequence[str], cells: Sequence[str]) -> set[int]:
    """Of a row: the cells in a measured column; of a fact and its value, the value of one that is measured."""
    if len(header) == 2 and not any(header):
        return {1} if cells[0] in MEASURED else set()
    if cells == header or len(cells) != len(header):
        return set()
    return {number for number, name in enumerate(header) if name in MEASURED}


def _masked_text(text: str) -> str:
    """Tables as `display.text_table` makes them: names, a line of rules, rows; columns are two spaces apart.

    How wide a column is depends on what stands in it: it is written without, in a form that is no such table.
    """
    lines = text.split("\n")
    spans: list[tuple[int, int]] = []
    header: list[str] = []
    for number, line in enumerate(lines):
        if number and _RULE.fullmatch(line):
            spans = [match.span() for match in re.finditer("─+", line)]
            header = _cells(lines[number - 1], spans)
            lines[number - 1] = " | ".join(header)
            lines[number] = " | ".join("-" for _ in spans)
        elif spans and _fits(line, spans):
            cells = _cells(line, spans)
            hidden = _hidden(header, cells)
            lines[number] = " | ".join(MASK if n in hidden else cell for n, cell in enumerate(cells))
        else:
            spans = []
    return "\n".join(lines)


def _cells(line: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    return [line[start:end].strip() for start, end in spans]


def _fits(line: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether it is a row: blank where columns are apart, and no longer than the table."""
    between = ((end, following) for (_, end), (following, _) in pairwise(spans))
    return bool(line.strip()) and len(line) <= spans[-1][1] and all(not line[a:b].strip() for a, b in between)
