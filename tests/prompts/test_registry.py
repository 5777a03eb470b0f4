"""Versions and aliases in the MLflow prompt registry."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import PromptError, PromptNotFound


def label(text: str = "{{ x }}?", **more: Any) -> gt.Prompt:
    return gt.Prompt("label", user=text, **more)


def test_the_first_save_makes_version_1_and_loads_as_the_same_prompt(store: Store) -> None:
    made = label(system="Be brief.", output=Literal["a", "b"], defaults={"x": [1, "é"]})
    saved = made.save("first")
    loaded = gt.load_prompt("label@1")
    assert saved.version == loaded.version == 1
    assert saved == loaded == made
    assert loaded.content() == made.content()
    assert str(loaded.reference) == "label@1"


def test_identical_text_makes_no_new_version_even_after_another_was_saved(store: Store) -> None:
    versions = [label(text).save().version for text in ("one", "one", "two", "one", "two")]
    assert versions == [1, 1, 2, 1, 2]


def test_a_changed_output_or_default_is_a_new_version(store: Store) -> None:
    made = [label(), label(output=Literal["a", "b"]), label(defaults={"x": 1}), label()]
    assert [prompt.save().version for prompt in made] == [1, 2, 3, 1]


def test_saving_moves_an_alias_also_back(store: Store) -> None:
    label("one").save(alias="staging")
    label("two").save(alias="staging")
    assert gt.load_prompt("label@staging").version == 2
    label("one").save(alias="staging")
    assert gt.load_prompt("label@staging").version == 1


def test_an_alias_that_somebody_else_moved_is_seen_at_once(store: Store) -> None:
    label("one").save(alias="staging")
    label("two").save()
    assert gt.load_prompt("label@staging").version == 1
    store.mlflow.set_prompt_alias("label", "staging", 2)
    assert gt.load_prompt("label@staging").version == 2


@pytest.mark.parametrize(
    "reference", ["label@9", "label@0", "label@99999999999999999999", "label@else", "nobody@1", "nobody@live"]
)
def test_an_unknown_reference_is_not_found(store: Store, reference: str) -> None:
    label().save()
    with pytest.raises(PromptNotFound, match=f"no prompt '{reference}'.*Save it first") as raised:
        gt.load_prompt(reference)
    assert raised.value.reference == reference


@pytest.mark.parametrize("reference", ["label", "@1", "label@", "a/b@1", "label@1@2", "label@{{ x }}", ""])
def test_what_names_no_prompt_is_refused(store: Store, reference: str) -> None:
    with pytest.raises(PromptError, match="names no prompt"):
        gt.load_prompt(reference)


@pytest.mark.parametrize("alias", ["1", "42", "latest", "v3", "a.b", "a b", "a/b", "é"])
def test_an_alias_that_reads_as_a_version_or_cannot_be_one_is_refused_before_anything_is_saved(
    store: Store, alias: str
) -> None:
    with pytest.raises(PromptError, match="cannot be an alias"):
        label().save(alias=alias)
    with pytest.raises(PromptNotFound):
        gt.load_prompt("label@1")


@pytest.mark.parametrize(
    ("template", "messages"),
    [
        ("Hello {{ name }}", [{"role": "user", "content": "Hello {{ name }}"}]),
        ([{"role": "system", "content": "Hi {{ name }}"}], [{"role": "system", "content": "Hi {{ name }}"}]),
    ],
    ids=["text", "chat"],
)
def test_a_prompt_registered_by_hand_loads(store: Store, template: Any, messages: Any) -> None:
    store.mlflow.register_prompt("byhand", template, response_format={"type": "object"})
    store.mlflow.set_prompt_alias("byhand", "live", 1)
    loaded = gt.load_prompt("byhand@live")
    assert list(loaded.messages) == messages
    assert loaded.output is not None
    assert loaded(name="Ada").messages[0]["content"].endswith(" Ada")


def test_few_shot_and_tool_messages_come_back_as_they_were_saved(store: Store) -> None:
    turns = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "{{ x }}"}, {"type": "image_url", "image_url": {"url": "u"}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "done"},
    ]
    made = gt.Prompt("tools", messages=turns)
    made.save()
    assert gt.load_prompt("tools@1") == made


def test_a_text_that_the_registry_does_not_take_is_one_typed_error(store: Store) -> None:
    with pytest.raises(gt.GenToolkitError) as raised:
        label("a" * 100_001).save()
    assert "\n" not in str(raised.value)


def test_the_mlflow_ui_shows_text_comment_and_output(store: Store) -> None:
    label("Say {{ x }}", output=Literal["a", "b"]).save("asks for one word")
    found = store.mlflow.get_prompt_version("label", "1")
    assert found.commit_message == "asks for one word"
    assert found.template == [{"role": "user", "content": "Say {{ x }}"}]
    assert found.response_format == {"enum": ["a", "b"]}


def test_with_mlflow_down_saving_and_loading_are_one_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    for ask in (lambda: label().save(), lambda: gt.load_prompt("label@1")):
        with pytest.raises(gt.GenToolkitError, match="MLFLOW_TRACKING_URI") as raised:
            ask()
        assert raised.value.code == "tracking"
