"""Types of variables: read as they are written, checked without converting."""

from __future__ import annotations

from typing import Any, Literal

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import PromptError, UnknownVariable
from gen_toolkit.prompts.kinds import Kind

FITS: dict[str, tuple[list[Any], list[Any]]] = {
    "str": (["", "a"], [1, None, ["a"], b"a"]),
    "int": ([0, -3, 10**30], [1.0, "1", True]),
    "float": ([1, 1.5], ["1", True, None]),
    "bool": ([True, False], [1, "true", None]),
    "any": ([None, 1, "a", [1]], []),
    "list": ([[], [1, "a"], ("a",)], ["ab", {"a": 1}]),
    "list[str]": ([[], ["a"], ("a",)], [["a", 1], "ab"]),
    "list[list[int]]": ([[[1], []]], [[1]]),
    "dict": ([{}, {"a": 1}], [[], "a"]),
    "dict[str, int]": ([{}, {"a": 1}], [{"a": "b"}, {1: 1}]),
    "str | None": (["a", None], [1]),
    "int | str | list[str]": ([1, "a", ["a"]], [[1], 1.5]),
    "Literal['a', 1, True]": (["a", 1, True], ["b", 1.0, False]),
}


@pytest.mark.parametrize("said", FITS)
def test_a_value_fits_its_type_or_not_and_nothing_is_converted(said: str) -> None:
    good, bad = FITS[said]
    kind = Kind.of(said)
    assert [kind.fits(value) for value in good] == [True] * len(good)
    assert [kind.fits(value) for value in bad] == [False] * len(bad)


@pytest.mark.parametrize("said", FITS)
def test_a_type_is_written_as_it_was_read_and_its_sample_fits(said: str) -> None:
    kind = Kind.of(said)
    assert str(kind) == said
    assert Kind.of(str(kind)) == kind
    assert kind.fits(kind.sample())
    assert ("hostile" in str(kind.sample("hostile"))) == kind.takes_text


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (str, "str"),
        (list[str], "list[str]"),
        (dict[str, list[int]], "dict[str, list[int]]"),
        (int | None, "int | None"),
        (Literal["a"], "Literal['a']"),
        (Any, "any"),
        (" list[ str ] ", "list[str]"),
        ("str|None|str", "str | None"),
    ],
)
def test_a_python_type_says_the_same_as_its_text(declared: Any, said: str) -> None:
    assert str(Kind.of(declared)) == said


@pytest.mark.parametrize(
    "said",
    ["", "text", "list[", "list[text]", "tuple[int]", "dict[int, str]", "str and int", "__import__('os')", "str()",
     "Literal[x]", "str | 'a'", object, "(" * 500],
    ids=str,
)  # fmt: skip
def test_what_is_no_type_is_refused_with_those_that_there_are(said: Any) -> None:
    with pytest.raises(PromptError, match=r"is no type of a variable.*list\["):
        Kind.of(said)


def label(**more: Any) -> gt.Prompt:
    return gt.Prompt("label", user="{{ text }} {{ labels }}", types={"text": str, "labels": "list[str]"}, **more)


def test_a_value_of_another_type_is_refused_by_name() -> None:
    assert str(label()(text="a", labels=["b"]))
    with pytest.raises(PromptError, match=r"'labels' is declared list\[str\], and 'b' is str\. Give a value"):
        label()(text="a", labels="b")


def test_a_default_of_another_type_is_refused_when_the_prompt_is_made() -> None:
    with pytest.raises(PromptError, match=r"'text' is declared str, and 5 is int"):
        label(defaults={"text": 5})


def test_either_all_variables_have_a_type_or_none() -> None:
    with pytest.raises(UnknownVariable, match=r"uses 'b', whose type is not declared\. Declare it, too: b: str"):
        gt.Prompt("p", user="{{ a }}{{ b }}", types={"a": str})
    with pytest.raises(UnknownVariable, match="declares 'c', which its text does not use"):
        gt.Prompt("p", user="{{ a }}", types={"a": str, "c": str})


def test_types_are_part_of_the_version_and_no_types_leave_it_as_it_was() -> None:
    hashes = {gt.Prompt("p", user="{{ a }}", types=types).hash for types in ({"a": str}, {"a": int}, {}, None)}
    assert len(hashes) == 3
