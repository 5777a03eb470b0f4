"""How things look: plain values in, escaped HTML or plain text out; and progress of long work.

Knows no object of the toolkit and does not import IPython. Objects build their own
`_repr_mimebundle_` from these parts, always with `text/plain`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gen_toolkit import text
from gen_toolkit.surface import shell, surface

_STYLE = "border-collapse:collapse;font-size:13px;text-align:left"
_CELL = "padding:3px 10px;border-bottom:1px solid #8883;vertical-align:top;text-align:left;max-width:48em"

_OPENS = {
    "-": '<del style="background:#f4433633">',
    "+": '<ins style="background:#4caf5040;text-decoration:none">',
}
_CLOSES = {"-": "</del>", "+": "</ins>"}


def html_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th style="{_CELL}">{text.html(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_cell(value)}</td>' for value in row) + "</tr>" for row in rows
    )
    return f'<table style="{_STYLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(value: object) -> str:
    return text.html("" if value is None else value).replace("\n", "<br>")


def text_table(columns: Sequence[str], rows: Iterable[Sequence[object]], width: int = 60) -> str:
    """Aligned columns for a terminal; cells on one line, cut to `width`."""
    table = [[text.one_line(column, width) for column in columns]]
    table += [[text.one_line("" if value is None else value, width) for value in row] for row in rows]
    sizes = [max(len(row[i]) for row in table) for i in range(len(columns))]
    lines = ["  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in table]
    lines.insert(1, "  ".join("─" * size for size in sizes))
    return "\n".join(lines)


def html_card(title: str, note: str, body: str, details: str = "") -> str:
    """A titled box. `title` and `note` are escaped here; `body` and `details` are HTML already."""
    folded = f"<details><summary>details</summary>{details}</details>" if details else ""
    return (
        '<div style="border:1px solid #8885;border-radius:6px;padding:8px 12px;max-width:60em;font-size:13px">'
        f'<div><b>{text.html(title)}</b> <span style="opacity:.7">{text.html(note)}</span></div>{body}{folded}</div>'
    )


def html_text(value: object) -> str:
    """A block of text as it is: white space kept, markup shown and never obeyed."""
    return f'<pre style="white-space:pre-wrap;margin:4px 0">{text.html(value)}</pre>'


def html_words(pieces: Iterable[tuple[str, str]]) -> str:
    """A text that was changed, by its pieces: what went ("-") is struck out, what came ("+") is marked."""
    said = "".join(f"{_OPENS.get(sign, '')}{text.html(piece)}{_CLOSES.get(sign, '')}" for sign, piece in pieces)
    return f'<pre style="white-space:pre-wrap;margin:4px 0">{said}</pre>'


def bundle(plain: str, html: str) -> dict[str, str]:
    """What IPython asks for. `plain` is cleaned here; `html` is HTML already."""
    return {"text/plain": text.terminal(plain), "text/html": html}


def money(value: object, digits: int = 4) -> str:
    """USD, or "unknown": an unknown cost is not 0."""
    return "unknown" if value is None else f"${float(str(value)):.{digits}f}"


def seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"


def say(line: str) -> None:
    """One line to the person who waits: under the cell of a notebook, else on standard error."""
    if surface() == "notebook" and shell() is not None:
        sys.modules["IPython"].display.display(_Shown(line, html_text(line)))
    else:
        sys.stderr.write(text.terminal(line) + "\n")
        sys.stderr.flush()


PROGRESS = "gen_toolkit.progress"
"""Marks, in its metadata, an output that only tells how far the work is: no result, and never twice the same."""


class _Shown:
    """What a notebook shows for progress; IPython asks for its representations."""

    def __init__(self, plain: str, html: str) -> None:
        self._bundle = bundle(plain, html)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, bool]]:
        return self._bundle, {PROGRESS: True}


class Progress:
    """Progress of `total` steps: a bar in a notebook, a line in a terminal, a few lines in a log.

    >>> with Progress("label-review", total=3) as progress:
    ...     progress.step("accuracy 1.00")
    """

    def __init__(self, label: str, total: int, *, every: float = 0.1) -> None:
        self.label, self.total, self.done = label, total, 0
        self._note: str | Callable[[], str] = ""
        self._every = every
        self._start = time.monotonic()
        self._shown = 0.0
        self._handle: Any = None
        self._mode = "log"
        if surface() == "notebook":
            self._mode = "notebook"
        elif surface() == "script" and sys.stderr.isatty():
            self._mode = "terminal"
        if self._mode == "log":
            self._every = 10.0

    def __enter__(self) -> Progress:
        self._show(force=self._mode != "log")
        return self

    def __exit__(self, *_: object) -> None:
        self._show(force=True)
        if self._mode == "terminal":
            sys.stderr.write("\n")

    def step(self, note: str | Callable[[], str] = "", count: int = 1) -> None:
        """`count` more are done. A note that takes work is given as a function, and made when it is shown."""
        self.done += count
        self._note = note or self._note
        self._show()

    def refresh(self, note: str) -> None:
        """Show it again, nothing more being done; `note` stands in where there is none yet."""
        if note and not self._note:
            self._note = note
        self._show()

    def _line(self) -> str:
        elapsed = time.monotonic() - self._start
        rate = self.done / elapsed if elapsed > 0 and self.done else 0.0
        left = f", {seconds((self.total - self.done) / rate)} left" if rate and self.done < self.total else ""
        said = self._note() if callable(self._note) else self._note
        note = f"  {said}" if said else ""
        return f"{self.label}  {self.done}/{self.total}  {seconds(elapsed)}{left}{note}"

    def _show(self, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._shown < self._every and self.done < self.total:
            return
        self._shown = now
        line = text.one_line(self._line(), 110)
        if self._mode == "terminal":
            sys.stderr.write(f"\r\x1b[2K{line}")
            sys.stderr.flush()
        elif self._mode == "notebook":
            self._publish(line)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def _publish(self, line: str) -> None:
        bar = f'<progress max="{self.total}" value="{self.done}" style="width:16em"></progress> '
        shown = _Shown(line, f"<div>{bar}<code>{text.html(line)}</code></div>")
        if self._handle is None and shell() is not None:
            self._handle = sys.modules["IPython"].display.display(shown, display_id=True)
        elif self._handle is not None:
            self._handle.update(shown)
