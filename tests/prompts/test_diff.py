"""What differs, word by word: everything that was removed and added, nothing that was kept."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit.prompts.diff import diff, words

TEXT = st.lists(st.sampled_from(["a", "b", " ", "\n", "\r", "\u2028", "word", "é", ".", "{{ x }}"]), max_size=30).map(
    "".join
)


@given(old=TEXT, new=TEXT)
def test_the_pieces_make_up_both_texts(old: str, new: str) -> None:
    pieces = words(old, new)
    assert "".join(text for sign, text in pieces if sign in "=-") == old
    assert "".join(text for sign, text in pieces if sign in "=+") == new
    assert all(a[0] != b[0] for a, b in pairwise(pieces))
    assert (old == new) == all(sign == "=" for sign, _ in pieces)


def test_a_changed_word_is_that_word_and_not_its_line() -> None:
    assert words("You label film reviews.\nBe brief.", "You label book reviews.\nBe brief.") == [
        ("=", "You label "),
        ("-", "film"),
        ("+", "book"),
        ("=", " reviews.\nBe brief."),
    ]


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    contents = [gt.Prompt("p", **{"user": "{{ x }}", **given}).content() for given in (old, new)]
    return [(change.part, str(change)) for change in diff(*contents)]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {}, []),
        ({}, {"user": "{{ x }}!"}, [("message 1", "# user\n{{ x }}{+!+}")]),
        ({}, {"system": "Be kind."}, [("message 1", "{+# system\nBe kind.+}")]),
        ({"system": "Be kind."}, {}, [("message 1", "[-# system\nBe kind.-]")]),
        ({}, {"output": {"enum": ["a"]}}, [("output", '{+{\n "enum": [\n  "a"\n ]\n}+}')]),
        ({}, {"output": {}}, [("output", "{+{}+}")]),
        ({"options": {"seed": 1}}, {"options": {"seed": 2}}, [("options", '{\n "seed": [-1-]{+2+}\n}')]),
        ({}, {"types": {"x": "str"}}, [("variables", '{+{\n "x": "str"\n}+}')]),
        ({}, {"untrusted": ["x"]}, [("untrusted", '{+[\n "x"\n]+}')]),
        ({}, {"defaults": {"x": 1}}, [("defaults", '{+{\n "x": 1\n}+}')]),
    ],
    ids=str,
)
def test_each_part_of_a_version_is_told(old: dict[str, Any], new: dict[str, Any], changes: list[Any]) -> None:
    assert told(old, new) == changes


def test_a_turn_more_shifts_no_other() -> None:
    turns = [{"role": "user", "content": f"question {n}"} for n in range(4)]
    old, new = ({"user": None, "messages": some} for some in (turns, [turns[0], *turns[2:]]))
    assert told(old, new) == [("message 2", "[-# user\nquestion 1-]")]


def test_another_role_is_a_difference() -> None:
    old, new = ({"user": None, "messages": [{"role": role, "content": "x"}]} for role in ("user", "assistant"))
    assert told(old, new) == [("message 1", "# [-user-]{+assistant+}\nx")]


def test_a_fragment_is_told_by_its_name() -> None:
    old, new = ({"user": '{% include "a/b" %}', "fragments": {"a/b": text}} for text in ("Be kind.", "Be brief."))
    assert told(old, new) == [("fragment a/b", "Be [-kind-]{+brief+}.")]


def test_long_stretches_that_are_kept_are_left_out_for_reading() -> None:
    old, new = "\n".join(map(str, range(100))), "\n".join(map(str, range(100))).replace("50", "fifty")
    (change,) = diff(gt.Prompt("p", user=old).content(), gt.Prompt("p", user=new).content())
    assert change.shown() == "…\n48\n49\n[-50-]{+fifty+}\n51\n52\n…"
    assert change.to_json()["pieces"][1:3] == [["-", "50"], ["+", "fifty"]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x" * 100_000, "y" * 100_000),
        ("\n" * 100_000, "\n" * 99_999 + "x"),
        ("word " * 20_000, "word other " * 10_000),
        (" ".join(map(str, range(17_000))), " ".join(map(str, range(17_000, 0, -1)))),
        ("\n".join(map(str, range(17_000))), "\n".join(map(str, range(17_000, 0, -1)))),
    ],
    ids=["one word", "lines", "few words", "many words", "many lines"],
)
def test_texts_of_100_000_characters_are_compared_in_time(old: str, new: str) -> None:
    start = time.monotonic()
    pieces = words(old, new)
    assert "".join(text for sign, text in pieces if sign in "=+") == new
    assert time.monotonic() - start < 10
