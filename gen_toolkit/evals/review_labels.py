"""The labels of a review, and what was said of a row with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import InputError
from gen_toolkit.evals.review_items import Item
from gen_toolkit.events import Reviewed

BLIND = ("B better", "tie", "A better")
"""The labels of two replies seen blind, from the worst for A to the best."""
OUTCOMES = ("worse", "tie", "better")
"""What they say of the result that is reviewed, where A is its reply."""
_MOST = 9  # one digit each
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Said:
    """What a reviewer said of a row so far."""

    label: str | None = None
    note: str = ""
    skipped: bool = False

    @property
    def is_decided(self) -> bool:
        return self.label is not None


NOTHING = Said()


def checked(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels, where digits can give them. Raises InputError."""
    given: Any = labels  # whatever the annotation says
    found = () if isinstance(given, str) else tuple(given)
    if not 2 <= len(found) <= _MOST or len(set(found)) < len(found):
        raise InputError(f"labels={text.one_line(repr(given), 80)} cannot be given by keys", fix="Give 2 to 9 labels.")
    if not all(isinstance(label, str) and label.strip() for label in found):
        raise InputError("a label of a review is a text", fix='Such as labels=["bad", "good"], the worst first.')
    return found


def named(given: Any, what: str) -> str:
    """A name that MLflow can store. Raises InputError."""
    if not isinstance(given, str) or not given.strip() or len(given) > _LONGEST_NAME:
        shown = text.one_line(repr(given), 60)
        raise InputError(f"{what}={shown} is no name", fix=f"Give a text of 1 to {_LONGEST_NAME} characters.")
    return given


def turned(step: Reviewed, item: Item) -> str | None:
    """The label as it is now, where the sides were the other way round when it was given."""
    if step.label is None or not step.left or step.left == item.left:
        return step.label
    return BLIND[2 - BLIND.index(step.label)]
