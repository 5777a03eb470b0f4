"""How a comparison looks while it is gone through. Everything that is not ours is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit import text
from gen_toolkit.evals.comparison_html import pair_html, verdicts_html
from gen_toolkit.evals.pairs import FILTERS

if TYPE_CHECKING:
    from gen_toolkit.evals.comparison import Comparison
    from gen_toolkit.widgets.compare_state import CompareState


def drawn(comparison: Comparison, state: CompareState) -> str:
    """Score and verdict on top, then what rows can be picked by, then one row on both sides."""
    pair = state.pair
    if pair is None:
        row = "<p>No row passes.</p>"
    else:
        names = [verdict.scorer for verdict in comparison]
        row = pair_html(pair, (comparison.theirs.title, comparison.mine.title), names)
    place = f"{state.place + 1 if pair else 0} of {len(state.rows)}"
    return (
        f"<div><b>{text.html(comparison.title)}</b></div>{verdicts_html(comparison)}"
        f'<div style="margin:6px 0">{_filters(state)}</div>'
        f'<div style="margin:6px 0">{_search(state)}{_parts(state)}'
        f'<button data-do="key" data-value="k" aria-label="previous row">‹</button>'
        f'<button data-do="key" data-value="j" aria-label="next row">›</button>'
        f'<span data-shown="place">{place}</span> '
        '<span style="opacity:.7"><kbd>j</kbd> <kbd>k</kbd> next, previous · <kbd>/</kbd> search</span></div>'
        f'<div data-shown="row" style="border-top:1px solid #8885;padding-top:6px">{row}</div>'
    )


def _filters(state: CompareState) -> str:
    return "".join(
        f'<button data-do="filter" data-value="{show}" aria-pressed="{str(show == state.show).lower()}">'
        f"<kbd>{number}</kbd> {show} {state.counts[show]}</button>"
        for number, show in enumerate(FILTERS, 1)
    )


def _search(state: CompareState) -> str:
    return (
        f'<input data-name="search" data-live type="search" placeholder="search" aria-label="search" '
        f'value="{text.html(state.search)}">'
    )


def _parts(state: CompareState) -> str:
    if not state.parts:
        return ""
    options = "".join(
        f'<option value="{number}"{" selected" if str(number) == state.part else ""}>'
        f"{text.html(text.one_line(f'{column} = {value}', 60))}</option>"
        for number, (column, value) in enumerate(state.parts)
    )
    return f'<select data-name="part" aria-label="rows with"><option value="">all rows</option>{options}</select>'
