"""A person labels the rows of a result; what was said is durable at once, and is taken up where it was left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gen_toolkit import display, text
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.errors import InputError, nearest
from gen_toolkit.evals.agreement import Agreement
from gen_toolkit.evals.review_items import Item, items
from gen_toolkit.evals.review_labels import BLIND, NOTHING, OUTCOMES, Said, checked, named, turned
from gen_toolkit.evals.review_outcome import preference, table, tell
from gen_toolkit.events import Reviewed, emit
from gen_toolkit.messages.request import digest
from gen_toolkit.tracking.registry import author
from gen_toolkit.tracking.reviews import steps
from gen_toolkit.views import with_view

if TYPE_CHECKING:
    from gen_toolkit.evals.result import Result
    from gen_toolkit.evals.verdict import Verdict


class Review:
    """A review by one person. In a notebook it shows itself, to be done by keyboard; see `result.review`.

    Everything that a key does is a method, too. Rows are named by their id, repeats by (id, repeat).
    """

    def __init__(
        self,
        result: Result,
        *,
        labels: Sequence[str] = ("bad", "good"),
        guidelines: str = "",
        other: Result | None = None,
        name: str = "review",
        reviewer: str | None = None,
        seed: int = 0,
    ) -> None:
        self.labels = BLIND if other is not None else checked(labels)
        self.result, self.other, self.guidelines, self.seed = result, other, guidelines, seed
        self.name, self.reviewer = named(name, "name"), named(author() if reviewer is None else reviewer, "reviewer")
        self.items = items(result, other, seed)
        self.is_ended = False
        self._by_key = {item.key: item for item in self.items}
        self._said: dict[tuple[str, int], Said] = {}
        self._before: list[tuple[Item, Said]] = []
        self._elsewhere: list[Item] = []
        """Rows of which the ledger knows something under another run with the same replies."""
        self._whole = digest([item.subject for item in self.items])[:32]
        self._take_up()

    @property
    def is_blind(self) -> bool:
        return self.other is not None

    @property
    def done(self) -> int:
        """Rows with a label."""
        return sum(self.said(item).is_decided for item in self.items)

    def said(self, row: Item | str | tuple[str, int]) -> Said:
        """What was said of a row so far."""
        return self._said.get(self.item(row).key, NOTHING)

    def item(self, row: Item | str | tuple[str, int]) -> Item:
        """The row of an id. Raises InputError where it is none that is reviewed."""
        key = row.key if isinstance(row, Item) else (row, 0) if isinstance(row, str) else row
        if key not in self._by_key:
            raise InputError(f"row {key[0]!r} is not in this review", fix=nearest(key[0], [r for r, _ in self._by_key]))
        return self._by_key[key]

    def label(self, row: Item | str | tuple[str, int], label: str, note: str | None = None) -> None:
        """Say what a row is; said again, the last counts. Durable when this returns. Raises InputError."""
        if label not in self.labels:
            known = ", ".join(self.labels)
            raise InputError(f"{label!r} is no label of this review", fix=f"There are: {known}.")
        held = self.said(row)
        self._say(self.item(row), Said(label, held.note if note is None else note))

    def note(self, row: Item | str | tuple[str, int], note: str) -> None:
        """A remark on a row, beside its label or without one."""
        self._say(self.item(row), replace(self.said(row), note=note))

    def skip(self, row: Item | str | tuple[str, int]) -> None:
        """Put a row aside: it comes again after all others. A label that it has goes."""
        self._say(self.item(row), replace(self.said(row), label=None, skipped=True))

    def undo(self) -> Item | None:
        """Take back what was done last, also in an earlier session; returns its row, None where there is nothing."""
        self._check_open()
        if not self._before:
            return None
        item, before = self._before[-1]
        self._record(item, before, undone=True)
        self._before.pop()
        return item

    def next_after(self, item: Item | None = None) -> Item | None:
        """The row to look at next: the first without a label after this one, then from the top, then those skipped."""
        start = 0 if item is None else item.number + 1
        order = [*self.items[start:], *self.items[:start]]
        open_rows = [row for row in order if not self.said(row).is_decided]
        return next((row for row in open_rows if not self.said(row).skipped), open_rows[0] if open_rows else None)

    def end(self) -> None:
        """It is over. Of a blind review one now sees whose replies they were; what was said cannot change any more.

        Said again, MLflow is told again.
        """
        if not self.is_ended:
            emit(self._event(self.items[0], NOTHING, ended=True))
        self.is_ended = True
        tell(self, self.items if self.is_blind else ())

    @property
    def outcomes(self) -> dict[tuple[str, int], str]:
        """The labels so far, by (row id, repeat). Of a blind review that is over, what they say of this result:
        `worse`, `tie` or `better` than the other."""
        labelled = {item.key: (item, self.said(item).label) for item in self.items if self.said(item).is_decided}
        return {key: self._outcome(item, str(label)) for key, (item, label) in labelled.items()}

    def _outcome(self, item: Item, label: str) -> str:
        if not (self.is_blind and self.is_ended):
            return label
        place = self.labels.index(label)
        return OUTCOMES[place if item.left == "mine" else 2 - place]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each label, or outcome."""
        said = list(self.outcomes.values())
        return {label: said.count(label) for label in (OUTCOMES if self.is_blind and self.is_ended else self.labels)}

    @property
    def preference(self) -> Verdict | None:
        """Of a blind review that is over: whether this result is better than the other. Else None."""
        return preference(self) if self.is_blind and self.is_ended else None

    def agreement(self, other: Review) -> Agreement:
        """Cohen's kappa with another review of the same replies by the same labels. Raises InputError.

        Labels stand in the order from the worst to the best: near misses count as near.
        """
        if self.labels != other.labels or self.is_blind != other.is_blind:
            raise InputError("the two reviews do not have the same labels", fix="Review with the same labels=.")
        mine, theirs = self._by_subject(), other._by_subject()
        pairs = [(label, theirs[subject]) for subject, label in mine.items() if subject in theirs]
        if not pairs:
            raise InputError("there is no row that both have labelled", fix="Review the same result.")
        raters = (self.reviewer, other.reviewer)
        rows = self.result.dataset_digest
        return Agreement.of(pairs, self.labels, judge="", failed=0, dataset=rows, raters=raters)

    def _by_subject(self) -> dict[str, str]:
        """Labels by what was looked at; of two replies, as if the first were on the left."""
        found = {}
        for item in self.items:
            label = self.said(item).label
            if label is not None:
                place = self.labels.index(label)
                found[item.subject] = self.labels[place if item.left == "mine" else len(self.labels) - 1 - place]
        return found

    def to_dataset(self, label: str, value: str) -> Dataset:
        """The labelled rows with the label and the reply as columns of these names: what a judge is calibrated with."""
        if self.is_blind and not self.is_ended:
            raise InputError("a blind review says nothing before it is over", fix="review.end()")
        said = self.outcomes
        chosen = [item for item in self.items if item.key in said]
        rows = [{**item.mine.row, label: said[item.key], value: item.mine.plain_value} for item in chosen]
        ids = [row_id if not repeat else f"{row_id}#{repeat}" for row_id, repeat in (item.key for item in chosen)]
        return Dataset(rows, name=f"{self.name} by {self.reviewer}", ids=ids)

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """(columns, rows): a line for each row. Whose replies A and B are stands in it when a blind review is over."""
        return table(self)

    def to_pandas(self) -> Any:
        import pandas

        columns, rows = self.table()
        return pandas.DataFrame(rows, columns=columns).set_index("row")

    def _take_up(self) -> None:
        """What the ledger knows of this reviewer and these replies, of whatever run."""
        known = {item.subject: item for item in self.items}
        last_run: dict[tuple[str, int], str] = {}
        for step in steps(self.name, self.reviewer):
            if tuple(step.scale) != self.labels:
                continue
            if step.ended:
                self.is_ended = self.is_ended or step.subject == self._whole
            elif step.subject in known:
                item = known[step.subject]
                now, before = Said(turned(step, item), step.note, step.skipped), self.said(item)
                if step.undone and self._before:
                    self._before.pop()
                elif now != before:
                    self._before.append((item, before))
                self._said[item.key] = now
                last_run[item.key] = step.run
        self._elsewhere = [item for item in self.items if last_run.get(item.key, self.result.run) != self.result.run]

    def _say(self, item: Item, now: Said) -> None:
        self._check_open()
        while self._elsewhere:  # said of the same replies under another run: now this run has it, too
            self._record(self._elsewhere[-1], self.said(self._elsewhere[-1]))
            self._elsewhere.pop()
        before = self.said(item)
        self._record(item, now)
        self._before.append((item, before))

    def _record(self, item: Item, now: Said, *, undone: bool = False) -> None:
        held = self.said(item).label
        emit(self._event(item, now, undone=undone))
        self._said[item.key] = now
        if not self.is_blind and (held or now.label):
            tell(self, [item])

    def _check_open(self) -> None:
        if self.is_blind and self.is_ended:
            raise InputError(
                "this review is over, and you have seen whose replies they were", fix="Give it another name=."
            )

    def _event(self, item: Item, said: Said, *, undone: bool = False, ended: bool = False) -> Reviewed:
        row, repeat = item.key
        return Reviewed(
            run=self.result.run,
            review=self.name,
            reviewer=self.reviewer,
            scale=list(self.labels),
            row=row,
            repeat=repeat,
            subject=self._whole if ended else item.subject,
            label=said.label,
            note=said.note,
            skipped=said.skipped,
            left=item.left if self.is_blind else "",
            seed=self.seed,
            undone=undone,
            ended=ended,
        )

    def __repr__(self) -> str:
        what = f"{self.name} of {self.result.title} by {self.reviewer}"
        return text.one_line(f"Review({what}: {self.done} of {len(self.items)} rows labelled)", 400)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown = display.html_table(["label", "rows"], list(self.counts.items()))
        plain = display.bundle(repr(self), display.html_card(self.name, repr(self), shown))
        return with_view("review", self, plain)
