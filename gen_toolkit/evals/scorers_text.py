"""Scorers that compare the whole answer with the row: as it is, or without what does not matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals.score import Score, Scorer
from gen_toolkit.evals.scorers_check import column_name, one_of, shown, text_of, texts_of

Ignored = Literal["case", "punctuation", "articles"]
_IGNORED = ("case", "punctuation", "articles")
_APOSTROPHES = "'’ʼ"


@dataclass(frozen=True)
class _Exact:
    column: str
    name: str
    range = (0.0, 1.0)
    inline = True

    def __call__(self, value: Any, row: Row) -> Score:
        expected = row[self.column]
        said = getattr(value, "value", value)  # an Enum member stands for its value
        right = said == expected or (isinstance(said, str) and _is_written(said, expected))
        return Score(float(right), "" if right else f"expected {shown(expected, 120)}", str(said))


def _is_written(said: str, expected: Any) -> bool:
    if isinstance(expected, bool):  # a CSV file's "true" is read as True
        return said.casefold() == str(expected).casefold()
    return str(expected) == said


def exact(column: str, *, name: str = "exact") -> Scorer:
    """Right when the value equals the row's `column`; shown as `name`."""
    return _Exact(column_name(column, "exact"), name)


@dataclass(frozen=True)
class _Normalised:
    column: str
    ignore: frozenset[str]
    name: str
    range = (0.0, 1.0)
    inline = True

    def __call__(self, value: Any, row: Row) -> Score:
        accepted = texts_of(row, self.column, self.name)
        said = text_of(value, self.name)
        if said is None:
            return Score(0.0, "the value is None")
        right = normal(said, self.ignore) in {normal(text, self.ignore) for text in accepted}
        expected = " or ".join(shown(text, 120) for text in accepted[:3])
        return Score(float(right), "" if right else f"{shown(said, 120)} is not {expected}", said)


def normalised(
    column: str, *, ignore: Collection[Ignored] = ("case", "punctuation"), name: str = "normalised"
) -> Scorer:
    """Right when the value and the row's `column` are the same text but for what is ignored.

    White space and the composition of characters (Unicode NFKC) never matter; `ignore` names what else
    does not: "case", "punctuation", and "articles" (a, an, the), as in the exact match of SQuAD
    (Rajpurkar et al., EMNLP 2016). Punctuation between digits and a sign before one stays: 3.5 is not 35.
    Where the column holds a list of texts, any of them is right.
    """
    given = [ignore] if isinstance(ignore, str) else list(ignore)
    for what in given:
        one_of(what, _IGNORED, "ignore", "normalised")
    return _Normalised(column_name(column, "normalised"), frozenset(given), name)


def normal(text: str, ignore: Collection[str]) -> str:
    """The text without what does not matter.

    >>> normal("  The well-known  film's 3.5 stars! ", ("case", "punctuation", "articles"))
    'well known films 3.5 stars'
    """
    text = unicodedata.normalize("NFKC", text)
    if "case" in ignore:
        text = unicodedata.normalize("NFKC", text.casefold())
    if "punctuation" in ignore:
        text = "".join(_kept(text, place) for place in range(len(text)))
    if "articles" in ignore:
        text = re.sub(r"\b(a|an|the)\b", " ", text, flags=re.IGNORECASE)
    return " ".join(text.split())


def _kept(text: str, place: int) -> str:
    """A character, or what takes its place: nothing for an apostrophe, a space for other punctuation."""
    character = text[place]
    if not unicodedata.category(character).startswith("P") and character != "−":
        return character
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    is_sign = character in "-−" and not before.strip()
    if after.isdigit() and (before.isdigit() or is_sign):
        return character
    return "" if character in _APOSTROPHES else " "
