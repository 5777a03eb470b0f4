"""The quick writer of JSON writes what `json.dumps` does."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from gen_toolkit.json_text import writer

GIVEN: list[Any] = [
    "",
    'a "quoted" line\n\t\x00\x7f\u2028',
    "Ω 😀 \ud83d",
    None,
    True,
    3,
    2**80,
    0.1,
    1e300,
    [],
    {},
    (),
    {"b": [1, {"a": None}], "a": ("x", 2.5), "ä": {"10": 1, "9": 2}},
    {2: "a", None: "b", True: "c", 1.5: "d"},
    {"role": "user", "content": [{"type": "text", "text": "<b>&</b>"}]},
]


@pytest.mark.parametrize("given", GIVEN, ids=[str(number) for number in range(len(GIVEN))])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("compact", [True, False])
def test_it_writes_what_json_dumps_writes(given: Any, ascii_only: bool, compact: bool) -> None:
    separators = (",", ":") if compact else (", ", ": ")
    write = writer(ensure_ascii=ascii_only, compact=compact)
    assert write(given) == json.dumps(given, ensure_ascii=ascii_only, separators=separators)


def test_keys_are_sorted_where_that_is_asked_for() -> None:
    assert writer(sort_keys=True)({"b": {"d": 1, "c": 2}, "a": 3}) == '{"a": 3, "b": {"c": 2, "d": 1}}'


def test_what_is_no_json_is_refused_and_the_next_is_written() -> None:
    write = writer(allow_nan=False)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write({"x": math.nan})
    with pytest.raises(TypeError, match="not JSON serializable"):
        write({"x": {1, 2}})
    assert write({"x": 1}) == '{"x": 1}'


def test_data_that_holds_itself_ends_with_an_error() -> None:
    around: list[Any] = []
    around.append(around)
    with pytest.raises(RecursionError):
        writer()(around)
