"""The cell that a playground writes asks exactly what the playground asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import hostile
import pytest

import gen_toolkit as gt
from gen_toolkit.widgets.as_code import as_code

SAYS = gt.ScriptedModel({"*": "positive"})


def names_of(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "cell", "exec"), names)
    return names


def aliases(workspace: Path, *names: str) -> None:
    (workspace / "says.json").write_text('{"*": "positive"}', encoding="utf-8")
    lines = [f'[models.{name}]\nprovider = "scripted"\nreplies = "says.json"\n' for name in names]
    (workspace / "gen_toolkit.toml").write_text("".join(lines), encoding="utf-8")


FULL = gt.Prompt(
    "label-review",
    system="You label film reviews.",
    user="{{ text }}\n\nIs the review {{ labels | join(' or ') }}?\n",
    output=Literal["positive", "negative"],
    defaults={"labels": ["positive", "negative"]},
    types={"text": str, "labels": list[str]},
    untrusted=["text"],
    options={"temperature": 0},
    description="which way it goes",
    owner="films",
)
TURNS = gt.Prompt(
    "turns",
    messages=[
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": [{"type": "text", "text": "{{ text }}"}]},
        {"role": "assistant", "content": 'It\'s "fine",\nthat is all.' * 9},
    ],
)


@pytest.mark.parametrize("prompt", [FULL, TURNS], ids=["declared", "turns"])
@pytest.mark.parametrize("text", hostile.CORPUS)
def test_the_cell_makes_the_same_prompt_and_the_same_messages(prompt: gt.Prompt, text: str, workspace: Path) -> None:
    aliases(workspace, "fast")
    names = names_of(as_code(prompt, {"text": text, **prompt.defaults}, ["fast"]))
    assert names["prompt"] == prompt
    assert (names["prompt"].description, names["prompt"].owner) == (prompt.description, prompt.owner)
    assert names["rendered"].messages == prompt(text=text).messages
    assert names["reply"].text == "positive"


def test_the_cell_reads_like_one_that_a_person_wrote() -> None:
    assert as_code(FULL, {"text": "Great.", **FULL.defaults}, ["fast"]) == (
        """import gen_toolkit as gt

prompt = gt.Prompt(
    "label-review",
    system="You label film reviews.",
    user=(
        "{{ text }}\\n"
        "\\n"
        "Is the review {{ labels | join(' or ') }}?\\n"
    ),
    output={"enum": ["positive", "negative"]},
    defaults={"labels": ["positive", "negative"]},
    types={"text": "str", "labels": "list[str]"},
    untrusted=["text"],
    options={"temperature": 0},
    description="which way it goes",
    owner="films",
)
rendered = prompt(text="Great.")

reply = gt.chat(rendered, model="fast")
reply"""
    )


def test_a_saved_prompt_is_loaded_by_its_version() -> None:
    saved = gt.Prompt("greet", user="Hi {{ name }}", version=4)
    assert 'prompt = gt.load_prompt("greet@4")\nrendered = prompt(name="Ada")' in as_code(saved, {"name": "Ada"}, [])


def test_a_streamed_answer_is_streamed_and_several_models_are_asked_in_turn(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aliases(workspace, "fast", "good")
    prompt = gt.Prompt("greet", user="Hi {{ name }}")
    names_of(as_code(prompt, {"name": "Ada"}, ["fast"], streamed=True))
    assert capsys.readouterr().out == "positive"
    several = names_of(as_code(prompt, {"name": "Ada"}, ["fast", "good"], streamed=True))
    assert {model: reply.text for model, reply in several["replies"].items()} == dict.fromkeys(
        ["fast", "good"], "positive"
    )


def test_a_variable_named_like_a_keyword_is_given_all_the_same(workspace: Path) -> None:
    aliases(workspace, "fast")
    prompt = gt.Prompt("classify", user="{{ class }} {{ text }}")
    values = {"class": "A" * 120, "text": "b"}
    assert names_of(as_code(prompt, values, ["fast"]))["rendered"] == prompt(**values)


def test_fragments_are_written_out_where_the_files_say_something_else(workspace: Path) -> None:
    aliases(workspace, "fast")
    prompt = gt.Prompt("kind", user='{% include "tone" %}', fragments={"tone": "Be kind."})
    assert names_of(as_code(prompt, {}, ["fast"]))["prompt"] == prompt
    (workspace / "notebooks" / "fragments").mkdir()
    (workspace / "notebooks" / "fragments" / "tone.md").write_text("Be kind.", encoding="utf-8")
    written = as_code(prompt, {}, ["fast"])
    assert "fragments" not in written
    assert names_of(written)["prompt"] == prompt
