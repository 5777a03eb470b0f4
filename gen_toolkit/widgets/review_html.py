"""How a review looks while it is done. Scores, costs and reasons are not shown: they would lead the reviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit import display, text
from gen_toolkit.evals.comparison_html import inputs_html, marked, reply_text
from gen_toolkit.prompts.diff import words

if TYPE_CHECKING:
    from gen_toolkit.evals.review_items import Item
    from gen_toolkit.widgets.review_state import ReviewState

_REPLY = 'style="white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0;font:inherit"'
_SIDE = 'style="flex:1 1 20em;min-width:0;border-left:3px solid #8884;padding-left:10px"'


def drawn(state: ReviewState) -> str:
    review = state.review
    guidelines = ""
    if review.guidelines:
        guidelines = f"<details open><summary>guidelines</summary>{display.html_text(review.guidelines)}</details>"
    problem = f'<p role="alert"><b>{text.html(state.problem)}</b></p>' if state.problem else ""
    body = _end(state) if state.item is None else _row(state, state.item)
    return f"{_progress(state)}{guidelines}{problem}{body}{_keys(state)}"


def _progress(state: ReviewState) -> str:
    review = state.review
    skipped = sum(review.said(item).skipped and not review.said(item).is_decided for item in review.items)
    put_aside = f", {skipped} skipped" if skipped else ""
    count = len(review.items)
    return (
        f"<div><b>{text.html(review.name)}</b> "
        f'<span style="opacity:.7">{text.html(f"{review.result.title} · reviewer {review.reviewer}")}</span></div>'
        f'<div><progress max="{count}" value="{review.done}" style="width:16em"></progress> '
        f'<span data-shown="progress">{review.done} of {count} labelled{put_aside}</span></div>'
    )


def _row(state: ReviewState, item: Item) -> str:
    said = state.review.said(item)
    buttons = "".join(
        f'<button data-do="key" data-value="{number}" aria-pressed="{str(label == said.label).lower()}">'
        f"<kbd>{number}</kbd> {text.html(label)}</button>"
        for number, label in enumerate(state.choices, 1)
    )
    return (
        f'<div data-shown="row" style="border-top:1px solid #8885;margin-top:6px;padding-top:6px">'
        f"{inputs_html(item.mine)}"
        f'<div style="display:flex;flex-wrap:wrap;gap:16px;margin:6px 0">{_replies(item)}</div></div>'
        f"<div>{buttons}"
        f'<input data-name="note" type="text" placeholder="note" aria-label="note" size="40" '
        f'value="{text.html(said.note)}"></div>'
    )


def _replies(item: Item) -> str:
    texts = [reply_text(side) for side in item.sides]
    if len(texts) == 1:
        return f"<div {_SIDE}><div {_REPLY}>{text.html(texts[0])}</div></div>"
    pieces = words(texts[0], texts[1])
    shown = zip("AB", (marked(pieces, "-", is_blind=True), marked(pieces, "+", is_blind=True)), strict=True)
    return "".join(f"<div {_SIDE}><div><b>{name}</b></div><div {_REPLY}>{reply}</div></div>" for name, reply in shown)


def _end(state: ReviewState) -> str:
    review = state.review
    counts = review.counts
    table = display.html_table(["label", "rows"], list(counts.items()))
    said = "All rows have a label."
    if review.is_blind and not review.is_ended:
        said += " Enter ends the review and shows whose replies they were; then no label can be changed."
    found = review.preference
    verdict = display.html_text(str(found)) if found is not None else ""
    return f'<div data-shown="end"><p>{said}</p>{table}{verdict}</div>'


def _keys(state: ReviewState) -> str:
    known = [("digits", "label"), ("← →", "back, on"), ("u", "undo"), ("s", "skip"), ("n", "note")]
    told = " · ".join(f"<kbd>{key}</kbd> {what}" for key, what in known)
    place = "" if state.item is None else f"row {state.item.number + 1} of {len(state.review.items)} · "
    return f'<div style="opacity:.7;margin-top:4px">{place}{told}</div>'
