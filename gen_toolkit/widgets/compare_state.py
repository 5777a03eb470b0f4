"""Where one is in a comparison: which rows are picked, and which of them is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from gen_toolkit.evals.pairs import FILTERS, Filter, Pair, chosen, counts, parts

_NEXT, _BACK = ("j", "ArrowRight", "ArrowDown"), ("k", "ArrowLeft", "ArrowUp")
_BY_NUMBER = {str(number): show for number, show in enumerate(FILTERS, 1)}
KEYS = [*_NEXT, *_BACK, *_BY_NUMBER, "Home", "End"]


class CompareState:
    """Changed by what is pressed. Knows no widget."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self.parts = parts(pairs)
        self.counts = counts(pairs)
        self.show: Filter = "all"
        self.search = ""
        self.part = ""
        """Which of `parts`, by its number as a text; "": all rows."""
        self.place = 0
        self.rows = list(pairs)

    @property
    def pair(self) -> Pair | None:
        """The row that is looked at; None where none is picked."""
        return self.rows[self.place] if self.rows else None

    @property
    def on(self) -> str:
        return "" if self.pair is None else str(self.pair.number)

    def hear(self, what: str, value: str, _: str) -> None:
        """A key, a filter, a text that is searched, or a part of the rows. What is not known changes nothing."""
        if what == "key":
            self._key(value)
        elif what == "filter" and value in FILTERS:
            self._pick(show=value)
        elif what == "search":
            self._pick(search=value)
        elif what == "part":
            self._pick(part=value if value.isdigit() and int(value) < len(self.parts) else "")

    def _key(self, key: str) -> None:
        if key in _BY_NUMBER:
            self._pick(show=_BY_NUMBER[key])
            return
        last = max(0, len(self.rows) - 1)
        steps = {**dict.fromkeys(_NEXT, self.place + 1), **dict.fromkeys(_BACK, self.place - 1), "Home": 0, "End": last}
        self.place = min(last, max(0, steps.get(key, self.place)))

    def _pick(self, *, show: Filter | None = None, search: str | None = None, part: str | None = None) -> None:
        """Other rows; one that is looked at stays in view where it is among them."""
        before = self.pair
        self.show = self.show if show is None else show
        self.search = self.search if search is None else search
        self.part = self.part if part is None else part
        picked = self.parts[int(self.part)] if self.part else None
        self.rows = chosen(self._pairs, self.show, self.search, picked)
        stays = show is None and before in self.rows
        self.place = self.rows.index(before) if stays and before is not None else 0
