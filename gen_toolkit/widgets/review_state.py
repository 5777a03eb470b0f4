"""Where a reviewer is: which row is looked at, and what a key does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_toolkit.errors import GenToolkitError

if TYPE_CHECKING:
    from gen_toolkit.evals.review import Review
    from gen_toolkit.evals.review_items import Item

_NEXT, _BACK = ("j", "ArrowRight", "ArrowDown"), ("k", "ArrowLeft", "ArrowUp")
_OTHERS = ("u", "s", "Enter")


def keys(review: Review) -> list[str]:
    return [str(number) for number in range(1, len(review.labels) + 1)] + [*_NEXT, *_BACK, *_OTHERS]


class ReviewState:
    """Changed by what is pressed. What was said is the review's, which has it durable before the next row is shown."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.item: Item | None = review.next_after()
        """None: all rows have a label."""
        self.problem = ""
        """Why the last key did nothing."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The labels in the order of their digits."""
        labels = self.review.labels
        return (labels[2], labels[0], labels[1]) if self.review.is_blind else labels

    @property
    def on(self) -> str:
        return "end" if self.item is None else str(self.item.number)

    def hear(self, what: str, value: str, on: str) -> None:
        """What is pressed, and on which row. What is said is said of the row that was seen, or of none."""
        self.problem = ""
        try:
            if what == "note":
                self._note(value, on)
            elif what == "key" and value in (*_NEXT, *_BACK):
                self._step(1 if value in _NEXT else -1)
            elif on == self.on:
                self._hear(what, value)
        except GenToolkitError as error:  # a message that is not for a cell would be seen by nobody
            self.problem = str(error)

    def _hear(self, what: str, value: str) -> None:
        item = self.item
        if what == "key" and value == "u":
            self.item = self.review.undo() or item
        elif what == "key" and value == "Enter":
            if item is None and not self.review.is_ended:
                self.review.end()
        elif item is None:
            return
        elif what == "key" and value == "s":
            self.review.skip(item)
            self.item = self.review.next_after(item)
        elif what == "key" and value.isdigit() and 0 < int(value) <= len(self.choices):
            self.review.label(item, self.choices[int(value) - 1])
            self.item = self.review.next_after(item)

    def _step(self, by: int) -> None:
        items = self.review.items
        place = (len(items) if self.item is None else self.item.number) + by
        if place < len(items):
            self.item = items[max(0, place)]
        elif self.review.next_after() is None:
            self.item = None

    def _note(self, note: str, on: str) -> None:
        if on.isdigit() and int(on) < len(self.review.items):
            item = self.review.items[int(on)]
            if note != self.review.said(item).note:
                self.review.note(item, note)
