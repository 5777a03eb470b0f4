"""What a reviewer is asked about: rows of a result, or pairs of replies in an order that says nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gen_toolkit.errors import InputError
from gen_toolkit.evals.pairs import shared_rows
from gen_toolkit.messages.request import digest

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result, RowResult

Side = Literal["mine", "theirs"]


@dataclass(frozen=True)
class Item:
    """A row to be labelled; with `theirs`, the reply of another result to the same row."""

    number: int
    mine: RowResult
    theirs: RowResult | None = None
    left: Side = "mine"
    """Whose reply is A, on the left."""

    @property
    def key(self) -> tuple[str, int]:
        return self.mine.row.id, self.mine.repeat

    @property
    def subject(self) -> str:
        """A digest of what is looked at: the row and the replies, not the run that brought them."""
        theirs = [] if self.theirs is None else [self.theirs.plain_value]
        return digest([*self.key, self.mine.plain_value, *theirs])[:32]

    @property
    def sides(self) -> tuple[RowResult, ...]:
        """The replies as they are shown: A before B."""
        if self.theirs is None:
            return (self.mine,)
        return (self.mine, self.theirs) if self.left == "mine" else (self.theirs, self.mine)


def items(result: Result, other: Result | None, seed: int) -> tuple[Item, ...]:
    """The rows that can be judged, in order: those that have a reply, and of two replies those that differ.

    Raises InputError where none is left.
    """
    if other is None:
        found = [Item(n, row) for n, row in enumerate(row for row in result.rows if row.error is None)]
        why = "no row of it has a reply"
    else:
        pairs = [(a, b) for a, b in shared_rows(result, other) if a.error is None and b.error is None]
        differing = [(a, b) for a, b in pairs if a.plain_value != b.plain_value]
        found = [Item(n, a, b, _left(seed, a)) for n, (a, b) in enumerate(differing)]
        why = (
            "the replies of both are the same in every row" if pairs else "they share no row that both have a reply to"
        )
    if not found:
        raise InputError(f"there is nothing to review in {result.title!r}: {why}", fix="Look at result.failed.")
    return tuple(found)


def _left(seed: int, row: RowResult) -> Side:
    """By the seed and the row alone, so that the same review has the same order when it is taken up again."""
    return random.Random(f"{seed}\n{row.repeat}\n{row.row.id}").choice(("mine", "theirs"))  # noqa: S311 - no secret
