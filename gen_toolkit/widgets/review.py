"""The interactive view of a review: one row at a time, by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit.widgets.review_state import ReviewState, keys

if TYPE_CHECKING:
    from gen_toolkit.evals.review import Review
    from gen_toolkit.widgets.pane import Pane


def view(review: Review) -> Pane:
    from gen_toolkit.widgets.pane import Pane
    from gen_toolkit.widgets.review_html import drawn

    state = ReviewState(review)
    return Pane(keys(review), {"n": "note"}, state.hear, lambda: (drawn(state), state.on))
