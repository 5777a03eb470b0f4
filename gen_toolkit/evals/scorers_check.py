"""What a scorer is built with and what it is given, checked: misuse is one line, before any call where it can be."""

from __future__ import annotations

import enum
import math
from collections.abc import Collection, Sequence
from typing import Any

from gen_toolkit import text
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.errors import ScorerError, nearest


def column_name(given: Any, scorer: str) -> str:
    """The name of a column. Raises ScorerError for anything else."""
    if not isinstance(given, str) or not given:
        raise ScorerError(
            f"scorer {scorer!r} compares with a column, and {shown(given)} is the name of none",
            fix=f'Write gt.scorers.{scorer}("column").',
            scorer=scorer,
        )
    return given


def column_names(given: Any, scorer: str) -> tuple[str, ...] | None:
    """The names of columns; None where none are named. Raises ScorerError for anything else."""
    if given is None:
        return None
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str) and name for name in names):
        raise ScorerError(
            f"scorer {scorer!r}: columns={shown(given)} are no names of columns",
            fix='Write columns=["column"], or leave it out for all.',
            scorer=scorer,
        )
    return tuple(names)


def one_of(given: Any, known: Collection[str | None], option: str, scorer: str) -> None:
    """Raises ScorerError where an option has a value that is not known."""
    if not (given is None or isinstance(given, str)) or given not in known:
        names = [name for name in known if name]
        raise ScorerError(
            f"scorer {scorer!r}: {option}={shown(given)} is unknown",
            fix=nearest(str(given), names) or f"Use one of {', '.join(names)}.",
            scorer=scorer,
        )


def not_negative(given: Any, option: str, scorer: str) -> None:
    """Raises ScorerError where an option is no finite number from 0 on."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not math.isfinite(given) or given < 0:
        raise ScorerError(
            f"scorer {scorer!r}: {option}={shown(given)} is no number from 0 on", fix="Correct it.", scorer=scorer
        )


def text_of(value: Any, scorer: str) -> str | None:
    """The text that a value is: a text, a number, a member of an Enum; None for None.

    Raises ScorerError for anything else: the scorer is not made for such values.
    """
    said = value.value if isinstance(value, enum.Enum) else value
    if said is None or isinstance(said, str):
        return said
    if isinstance(said, int | float):
        return str(said)
    raise ScorerError(
        f"scorer {scorer!r} reads texts, and the value is {type(said).__name__}",
        fix="Use gt.scorers.json_fields, or a function that picks the text out.",
        scorer=scorer,
    )


def texts_of(row: Row, column: str, scorer: str) -> list[str]:
    """The text, or the list of texts, that a row's column holds. Raises ScorerError where there is none."""
    held = row[column]
    found = [
        text_of(item, scorer) for item in (held if isinstance(held, Sequence) and not isinstance(held, str) else [held])
    ]
    texts = [item for item in found if item]
    if not texts or len(texts) < len(found):
        raise ScorerError(
            f"scorer {scorer!r}: column {column!r} of row {row.id} holds {shown(held)}, and a text is needed",
            fix="Fill it in, or leave the row out with dataset.where(…).",
            scorer=scorer,
            column=column,
            row=row.id,
        )
    return texts


def shown(value: Any, width: int = 80) -> str:
    """A value as it is shown in a reason or an error: on one line, cut."""
    return text.one_line(repr(value), width)
