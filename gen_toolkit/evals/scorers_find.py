"""Scorers that look for something in the answer: texts, or a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.score import Score, Scorer
from gen_toolkit.evals.scorers_check import column_name, one_of, shown, text_of, texts_of


@dataclass(frozen=True)
class _Contains:
    column: str | None
    texts: tuple[str, ...]
    require: str
    ignore_case: bool
    whole_words: bool
    name: str
    range = (0.0, 1.0)
    inline = True

    def __call__(self, value: Any, row: Row) -> Score:
        wanted = texts_of(row, self.column, self.name) if self.column is not None else self.texts
        said = text_of(value, self.name)
        if said is None:
            return Score(0.0, "the value is None")
        missing = [text for text in wanted if not self._holds(said, text)]
        right = not missing if self.require == "all" else len(missing) < len(wanted)
        what = "missing: " if self.require == "all" else "none of: "
        return Score(float(right), "" if right else what + ", ".join(shown(text) for text in missing[:5]))

    def _holds(self, said: str, text: str) -> bool:
        if self.ignore_case:
            said, text = said.casefold(), text.casefold()
        if not self.whole_words:
            return text in said
        return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said) is not None


def contains(
    column: str | None = None,
    *,
    texts: str | Sequence[str] | None = None,
    require: Literal["all", "any"] = "all",
    ignore_case: bool = True,
    whole_words: bool = False,
    name: str = "contains",
) -> Scorer:
    """Right when the value contains the text of the row's `column`, or the given `texts`.

    Of several texts (a list in the column, or in `texts`) all must be there, or with `require="any"` one.
    With `whole_words` "cat" is not in "concatenate".
    """
    if (column is None) == (texts is None):
        raise ScorerError(
            "scorer 'contains' looks for the text of a column, or for texts=, and needs one of the two",
            fix='Write gt.scorers.contains("column") or gt.scorers.contains(texts=["…"]).',
            scorer="contains",
        )
    one_of(require, ("all", "any"), "require", "contains")
    wanted: tuple[Any, ...] = () if texts is None else (texts,) if isinstance(texts, str) else tuple(texts)
    if texts is not None and not (wanted and all(isinstance(text, str) and text for text in wanted)):
        raise ScorerError(
            f"scorer 'contains': texts={shown(texts)} holds what is no text, or an empty one",
            fix="Give a text, or a list of texts.",
            scorer="contains",
        )
    column = None if column is None else column_name(column, "contains")
    return _Contains(column, wanted, require, ignore_case, whole_words, name)


@dataclass(frozen=True)
class _Regex:
    pattern: str
    absent: bool
    name: str
    matches: Callable[[str], bool] = field(repr=False, compare=False)
    range = (0.0, 1.0)
    inline = True

    def __call__(self, value: Any, row: Row) -> Score:  # noqa: ARG002 - how scorers are called
        said = text_of(value, self.name)
        if said is None:
            return Score(0.0, "the value is None")
        right = self.matches(said) != self.absent
        found = "matches" if self.absent else "does not match"
        return Score(float(right), "" if right else f"{shown(said, 120)} {found} {self.pattern}")


def regex(pattern: str, *, full: bool = False, absent: bool = False, name: str = "regex") -> Scorer:
    """Right when the pattern is found in the value; with `full` the whole value, with `absent` not at all.

    The pattern is matched by Rust's regex crate, which takes time linear in the text whatever the pattern
    (https://docs.rs/regex), so that no pattern can hang an evaluation as (a+)+$ hangs Python's `re`. It
    has no look-around and no back-references; options stand inside: (?i), (?s), (?m).
    """
    given: Any = pattern  # whatever the annotation says
    if not isinstance(given, str):
        raise ScorerError(f"scorer 'regex': {shown(given)} is no pattern", fix='Write r"…".', scorer="regex")
    matches = _linear(pattern)
    if full:
        matches = _linear(rf"\A(?:{pattern})\z")
    return _Regex(pattern, absent, name, matches)


def _linear(pattern: str) -> Callable[[str], bool]:
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    try:
        schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
        validator = SchemaValidator(schema)
    except SchemaError as error:
        raise ScorerError(
            f"scorer 'regex': {shown(pattern)} cannot be used: {_reason(str(error))}",
            fix="Look-around and back-references are not supported: a function of (value, row) may use Python's re.",
            scorer="regex",
        ) from None

    def matches(text: str) -> bool:
        # half a surrogate pair is no text to Rust
        return validator.isinstance_python(text.encode("utf-8", "replace").decode("utf-8"))

    return matches


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), lines[-1])
