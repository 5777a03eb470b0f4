"""A difference for a terminal, and for a notebook: one line that says it all, and what it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit import display, text
from gen_toolkit.text import one_line, terminal

if TYPE_CHECKING:
    from gen_toolkit.releases.difference import Difference

_FACTS = ("prompts", "parameters", "models", "include", "environment")
_MOST = 100  # of a kind; a notebook that shows more is not read


def plain(found: Difference) -> str:
    """All of it; `[-what went-]` and `{+what came+}`."""
    parts = [f"{found.old} → {found.new}: {terminal(found.summary())}"]
    for change in (*found.cells, *found.texts, *found.files):
        parts.append("\n".join([one_line(change.part), *(f"  {x}" for x in terminal(change.shown()).split("\n"))]))
    for kind in _FACTS[1:]:  # versions of prompts are in the first line
        facts = getattr(found, kind)
        if facts:
            parts.append("\n".join([kind, *(f"  {one_line(str(fact), 160)}" for fact in facts)]))
    return "\n\n".join(parts)


def bundle(found: Difference) -> dict[str, str]:
    """What IPython asks for: the line, and folded what it stands for."""
    said = display.html_text(found.summary())
    return display.bundle(
        plain(found), display.html_card(f"{found.new} against {found.old}", "", said, _details(found))
    )


def _details(found: Difference) -> str:
    changes = (*found.texts, *found.cells, *found.files)
    parts = [f"<div><i>{text.html(one_line(x.part))}</i></div>{display.html_words(x.pieces)}" for x in changes[:_MOST]]
    if len(changes) > _MOST:
        parts.append(display.html_text(f"{len(changes) - _MOST} more changes are not shown"))
    for kind in _FACTS:
        facts = getattr(found, kind)
        if facts:
            rows = [[fact.name, fact.old, fact.new] for fact in facts[:_MOST]]
            parts.append(display.html_table([kind, found.old, found.new], rows))
    return "".join(parts)
