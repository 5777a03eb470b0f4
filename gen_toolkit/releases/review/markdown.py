"""The page as Markdown, to paste into a pull request: every value stands in a code span or a fenced block."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gen_toolkit import text
from gen_toolkit.releases.review.document import (
    Block,
    Command,
    Diff,
    DiffLine,
    Document,
    Fold,
    Line,
    Mark,
    Piece,
    Plot,
    Table,
    Value,
    many,
)
from gen_toolkit.releases.review.plot import characters

_SIGNS = {"good": "✓ ", "bad": "✗ ", "note": "! ", "plain": ""}


def markdown_page(document: Document) -> str:
    parts = [
        f"# {_said(document.title)}",
        _said(document.under),
        f"> {_SIGNS[document.level]}{_said(document.verdict)}",
    ]
    for section in document.sections:
        parts += [f"## {section.title}", *_blocks(section.blocks)]
    return "\n\n".join(parts) + "\n"


def _blocks(blocks: Iterable[Block]) -> list[str]:
    return [_BLOCKS[type(block)](block) for block in blocks]


def _table(table: Table) -> str:
    lines = [f"| {' | '.join(table.columns)} |", f"|{' --- |' * len(table.columns)}"]
    lines += [f"| {' | '.join(_said(cell, in_table=True) for cell in row)} |" for row in table.rows]
    return "\n".join(lines)


def _diff(diff: Diff) -> str:
    cut = f"\n\n{many(diff.cut, 'more line')}, not shown here." if diff.cut else ""
    is_changed = any(line.sign != "=" for line in diff.lines)
    lines = [_diff_line(line) if is_changed else _joined(line) for line in diff.lines]
    return text.markdown_block("\n".join(lines), "diff" if is_changed else "") + cut


def _diff_line(line: DiffLine) -> str:
    if line.sign == "…":
        return f"@@ {many(line.left_out, 'line')} @@"
    return f"{' ' if line.sign == '=' else line.sign} {_joined(line)}"


def _joined(line: DiffLine) -> str:
    return "".join(said for _, said in line.pieces)


def _fold(fold: Fold) -> str:
    """GitHub opens and closes it; a reader of the plain text loses nothing."""
    opened = " open" if fold.is_open else ""
    title = "".join(_folded_title(piece) for piece in fold.title)
    return f"<details{opened}><summary>{title}</summary>\n\n" + "\n\n".join(_blocks(fold.blocks)) + "\n\n</details>"


def _folded_title(piece: Piece) -> str:
    """Inside of HTML no Markdown is read, and code is what nobody makes a link of."""
    if isinstance(piece, Value):
        return f"<code>{text.html(text.one_line(piece.said, 200))}</code>"
    return _piece(piece, in_table=False)


_BLOCKS: dict[type[Any], Callable[[Any], str]] = {
    Line: lambda line: _said(line.said),
    Table: _table,
    Diff: _diff,
    Command: lambda command: text.markdown_block(command.line, "bash"),
    Fold: _fold,
}


def _said(pieces: Iterable[Piece], *, in_table: bool = False) -> str:
    return "".join(_piece(piece, in_table=in_table) for piece in pieces)


def _piece(piece: Piece, *, in_table: bool) -> str:
    if isinstance(piece, Plot):
        return text.markdown(characters(piece))
    if isinstance(piece, Mark):
        return f"**{_SIGNS[piece.level]}{piece.said}**"
    if isinstance(piece, Value):
        said = text.markdown(piece.said)
        return said.replace("|", "\\|") if in_table else said
    return str(piece)
