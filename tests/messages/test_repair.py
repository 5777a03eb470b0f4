"""What models write for JSON: read as it is, repaired where there is one reading, refused everywhere else."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.messages.repair import read_json, strict_json

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.text("ab'\"“”‘’\\/\n\t[]{},: ", max_size=12)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
CONTAINERS = JSON.filter(lambda value: isinstance(value, list | dict) and bool(value))


def same(found: Any, value: Any) -> bool:
    """True is not 1, and 1.0 is not 1."""
    return json.dumps(found) == json.dumps(value)


# what is repaired


@pytest.mark.parametrize(
    ("written", "value", "repairs"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}, ["fences"]),
        ('```\n["a"]```', ["a"], ["fences"]),
        ('```json\n{"a": 1}', {"a": 1}, ["fences"]),
        ("```json\n42\n```", 42, ["fences"]),
        ('`{"a": 1}`', {"a": 1}, ["fences"]),
        ('Here it is:\n\n{"a": 1}', {"a": 1}, ["text around"]),
        ('{"a": 1}\n\nI hope "this" helps.', {"a": 1}, ["text around"]),
        ('Sure!\n```json\n{"a": 1}\n```\nBye.', {"a": 1}, ["fences", "text around"]),
        ('{"code": "```py\\nx\\n```"} ok', {"code": "```py\nx\n```"}, ["text around"]),
        ('{"a": [1, 2,], "b": 3,\n}', {"a": [1, 2], "b": 3}, ["trailing comma"]),
        ("{'a': 'b'}", {"a": "b"}, ["single quotes"]),
        ("{'a': 'it\\'s \"so\"'}", {"a": 'it\'s "so"'}, ["single quotes"]),
        ("{'a': \"it's\"}", {"a": "it's"}, ["single quotes"]),
        ("'a [1] b'", "a [1] b", ["single quotes"]),
        ('{"a": True, "b": False, "c": None}', {"a": True, "b": False, "c": None}, ["Python words"]),
        ("['\\x41\\U0001f600']", ["A😀"], ["single quotes", "escapes"]),
        ('["it\\\'s"]', ["it's"], ["escapes"]),
        ("{“a”: “b”, ‘c’: „d“}", {"a": "b", "c": "d"}, ["typographic quotes"]),
        ('{“a”: “say \\"hi\\"”}', {"a": 'say "hi"'}, ["typographic quotes"]),
        ("{“a”: “it's”}", {"a": "it's"}, ["typographic quotes"]),
        ('{"a": "x\ny\tz"}', {"a": "x\ny\tz"}, ["line breaks in a string", "control characters in a string"]),
        ('{"a": ["x"', {"a": ["x"]}, ["missing brackets"]),
        ('{"a": {"b": [true', {"a": {"b": [True]}}, ["missing brackets"]),
        ("[1, 2 ", [1, 2], ["missing brackets"]),
        ("```json\n[[1, 2]\n```", [[1, 2]], ["fences", "missing brackets"]),
        ('\ufeff{"a": 1}', {"a": 1}, ["byte order mark"]),
        (
            "\ufeffSure: {'a': [None,]",
            {"a": [None]},
            ["byte order mark", "text around", "single quotes", "Python words", "trailing comma", "missing brackets"],
        ),
    ],
)
def test_what_has_one_reading_is_repaired_and_named(written: str, value: Any, repairs: list[str]) -> None:
    found, named = read_json(written)
    assert same(found, value)
    assert list(named) == repairs


# what is refused


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no JSON value"),
        ("   \n", "no JSON value"),
        ("Ann, 3", "the word 'Ann'"),
        ('{"a": "the beginning of', "string at character 7 does not end"),
        ('{"a": "the end is escaped\\"', "does not end"),
        ('{"a": 12', "breaks off: } is missing"),
        ('{"a": [1, 2', "breaks off: ]} is missing"),
        ('{"a": 1.', "no part of a JSON value"),
        ('{"a": tru', "the word 'tru'"),
        ('{"a"', "Expecting ':'"),
        ('{"a":', "breaks off"),
        ('["a",', "breaks off"),
        ("[", "breaks off"),
        ('{"a": [1, 2}', "closes nothing"),
        ("[1]]", "more than one value"),
        ("[,]", "Expecting value"),
        ("[1,,2]", "Expecting value"),
        ("[1,,]", "Expecting value"),
        ('{"a": 1,, "b": 2}', "Expecting property name"),
        ('{"a": 1} {"b": 2}', "more than one value"),
        ('{"a": 1}\n```\n{"a": 2}\n```', "more than one value"),
        ("See [1] and {2}", "more than one value"),
        ("I take {a} from [1]", "the word 'a'"),
        ('"x": {"a": 1}', "more than one value"),
        ('the key "x": {"a": 1}', "more than one value"),
        ('1, {"a": 1}', "more than one value"),
        ('{"a": 1}, "b": 2', "more than one value"),
        ('{"a": {"b": 1}}, "c": 2}', "more than one value"),
        ("The answer is 42.", "the word 'The'"),
        ("42 apples", "more than one value"),
        ("7.", "more than one value"),
        ('"a" "b"', "more than one value"),
        ("{name: 1}", "the word 'name'"),
        ("{'a': 'it's'}", "the word 's'"),
        ('{"a": "say "hi" now"}', "the word 'hi'"),
        ('[“a", "b”]', "may end with"),
        ("[‘it's’]", "may end with"),
        ('[“a”, "b”, “c"]', "mixed"),
        ("['\\/']", "escape"),
        ('["\\q"]', "escape"),
        ('["\\u12"]', "escape"),
        ('["\\U00110000"]', "escape"),
        ("(1, 2)", "no part of a JSON value"),
        ("{1: 2}", "Expecting property name"),
        ("[1_000]", "the word '_000'"),
        ("[0x10]", "the word 'x10'"),
        ("[01]", "Expecting ','"),
        ("[+1]", "no part of a JSON value"),
        ("[1 e5]", "the word 'e5'"),
        ("[1 2]", "Expecting ','"),
        ("['a' 'b']", "Expecting ','"),
        ("// a\n[1]x[", "more than one value"),
        ("[1 /* one */]", "no part of a JSON value"),
        ("[...]", "no part of a JSON value"),
        ("[NaN]", "NaN"),
        ("[-Infinity,]", "no part of a JSON value"),
        ("[1e999]", "1e999 is no number"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": 1, "a": 1,}', "'a' stands twice"),
        ("__import__('os').system('id')", "the word '__import__'"),
        ("[" * 100_000 + "]" * 100_000, "deep"),
        ("[" * 201 + ",]" * 201, "nested more than 200 deep"),
    ],
)
def test_what_could_be_read_in_two_ways_or_in_none_is_refused_in_a_line(written: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_json(written)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_is_known_to_be_cut_is_not_completed() -> None:
    assert read_json('{"a": ["x"') == ({"a": ["x"]}, ("missing brackets",))
    with pytest.raises(ValueError, match="breaks off"):
        read_json('{"a": ["x"', cut=True)
    assert read_json('{"a": ["x",]}', cut=True) == ({"a": ["x"]}, ("trailing comma",))


# properties


@given(JSON, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_json_comes_back_unchanged_and_without_repairs(value: Any, ascii_only: bool, indent: Any) -> None:
    found, repairs = read_json(json.dumps(value, ensure_ascii=ascii_only, indent=indent))
    assert same(found, value)
    assert repairs == ()


def written_with(value: Any, *, comma: str = "", quotes: str = '""') -> str:
    """JSON with a comma behind the last of every list and object, or with other quotes around texts."""

    def write(part: Any) -> str:
        if isinstance(part, str):
            return quotes[0] + json.dumps(part)[1:-1] + quotes[1]
        if isinstance(part, list):
            return "[" + ", ".join(map(write, part)) + (comma if part else "") + "]"
        if isinstance(part, dict):
            return "{" + ", ".join(f"{write(k)}: {write(v)}" for k, v in part.items()) + (comma if part else "") + "}"
        return json.dumps(part)

    return write(value)


WRITERS: dict[str, Callable[[Any], str]] = {
    "json": json.dumps,
    "python": repr,
    "trailing commas": lambda value: written_with(value, comma=","),
    "typographic": lambda value: written_with(value, quotes="“”"),
    "typographic and trailing commas": lambda value: written_with(value, comma=" ,\n", quotes="”„"),
}
AROUND: dict[str, Callable[[str], str]] = {
    "fence": lambda text: f"```json\n{text}\n```",
    "text before": lambda text: f"Here's the result: {text}",
    "text after": lambda text: f"{text}\n\nThat is all, I'm afraid.",
    "byte order mark": lambda text: "\ufeff" + text,
}


@pytest.mark.parametrize("writer", WRITERS)
@given(value=JSON)
def test_a_value_written_otherwise_is_the_same_value(writer: str, value: Any) -> None:
    assert same(read_json(WRITERS[writer](value))[0], value)


@pytest.mark.parametrize("around", AROUND)
@given(value=CONTAINERS)
def test_a_value_with_something_around_it_is_the_same_value(around: str, value: Any) -> None:
    assert same(read_json(AROUND[around](json.dumps(value)))[0], value)


@given(JSON, st.sampled_from(list(WRITERS)), st.integers(0, 6), st.lists(st.sampled_from(list(AROUND)), max_size=4))
def test_several_damages_together_give_the_value_or_a_refusal_and_never_another_value(
    value: Any, writer: str, missing: int, around: list[str]
) -> None:
    damaged = WRITERS[writer](value)
    for _ in range(missing):
        damaged = damaged.removesuffix("]").removesuffix("}")
    for name in around:
        damaged = AROUND[name](damaged)
    try:
        found, _ = read_json(damaged)
    except ValueError:
        return
    assert same(found, value)


@given(CONTAINERS, st.sampled_from(list(WRITERS)), st.data())
def test_an_answer_cut_anywhere_is_refused(value: Any, writer: str, data: st.DataObject) -> None:
    whole = WRITERS[writer](value)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ValueError):
        read_json(cut, cut=True)


@given(st.text() | st.text("[]{},:\"'“”‘’`tfnTFN019.eE+- \n\\uxa"))
def test_any_text_is_a_value_or_a_refusal(text: str) -> None:
    try:
        value, repairs = read_json(text)
    except ValueError:
        return
    if not repairs:
        assert same(value, json.loads(text))
    assert same(strict_json(json.dumps(value)), value)


N = 1_000_000
REFUSED = [
    "{" * N,
    '["' + "a" * N,
    '["' + "\\" * N,
    "[“" + "a" * N,
    "[" + '"' * N,
    " " * N + "x",
    "[" + " " * N + "x",
    "`" * N + "{",
    "{} " * (N // 3),
    "9" * N,
]
READ = [
    '["' + "\\'" * (N // 2) + '"]',
    "[" + "'a'," * (N // 4) + "]",
    "```\n" * (N // 4) + "[1,]",
    "[1,]" + " `" * (N // 2),
    "`" + "a" * N + "{}",
    " :" * (N // 2) + "{}",
]


@pytest.mark.parametrize(
    ("trap", "is_read"),
    [(trap, False) for trap in REFUSED] + [(trap, True) for trap in READ],
    ids=[ascii(trap[:6] + trap[-4:]) for trap in REFUSED + READ],
)
def test_a_megabyte_of_traps_is_read_in_one_go(trap: str, is_read: bool) -> None:
    """Were a step quadratic, this would take hours: the tests' own limit ends it."""
    with contextlib.nullcontext() if is_read else pytest.raises(ValueError):
        read_json(trap)
