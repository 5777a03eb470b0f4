"""What is asked: canonical and hashable, whatever way it was written."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hostile import CORPUS, strange_characters, strange_tags
from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.errors import PromptError
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import (
    PromptReference,
    Rendered,
    Request,
    as_rendered,
    content_text,
    digest,
    digest_of_texts,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def request(**changes: Any) -> Request:
    given: dict[str, Any] = {
        "messages": ({"role": "user", "content": "hi"},),
        "alias": "fast",
        "provider": "openai",
        "model": "m",
        "options": {"temperature": 0, "seed": 1},
    }
    return Request(**{**given, **changes})


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_the_digest_does_not_depend_on_the_order_of_keys(data: dict[str, Any]) -> None:
    assert digest(dict(reversed(data.items()))) == digest(data)


@pytest.mark.parametrize(("one", "other"), [(["a", "b"], ["ab"]), ({"a": 1}, {"a": "1"}), ([1], [True]), ("", None)])
def test_different_data_have_different_digests(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


def test_the_digest_takes_any_text() -> None:
    assert digest("\ud800") != digest("\ud801")


@pytest.mark.parametrize(
    "same",
    [
        {"options": {"seed": 1, "temperature": 0}},
        {"alias": "another name for it"},
        {"prompt": PromptReference("label", "1a2b")},
        {"messages": ({"content": "hi", "role": "user"},)},
    ],
    ids=["order", "alias", "prompt", "message order"],
)
def test_the_same_question_to_the_same_model_has_the_same_hash(same: dict[str, Any]) -> None:
    assert request(**same).hash == request().hash


@pytest.mark.parametrize(
    "other",
    [
        {"messages": ({"role": "user", "content": "ho"},)},
        {"messages": ({"role": "system", "content": "hi"},)},
        {"provider": "embedded"},
        {"model": "n"},
        {"options": {"temperature": 0}},
        {"output": Output.of(int)},
        {"choose": ("a", "b")},
    ],
    ids=["text", "role", "provider", "model", "options", "output", "choose"],
)
def test_another_question_has_another_hash(other: dict[str, Any]) -> None:
    assert request(**other).hash != request().hash


def test_a_text_is_a_users_message() -> None:
    assert as_rendered("hi").messages == ({"role": "user", "content": "hi"},)


def test_messages_are_copied() -> None:
    mine = [{"role": "user", "content": "hi"}]
    rendered = as_rendered(mine)
    mine[0]["content"] = "changed"
    assert rendered.messages[0]["content"] == "hi"


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "it"}'}}
TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "See:"}, IMAGE, {"type": "odd", "text": 3}], "name": "ada"},
    {"role": "assistant", "content": None, "tool_calls": [CALL], "x_own": {"deep": [1.5, None]}},
    {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
    {"role": "assistant", "tool_calls": [CALL]},
]


def test_calls_results_and_images_pass_unchanged_and_are_copied_whole() -> None:
    given = copy.deepcopy(TURNS)
    rendered = as_rendered(given)
    assert list(rendered.messages) == TURNS
    given[0]["content"][1]["image_url"]["url"] = "changed"
    given[1]["tool_calls"].clear()
    assert list(rendered.messages) == TURNS


def test_calls_results_and_images_are_shown_in_words() -> None:
    assert [content_text(message) for message in TURNS] == [
        "See:\n[image_url]\n[odd]",
        'look({"at": "it"})',
        "a cat",
        'look({"at": "it"})',
    ]


@given(st.dictionaries(st.sampled_from(["content", "tool_calls"]), JSON | st.lists(JSON, max_size=3)))
def test_what_a_message_says_can_always_be_shown(message: dict[str, Any]) -> None:
    assert str(Rendered(({"role": "user", **message},))).startswith("[user]\n")


@pytest.mark.parametrize(
    "content",
    [3, {"text": "hi"}, ["hi"], [{"type": "text"}], [{"type": "text", "text": 3}], {"a"}, float("nan"), b"hi"],
    ids=str,
)
def test_content_that_is_none_is_refused(content: Any) -> None:
    with pytest.raises(PromptError):
        as_rendered([{"role": "user", "content": content}])


@pytest.mark.parametrize(
    "wrong",
    [
        [{"content": "hi"}],
        [{"role": "user"}],
        [{"role": "", "content": "hi"}],
        ["hi"],
        {"role": "user", "content": "hi"},
        [],
        None,
        3,
        print,
    ],
    ids=str,
)
def test_what_is_no_prompt_is_refused_with_advice(wrong: Any) -> None:
    with pytest.raises(PromptError) as caught:
        as_rendered(wrong)
    assert caught.value.fix


def test_a_rendered_prompt_shows_itself_without_obeying() -> None:
    evil = "<script>alert(1)</script>"
    rendered = Rendered(({"role": evil, "content": evil},), PromptReference(evil, "1a2b3c4d5e"))
    shown = rendered._repr_mimebundle_()
    assert "<script>" not in shown["text/html"]
    assert shown["text/plain"] == f"[{evil}]\n{evil}"


@pytest.mark.parametrize("evil", CORPUS, ids=ascii)
def test_parts_and_calls_are_shown_without_obeying(evil: str) -> None:
    call = {"id": evil, "function": {"name": evil, "arguments": evil}}
    parts = [{"type": "text", "text": evil}, {"type": evil}]
    shown = Rendered(({"role": evil, "content": parts, "tool_calls": [call]},))._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []


@pytest.mark.parametrize("calls", [3, "c", {"id": "c"}, ["c"], [None]], ids=str)
def test_calls_that_are_none_are_refused(calls: Any) -> None:
    with pytest.raises(PromptError, match="no list of calls"):
        as_rendered([{"role": "assistant", "content": None, "tool_calls": calls}])


@pytest.mark.parametrize(("version", "shown"), [(None, "label#1a2b3c4d"), (4, "label@4")])
def test_a_prompt_is_named_by_version_or_by_hash(version: int | None, shown: str) -> None:
    assert str(PromptReference("label", "1a2b3c4d5e6f", version)) == shown


@given(texts=st.lists(st.text() | st.sampled_from(CORPUS), max_size=4))
def test_the_digest_of_texts_is_that_of_their_list(texts: list[str]) -> None:
    assert digest_of_texts(*texts) == digest(texts)
