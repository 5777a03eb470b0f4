"""What a playground shows, as HTML. Every text goes through the escaping sink; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable

from gen_toolkit import display, text
from gen_toolkit.messages.request import Rendered, content_text
from gen_toolkit.prompts.diff import Change
from gen_toolkit.widgets.tries import Answer

MOST_SHOWN = 20_000  # characters of one text; a browser lays out no more at each key
_QUIET = "opacity:.7;font-size:12px"
_BOX = "border:1px solid #8885;border-radius:6px;padding:6px 10px;margin:0 0 6px 0"
_RED = "color:#c62828;line-height:1.4;overflow-wrap:anywhere"


def heading(name: str, note: str) -> str:
    return f'<b style="font-size:15px">{text.html(name)}</b> <span style="{_QUIET}">{text.html(note)}</span>'


def quiet(line: str) -> str:
    return f'<span style="{_QUIET}">{text.html(line)}</span>'


def fault(line: str) -> str:
    """What is wrong, in one line that a screen reader says; nothing for nothing."""
    return f'<div role="alert" style="{_RED}">{text.html(text.one_line(line, 600))}</div>' if line else ""


def messages(rendered: Rendered) -> str:
    """The messages as the model gets them."""
    return "".join(
        f'<div style="{_BOX}"><i>{text.html(message["role"])}</i>{_block(content_text(message))}</div>'
        for message in rendered.messages
    )


def changes(found: Iterable[Change], against: str) -> str:
    """Word differences: struck out what went, marked what came."""
    parts = [
        f'<div style="{_BOX}"><i>{text.html(change.part)}</i>{display.html_words(change.pieces)}</div>'
        for change in found
    ]
    return quiet(f"{'against' if parts else 'nothing differs from'} {against}") + "".join(parts)


def code(written: str) -> str:
    """A cell to copy: one click selects all of it."""
    pre = f'<pre tabindex="0" style="user-select:all;white-space:pre-wrap;margin:4px 0">{text.html(written)}</pre>'
    return quiet("a click selects all; copy it into a cell") + f'<div style="{_BOX}">{pre}</div>'


def answer(given: Answer) -> str:
    """A model's column: its name, what it says, what that took; an error as one line."""
    value = "" if given.reply is None or given.reply.value == given.reply.text else repr(given.reply.value)
    note = given.facts if given.state == "done" else " · ".join(filter(None, [given.state, given.facts]))
    return (
        f'<div style="{_BOX};min-height:3em"><b>{text.html(given.model)}</b> <span style="{_QUIET}">{text.html(note)}'
        f"</span>{_block(given.text)}{quiet(f'value: {text.one_line(value, 400)}') if value else ''}"
        f"{fault(given.error)}</div>"
    )


def _block(said: str) -> str:
    shown = text.terminal(said)  # before it is cut: half a secret would not be known for one
    more = len(shown) - MOST_SHOWN
    return display.html_text(shown[:MOST_SHOWN]) + (quiet(f"… and {more:,} characters more") if more > 0 else "")
