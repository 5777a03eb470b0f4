"""A page as plain data, which HTML and Markdown then say each in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "bad", "note", "plain"]
"""What a reader should think of it: nothing against it, a reason to say no, something to know, neither."""

Sign = Literal["=", "-", "+", "…"]
"""Of a line of a difference: kept, removed, added; or some lines that are left out."""


@dataclass(frozen=True)
class Value:
    """What a notebook, a model or a person wrote: it is shown, and never obeyed."""

    said: object
    is_code: bool = False


@dataclass(frozen=True)
class Mark:
    """A word that stands out."""

    level: Level
    said: str


@dataclass(frozen=True)
class Interval:
    """A mean, and where it is known its interval."""

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def bounds(self) -> str:
        return "" if self.low is None or self.high is None else f"[{self.low:.3f}, {self.high:.3f}]"

    def __str__(self) -> str:
        return f"{self.mean:.3f} {self.bounds}".rstrip()


@dataclass(frozen=True)
class Plot:
    """Two intervals on one axis: what is live (None: nothing to compare with), and what is new."""

    live: Interval | None
    new: Interval

    @property
    def axis(self) -> tuple[float, float]:
        """From 0 to 1 where that holds all of it, else what does."""
        ends = [end for one in (self.live, self.new) if one for end in (one.mean, one.low, one.high) if end is not None]
        low, high = min(ends), max(ends)
        if low >= 0 and high <= 1:
            return 0.0, 1.0
        return (low - 0.5, high + 0.5) if low == high else (low, high)


Piece = str | Value | Mark | Interval | Plot
"""A plain text is our own, and holds no sign of any markup."""
Said = tuple[Piece, ...]


@dataclass(frozen=True)
class Line:
    """A sentence or two."""

    said: Said


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[Said, ...], ...]


@dataclass(frozen=True)
class DiffLine:
    """A line, as the pieces that it was changed by; of lines that are left out how many."""

    sign: Sign
    pieces: tuple[tuple[Literal["=", "-", "+"], str], ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Diff:
    """Lines of a text that differs, or of one that is merely shown."""

    lines: tuple[DiffLine, ...]
    cut: int = 0
    """How many more lines there are, which the page does not show."""


@dataclass(frozen=True)
class Command:
    """What to type."""

    line: str


@dataclass(frozen=True)
class Fold:
    """Blocks under a line that opens and closes them."""

    title: Said
    blocks: tuple[Block, ...]
    is_open: bool = False


Block = Line | Table | Diff | Command | Fold


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """The verdict first, then what it rests on."""

    title: Said
    under: Said
    level: Level
    verdict: Said
    sections: tuple[Section, ...]


def joined(pieces: Sequence[Said], between: str = ", ") -> Said:
    """Pieces one after the other."""
    found: list[Piece] = []
    for number, piece in enumerate(pieces):
        found += [between, *piece] if number else piece
    return tuple(found)


def many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
