"""A prompt under a person's hands: always a prompt, or one line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import FragmentError, PromptError
from gen_toolkit.widgets.draft import Draft

LABEL = gt.Prompt(
    "label-review",
    system="You label film reviews.",
    user="{{ text }} {{ labels }}",
    output={"enum": ["positive", "negative"]},
    defaults={"labels": ["positive", "negative"]},
    types={"text": str, "labels": list[str]},
    untrusted=["text"],
    options={"temperature": 0},
    description="which way it goes",
    owner="films",
)


def test_an_untouched_draft_is_the_prompt_itself() -> None:
    assert Draft.of(LABEL).prompt() is LABEL


def test_a_changed_text_keeps_what_the_origin_declares() -> None:
    changed = Draft.of(LABEL).with_turn(1, text="{{ text }}? {{ labels }}").prompt()
    assert {**changed.content(), "messages": []} == {**LABEL.content(), "messages": []}
    assert changed.messages[1]["content"] == "{{ text }}? {{ labels }}"
    assert (changed.description, changed.owner, changed.version) == ("which way it goes", "films", None)


def test_what_is_declared_of_a_variable_goes_and_comes_with_it() -> None:
    draft = Draft.of(LABEL).with_turn(1, text="{{ words }}")
    made = draft.prompt()
    assert ({n: str(k) for n, k in made.types.items()}, made.defaults, made.untrusted) == ({"words": "any"}, {}, set())
    assert draft.with_turn(1, text="{{ text }} {{ labels }}").prompt() == LABEL


def test_a_broken_template_names_the_message_and_the_line() -> None:
    draft = Draft.of(LABEL).with_turn(1, text="{{ text }}\n{{ labels")
    with pytest.raises(PromptError, match=r"^message 2 \(user\): the template cannot be parsed, line 2: ") as caught:
        draft.prompt()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", ["{", "[1]", "0", "null", "[" * 100_000, '{"model": "x"}', '{"temperature": NaN}'])
def test_options_that_are_none_are_refused_in_a_line(options: str) -> None:
    with pytest.raises(PromptError, match="option"):
        Draft.of(LABEL).with_options(options).prompt()


def test_options_are_part_of_the_prompt_and_may_be_left_out() -> None:
    assert Draft.of(LABEL).with_options('{"max_tokens": 5}').prompt().options == {"max_tokens": 5}
    assert Draft.of(LABEL).with_options("").prompt().options == {}


def test_messages_are_added_in_turn_and_taken_out() -> None:
    draft = Draft.of(LABEL).with_another().with_another()
    assert [turn.role for turn in draft.turns] == ["system", "user", "assistant", "user"]
    assert draft.without(3).without(2).prompt() == LABEL


def test_a_message_that_is_more_than_a_text_stays_as_it_is() -> None:
    parts = [{"type": "text", "text": "{{ text }}"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    prompt = gt.Prompt("look", messages=[{"role": "user", "content": parts}, {"role": "assistant", "content": "a"}])
    draft = Draft.of(prompt)
    assert [turn.kept is not None for turn in draft.turns] == [True, False]
    changed = draft.with_turn(1, text="b").prompt()
    assert changed.messages == ({"role": "user", "content": parts}, {"role": "assistant", "content": "b"})
    assert changed.variables == {"text"}


def test_fragments_are_those_of_the_version_and_a_new_one_is_read_from_its_file(workspace: Path) -> None:
    prompt = gt.Prompt("kind", user='{% include "tone" %}', fragments={"tone": "Be kind."}, version=2)
    assert Draft.of(prompt).with_turn(0, text='{% include "tone" %}!').prompt().fragments == {"tone": "Be kind."}
    draft = Draft.of(prompt).with_turn(0, text='{% include "new" %}')
    with pytest.raises(FragmentError, match="there is no fragment 'new'"):
        draft.prompt()
    (workspace / "notebooks" / "fragments").mkdir()
    (workspace / "notebooks" / "fragments" / "new.md").write_text("Be new.", encoding="utf-8")
    assert draft.prompt().fragments == {"new": "Be new."}
