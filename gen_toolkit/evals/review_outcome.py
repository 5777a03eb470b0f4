"""What came of a review: a table, of two replies seen blind a verdict; and what MLflow is told of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gen_toolkit.evals.compare import verdict_of
from gen_toolkit.evals.traced import trace_rows
from gen_toolkit.evals.verdict import Verdict
from gen_toolkit.events import FileRecorded, emit
from gen_toolkit.tracking.assessments import assess_row

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result, RowResult
    from gen_toolkit.evals.review import Review
    from gen_toolkit.evals.review_items import Item

_SCORES = {"better": (1.0, 0.0), "tie": (0.0, 0.0), "worse": (0.0, 1.0)}  # of the result and the other
_MIRRORED = {"better": "worse", "tie": "tie", "worse": "better"}
_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def preference(review: Review) -> Verdict:
    """Whether the result was found better than the other, over the rows that got a label.

    The sign test: rows won and lost, ties left aside, as McNemar's exact test counts them (see `paired`);
    repeats of a row and rows of a group count together. The difference is the share of rows won less that
    of rows lost.
    """
    assert review.other is not None
    group = review.result.group or review.other.group
    found = review.outcomes
    return verdict_of(
        f"{review.name} by {review.reviewer}",
        [_SCORES[said] for said in found.values()],
        review.other.title,
        groups=[review.item(key).mine.group_by(group) for key in found],
    )


def table(review: Review) -> tuple[list[str], list[list[Any]]]:
    """A line for each row: what went in, the replies, what was said of them."""
    inputs = list(dict.fromkeys(name for item in review.items for name in item.mine.row))
    replies = ["A", "B"] if review.is_blind else ["output"]
    known = ["A is", "outcome"] if review.is_blind and review.is_ended else []
    columns = ["row", "repeat", *inputs, *replies, "label", "note", "skipped", "reviewer", *known]
    return columns, [_line(review, item, inputs, bool(known)) for item in review.items]


def _line(review: Review, item: Item, inputs: list[str], is_known: bool) -> list[Any]:
    said = review.said(item)
    row = item.mine.row
    line = [row.id, item.mine.repeat, *(row.get(name) for name in inputs), *(side.plain_value for side in item.sides)]
    line += [said.label, said.note, said.skipped, review.reviewer]
    if is_known:
        assert review.other is not None
        line += [(review.result if item.left == "mine" else review.other).title, review.outcomes.get(item.key)]
    return line


def tell(review: Review, said: Iterable[Item]) -> None:
    """MLflow: the labels of these rows as assessments, and the table, when all rows are through or it is over."""
    if not review.result.run:
        return
    for item in said:
        label = review.outcomes.get(item.key)
        if label is not None or not review.is_blind:
            _assess(review, review.result, item.mine, label, review.said(item).note)
        if label is not None and item.theirs is not None and review.other is not None and review.other.run:
            _assess(review, review.other, item.theirs, _MIRRORED[label], review.said(item).note)
    if review.is_ended or (not review.is_blind and review.done == len(review.items)):
        columns, rows = table(review)
        content = json.dumps({"columns": columns, "data": rows}, ensure_ascii=False, indent=1)
        file = f"review/{_NO_NAME.sub('_', f'{review.name} by {review.reviewer}')}.json"
        emit(FileRecorded(run=review.result.run, file=file, content=content))


def _assess(review: Review, result: Result, row: RowResult, label: str | None, note: str) -> None:
    trace_rows(result, [row])
    id_, repeat = row.row.id, row.repeat
    assess_row(result.run, id_, review.name, label, repeat=repeat, reason=note, by=review.reviewer, source="human")
