"""The interactive view of a comparison: one row at a time, by keys or clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit.widgets.compare_state import KEYS, CompareState

if TYPE_CHECKING:
    from gen_toolkit.evals.comparison import Comparison
    from gen_toolkit.widgets.pane import Pane


def view(comparison: Comparison) -> Pane:
    from gen_toolkit.widgets.compare_html import drawn
    from gen_toolkit.widgets.pane import Pane

    state = CompareState(comparison.pairs)
    return Pane(KEYS, {"/": "search"}, state.hear, lambda: (drawn(comparison, state), state.on))
