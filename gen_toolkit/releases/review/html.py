"""The page as one HTML file: it loads nothing, runs nothing, and shows every value as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.releases.review.document import (
    Block,
    Command,
    Diff,
    DiffLine,
    Document,
    Fold,
    Interval,
    Line,
    Mark,
    Piece,
    Plot,
    Section,
    Table,
    Value,
    many,
)
from gen_toolkit.releases.review.plot import svg

_STYLE = Path(__file__).with_name("page.css")
_SIGNS = {"good": "✓", "bad": "✗", "note": "!", "plain": ""}
_ALIKE = 0.4  # share of a line that is kept from which on it is the words that are marked
_NO_LOADING = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_page(document: Document) -> str:
    title = text.html("".join(_plain(piece) for piece in document.title))
    sign = _SIGNS[document.level]
    body = (
        f"<header><h1>{_said(document.title)}</h1><p>{_said(document.under)}</p></header>"
        f'<p class="verdict {document.level}"><b>{sign}</b><span>{_said(document.verdict)}</span></p>'
        f"{''.join(map(_section, document.sections))}"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_NO_LOADING}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>\n{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _section(section: Section) -> str:
    return f"\n<section><h2>{text.html(section.title)}</h2>{_blocks(section.blocks)}</section>"


def _blocks(blocks: Iterable[Block]) -> str:
    return "".join(_BLOCKS[type(block)](block) for block in blocks)


def _line(line: Line) -> str:
    return f"<p>{_said(line.said)}</p>"


def _table(table: Table) -> str:
    has_head = any(table.columns)
    head = "".join(f"<th>{text.html(column)}</th>" for column in table.columns)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td data-name="{text.html(column)}">{_said(cell)}</td>'
            for column, cell in zip(table.columns, row, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if has_head else ''}<tbody>{rows}</tbody></table>"


def _diff(diff: Diff) -> str:
    cut = f'<p class="cut">{many(diff.cut, "more line")}, not shown here.</p>' if diff.cut else ""
    return f'<pre class="diff">{"".join(map(_diff_line, diff.lines))}</pre>{cut}'


def _diff_line(line: DiffLine) -> str:
    kind = {"=": "kept", "-": "old", "+": "new", "…": "left"}[line.sign]
    if line.sign == "…":
        return f'<span class="{kind}">⋯ {many(line.left_out, "line")}</span>'
    gutter = {"=": " ", "-": "−", "+": "+"}[line.sign]
    tag = {"-": "del", "+": "ins"}
    kept = sum(len(piece) for sign, piece in line.pieces if sign == "=")
    whole = kept < _ALIKE * sum(len(piece) for _, piece in line.pieces)  # then the line's own colour says it
    said = "".join(
        text.html(piece) if whole or sign == "=" else f"<{tag[sign]}>{text.html(piece)}</{tag[sign]}>"
        for sign, piece in line.pieces
    )
    return f'<span class="{kind}"><i>{gutter}</i><span>{said}</span></span>'


def _command(command: Command) -> str:
    return f'<pre class="command">{text.html(command.line)}</pre>'


def _fold(fold: Fold) -> str:
    opened = " open" if fold.is_open else ""
    return f"<details{opened}><summary>{_said(fold.title)}</summary>{_blocks(fold.blocks)}</details>"


_BLOCKS: dict[type[Any], Callable[[Any], str]] = {
    Line: _line,
    Table: _table,
    Diff: _diff,
    Command: _command,
    Fold: _fold,
}


def _said(pieces: Iterable[Piece]) -> str:
    return "".join(map(_piece, pieces))


def _piece(piece: Piece) -> str:
    if isinstance(piece, Plot):
        return svg(piece)
    if isinstance(piece, Interval):
        bounds = f"<small>{piece.bounds}</small>" if piece.bounds else ""
        return f'<b class="mean">{piece.mean:.3f}</b>{bounds}'
    if isinstance(piece, Mark):
        sign = _SIGNS[piece.level]
        return f'<b class="mark {piece.level}">{f"{sign} " if sign else ""}{text.html(piece.said)}</b>'
    if isinstance(piece, Value):
        return f"<code>{text.html(piece.said)}</code>" if piece.is_code else text.html(piece.said)
    return text.html(piece)


def _plain(piece: Piece) -> str:
    return str(piece.said) if isinstance(piece, Value | Mark) else str(piece)
