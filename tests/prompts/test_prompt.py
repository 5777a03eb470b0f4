"""gt.Prompt: variables, declared output, the hash that says which text it is, its card."""

from __future__ import annotations

import enum
from typing import Any, Literal

import pydantic
import pytest
from hostile import CORPUS, strange_characters, strange_tags

import gen_toolkit as gt
from gen_toolkit.errors import MissingVariable, PromptError, UnknownVariable


class Label(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Review(pydantic.BaseModel):
    stars: int


def test_system_and_user_become_two_messages() -> None:
    rendered = gt.Prompt("greet", system="Be kind.", user="Hello {{ name }}!")(name="Ada")
    assert [dict(m) for m in rendered.messages] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello Ada!"},
    ]
    assert str(rendered.prompt).startswith("greet#")


def test_few_shot_turns_are_rendered_one_by_one() -> None:
    turns = [
        {"role": "user", "content": "{{ x }}?"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "and {{ x }}?"},
    ]
    assert [m["content"] for m in gt.Prompt("shots", messages=turns)(x="it").messages] == ["it?", "yes", "and it?"]


def test_defaults_fill_what_a_rendering_does_not_give() -> None:
    prompt = gt.Prompt("ask", user="{{ tone }} {{ x }}", defaults={"tone": "kindly"})
    assert prompt(x=1).messages[0]["content"] == "kindly 1"
    assert prompt(x=1, tone="sharply").messages[0]["content"] == "sharply 1"


def test_a_missing_variable_is_named_with_the_prompt() -> None:
    with pytest.raises(MissingVariable, match=r"'ask' needs a value for 'text'\. Call it with text=") as raised:
        gt.Prompt("ask", user="{{ text }}")()
    assert raised.value.variable == "text"


def test_an_unknown_keyword_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownVariable, match=r"no variable 'txet'.*Did you mean 'text'\?") as raised:
        gt.Prompt("ask", user="{{ text }}")(txet="a")
    assert raised.value.variable == "txet"


def test_a_default_that_the_text_does_not_use_is_refused() -> None:
    with pytest.raises(UnknownVariable, match=r"default for 'lables'.*Did you mean 'labels'\?"):
        gt.Prompt("ask", user="{{ labels }}", defaults={"lables": []})


BASE: dict[str, Any] = {"user": "{{ x }}", "output": Literal["a", "b"], "defaults": {"x": 1}}


@pytest.mark.parametrize(
    "change",
    [{"user": "{{ x }} "}, {"system": "s"}, {"output": Literal["a", "c"]}, {"output": None}, {"defaults": {"x": 2}}],
    ids=str,
)
def test_the_hash_changes_with_text_output_and_defaults(change: dict[str, Any]) -> None:
    assert gt.Prompt("p", **{**BASE, **change}).hash != gt.Prompt("p", **BASE).hash


def test_the_hash_does_not_change_with_name_or_version() -> None:
    assert gt.Prompt("other", **BASE, version=7).hash == gt.Prompt("p", **BASE).hash
    assert gt.Prompt("other", **BASE) != gt.Prompt("p", **BASE)
    assert gt.Prompt("p", **BASE) == gt.Prompt("p", **BASE)


def test_the_hash_is_the_same_in_every_process() -> None:
    assert gt.Prompt("p", **BASE).hash == "9d814842cc29ade0a668a507b245c6b0662fae9162368e4119e2118b824b5c6d"


def test_images_and_tool_calls_pass_through_unchanged() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,{{ not }}=="}}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "{{ b }}"}'}}
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "see {{ x }}"}, image], "name": "ada"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "user", "content": [{"type": "document", "text": "{{ not }} a template", "n": 3}]},
    ]
    prompt = gt.Prompt("tools", messages=turns)
    assert prompt.variables == {"x"}
    first, *others = (dict(m) for m in prompt(x="this").messages)
    assert first == {**turns[0], "content": [{"type": "text", "text": "see this"}, image]}
    assert others == turns[1:]
    shown = prompt._repr_mimebundle_()["text/html"]
    assert "[image_url]" in shown
    assert "f({&quot;a&quot;: &quot;{{ b }}&quot;})" in shown


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "a@b", "../a", "é", "a" * 101, "a\n"])
def test_a_name_that_no_registry_takes_is_refused(name: str) -> None:
    with pytest.raises(PromptError, match="cannot be a prompt's name"):
        gt.Prompt(name, user="x")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"messages": []},
        {"user": "a", "messages": [{"role": "user", "content": "b"}]},
        {"messages": ["text"]},
        {"messages": [{"content": "no role"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "user", "content": ["has text"]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
        {"messages": [{"role": "user", "content": ...}]},
        {"user": "{{ x }}", "defaults": {"x": ...}},
        {"user": "{{ x"},
        {"user": "x", "output": 5},
    ],
    ids=str,
)
def test_what_cannot_be_a_prompt_is_refused_when_it_is_made(given: dict[str, Any]) -> None:
    with pytest.raises(PromptError):
        gt.Prompt("p", **given)


@pytest.mark.parametrize(
    ("output", "said", "value"),
    [
        (None, " as it is ", " as it is "),
        (Literal["good", "bad"], "Good.", "good"),
        (Label, "bad", Label.BAD),
        (Review, '{"stars": 4}', Review(stars=4)),
        (list[int], "[1, 2]", [1, 2]),
        ({"type": "object", "required": ["a"]}, '{"a": 1}', {"a": 1}),
        ({"enum": ["good", "bad"]}, '"good"', "good"),
    ],
    ids=str,
)
def test_the_declared_output_says_what_a_reply_becomes(output: Any, said: str, value: Any) -> None:
    prompt = gt.Prompt("p", user="?", output=output)
    assert gt.chat(prompt(), model=gt.ScriptedModel(said)).value == value


def test_the_card_shows_text_variables_output_and_whether_it_is_saved() -> None:
    shown = gt.Prompt("p", user="Say {{ x }}", output=Label, defaults={"x": "hi"})._repr_mimebundle_()
    for form in shown.values():
        assert "not saved" in form
        assert "good" in form
        assert "hi" in form
    assert "Say {{ x }}" in shown["text/html"]
    assert "version 3" in gt.Prompt("p", user="a", version=3)._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_the_card_shows_markup_and_never_obeys_it(text: str) -> None:
    raw = "{% raw %}" + text.replace("{% raw %}", "") + "{% endraw %}"
    prompt = gt.Prompt(
        "p", messages=[{"role": text, "content": raw + "{{ x }}"}], defaults={"x": text}, output={"enum": [text]}
    )
    shown = prompt._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []
