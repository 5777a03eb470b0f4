"""A form's texts: checked as `gen run` checks them, and told as the command that would run the same."""

from __future__ import annotations

import shlex

import pytest

from gen_toolkit.jobs.parameters import read_parameters
from gen_toolkit.widgets.form_state import FormState

DECLARED = """from typing import Annotated, Literal
from annotated_types import Ge, Le
from gen_toolkit import Secret
limit: Annotated[int, Ge(1), Le(100)] = 20
mode: Literal["fast", "careful"] = "fast"
note: str | None = None
tags: list[str] = ["a"]
key: Secret = Secret("env:KEY")
"""


@pytest.fixture
def state() -> FormState:
    return FormState("label", 3, read_parameters(DECLARED))


def test_untouched_it_is_the_release_as_it_is(state: FormState) -> None:
    assert state.texts == {"limit": "20", "mode": "fast", "note": "null", "tags": '["a"]', "key": "env:KEY"}
    assert (state.command, state.problems) == ("gen run label", {})


def test_what_differs_is_in_the_command_quoted_for_a_shell(state: FormState) -> None:
    state.type("limit", "7")
    state.type("note", "it's $HOME; `id`\n{{ x }}")
    state.type("tags", '["b c"]')
    assert shlex.split(state.command) == [
        "gen", "run", "label", "-p", "limit=7", "-p", "note=it's $HOME; `id`\n{{ x }}", "-p", 'tags=["b c"]'
    ]  # fmt: skip
    assert state.problems == {}


def test_a_release_that_is_named_is_in_the_command() -> None:
    assert FormState("label", 3, read_parameters(DECLARED), is_named=True).command == "gen run label --release 3"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("limit", "0", "greater than or equal to 1"),
        ("limit", "many", "integer"),
        ("mode", "slow", "'fast' or 'careful'"),
        ("tags", "a, b", "list"),
        ("key", "sk-the-value-itself", "must be a reference"),
        ("note", "@secrets.json", "would name a file"),
        ("note", "a\0b", "character 0"),
        ("note", "\udcff", "half a character"),
    ],
)
def test_what_gen_run_would_refuse_is_a_problem_until_it_is_mended(
    state: FormState, name: str, text: str, says: str
) -> None:
    before = state.texts[name]
    state.type(name, text)
    assert says in state.problems[name]
    assert "sk-the-value" not in state.problems[name]
    state.type(name, before)
    assert state.problems == {}
