"""Two results side by side: the verdicts, and the rows that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from gen_toolkit import display, text
from gen_toolkit.evals.disagreements import Disagreements, disagreements
from gen_toolkit.evals.pairs import Filter, Pair, chosen, paired
from gen_toolkit.evals.verdict import Verdict
from gen_toolkit.views import with_view

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result


@dataclass(frozen=True)
class Comparison(Sequence[Verdict]):
    """The verdicts of one result against another, one a scorer, as a sequence; and its rows, pair by pair.

    In a notebook it shows replies side by side with the words that differ, filters, search and keys;
    `to_html` has the same without a kernel.
    """

    verdicts: tuple[Verdict, ...]
    mine: Result = field(compare=False, repr=False)
    theirs: Result = field(compare=False, repr=False)

    @overload
    def __getitem__(self, place: int) -> Verdict: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Verdict, ...]: ...
    def __getitem__(self, place: int | slice) -> Verdict | tuple[Verdict, ...]:
        return self.verdicts[place]

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def title(self) -> str:
        return f"{self.mine.title} against {self.theirs.title}"

    @property
    def scorer(self) -> str:
        """The one that says which rows are better and worse: the first that both have."""
        return self.verdicts[0].scorer

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The rows that both have, in order."""
        return paired(self.mine, self.theirs, self.scorer)

    def rows(
        self, show: Filter = "all", *, search: str = "", column: str | None = None, value: object = None
    ) -> list[Pair]:
        """The pairs that pass a filter, hold a text and have `value` in `column`; the worst first where they differ."""
        return chosen(self.pairs, show, search, None if column is None else (column, str(value)))

    @property
    def disagreements(self) -> Disagreements:
        """The rows that differ, as a table."""
        return disagreements(self.mine, self.theirs, self.scorer)

    def to_pandas(self) -> Any:
        """The rows that differ, those that got worse first."""
        return self.disagreements.to_pandas()

    def to_html(self, show: Filter = "all", *, most: int = 1000) -> str:
        """The rows that pass a filter, with what differs marked, as HTML that filters without a kernel.

        It holds no script and loads nothing; all texts are escaped. Of more than `most` rows it has the first,
        and says so: finding the words that differ takes milliseconds a row.
        """
        from gen_toolkit.evals.comparison_html import page

        return page(self, self.rows(show), most)

    def __repr__(self) -> str:
        return text.one_line(f"Comparison({self.title}: {'; '.join(map(str, self.verdicts))})", 400)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        differing = self.disagreements._repr_mimebundle_()
        said = "\n".join(map(str, self.verdicts))
        html = display.html_text(said) + differing["text/html"]
        return with_view("comparison", self, display.bundle(f"{said}\n{differing['text/plain']}", html))
