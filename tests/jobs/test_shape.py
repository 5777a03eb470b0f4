"""What is said of a parameter's type: in a help, in a form."""

from __future__ import annotations

import pytest

from gen_toolkit.jobs.parameters import read_parameters
from gen_toolkit.jobs.shape import Shape, described, shape_of

IMPORTS = """from datetime import date
from enum import Enum
from typing import *
from annotated_types import *
from gen_toolkit import Secret
class Tone(Enum):
    calm = "quiet"
    loud = 2
"""


def declared(annotation: str, default: str) -> object:
    return read_parameters(f"{IMPORTS}x: {annotation} = {default}").items[0].type


@pytest.mark.parametrize(
    ("annotation", "default", "says"),
    [
        ("int", "3", "int"),
        ("Annotated[int, Ge(1), Lt(10)]", "3", "int >= 1 and < 10"),
        ("Annotated[float, Interval(gt=0, le=1)]", "0.5", "float > 0 and <= 1"),
        ("Annotated[int, MultipleOf(5)]", "10", "int a multiple of 5"),
        ("Annotated[str, Len(1, 8)]", "'a'", "str of 1 to 8 characters"),
        ("Annotated[list[int], MinLen(1)]", "[1]", "list of int of 1 items or more"),
        ("Annotated[str, MaxLen(0)]", "''", "str of 0 to 0 characters"),
        ("Annotated[int, 'a note']", "3", "int"),
        ("Annotated[int, Ge(1)] | None", "None", "int >= 1 | null"),
        ("Annotated[date, Ge(date(2026, 1, 1))]", "date(2026, 1, 1)", "date >= 2026-01-01"),
        ("Literal['a', 1, None]", "1", "a | 1 | null"),
        ("Tone", "Tone.calm", "calm | loud"),
        ("Tone | None", "None", "calm | loud | null"),
        ("int | str | None", "3", "int | str | null"),
        ("dict[str, list[int]]", "{}", "dict of str to list of int"),
        ("list[Annotated[int, Ge(1)]]", "[]", "list of int >= 1"),
        ("Secret", "Secret('env:KEY')", "secret: env:NAME or file:/path"),
    ],
)
def test_a_type_is_described_in_words(annotation: str, default: str, says: str) -> None:
    assert described(declared(annotation, default)) == says


def test_a_type_is_taken_apart_for_a_form() -> None:
    assert shape_of(declared("Annotated[int, Interval(ge=0, lt=5)] | None", "None")) == Shape(
        int, True, {"ge": 0, "lt": 5}
    )
    choices = shape_of(declared("Tone", "Tone.calm")).choices
    assert choices is not None
    assert [each.name for each in choices] == ["calm", "loud"]
    assert shape_of(declared("Literal['a', 'b'] | None", "'a'")).choices == ["a", "b"]
    assert shape_of(declared("list[str]", "[]")).choices is None
