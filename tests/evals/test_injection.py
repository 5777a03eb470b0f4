"""Hostile values: they stay inside their fences, and the check sees it where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import ModelUnreachable, PromptError, PromptNotFound
from gen_toolkit.evals import injection
from gen_toolkit.evals.injection import CASES, ORDERS, Obeyed, inject, obeyed
from gen_toolkit.evals.prompt_check import check_prompt, check_prompts
from gen_toolkit.messages.request import Message
from gen_toolkit.prompts import template

SAFE = [
    gt.Prompt("plain", user="{{ x }}?", types={"x": str}, untrusted=["x"]),
    gt.Prompt("untyped", user="{{ x }}?", untrusted=["x"]),
    gt.Prompt("changed", user="{{ x | upper | replace('A', 'B') }}", types={"x": str}, untrusted=["x"]),
    gt.Prompt("list", user="{% for t in x %}- {{ t }}\n{% endfor %}", types={"x": "list[str]"}, untrusted=["x"]),
    gt.Prompt("row", user="{{ x.title }}: {{ x.text }}", types={"x": "dict[str, str]"}, untrusted=["x"]),
    gt.Prompt("shots", messages=[{"role": r, "content": "{{ x }}"} for r in ("system", "user")], untrusted=["x"]),
    gt.Prompt("two", user="{{ x }}{{ y }}", untrusted=["x", "y"], defaults={"y": "y"}),
    gt.Prompt("parts", messages=[{"role": "user", "content": [{"type": "text", "text": "{{ x }}"}]}], untrusted=["x"]),
    gt.Prompt("either", user="{{ x }}", types={"x": "int | str | None"}, untrusted=["x"]),
    gt.Prompt("shared", user='{% include "a" %}', fragments={"a": "{{ x | trim }}"}, untrusted=["x"]),
    gt.Prompt("number", user="{{ x }}", types={"x": int}, untrusted=["x"]),
]


@pytest.mark.parametrize("prompt", SAFE, ids=lambda prompt: prompt.name)
def test_no_hostile_value_leaves_its_fence(prompt: gt.Prompt) -> None:
    assert list(inject(prompt)) == []


@pytest.mark.parametrize("case", CASES)
def test_every_hostile_value_is_noticed_where_there_is_no_fence(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "fenced", lambda tree, untrusted: tree)
    template._compiled.cache_clear()
    found = list(inject(gt.Prompt("p", user="{{ x }}?", untrusted=["x"])))
    template._compiled.cache_clear()
    assert f"'x', {case}: the value appears outside of its fence" in found


def test_a_value_that_is_expanded_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    really = template.render
    monkeypatch.setattr(
        "gen_toolkit.prompts.prompt.render",
        lambda source, values, untrusted: really(str(values["x"]).replace("{{ config }} {% raw %}", ""), {}),
    )
    found = list(inject(gt.Prompt("p", user="{{ x }}", untrusted=["x"])))
    assert "'x', template expression: the value was expanded as a template" in found


def test_a_value_that_changes_the_messages_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Two(gt.Prompt):
        def __call__(self, **values: Any) -> Any:
            rendered = super().__call__(**values)
            split = "# system" in str(values["x"])
            return type(rendered)(rendered.messages * 2) if split else rendered

    assert [m for m in inject(Two("p", user="{{ x }}", untrusted=["x"])) if "are others" in m] == [
        "'x', role headings: the messages are others than with a harmless value"
    ]


def test_a_value_that_cannot_be_rendered_is_told_and_the_others_are_tried() -> None:
    text = "{% for a in range(30) %}{{ x }}{% endfor %}"
    assert list(inject(gt.Prompt("p", user=text, untrusted=["x"]))) == [
        "'x', very long: the rendered text passes 2,000,000 characters or 2 s"
    ]


def test_how_often_a_model_obeys_is_counted_and_nothing_is_judged() -> None:
    def answer(messages: Sequence[Message]) -> str:
        return "MARZIPAN-7391" if "Ignore all" in messages[-1]["content"] else "No."

    prompt = gt.Prompt("p", user="{{ x }} {{ y }}", untrusted=["x"], defaults={"y": 1})
    found = obeyed(prompt, gt.ScriptedModel(answer))
    assert found == Obeyed(1, len(ORDERS), 0)
    assert str(found) == "the order was followed in 1 of 5 answers"


def test_an_answer_that_does_not_fit_the_output_is_an_answer() -> None:
    prompt = gt.Prompt("p", user="{{ x }}", untrusted=["x"], output=Literal["good", "bad"])
    assert obeyed(prompt, gt.ScriptedModel({"*": "MARZIPAN-7391"})) == Obeyed(5, 5, 0)


def test_calls_that_fail_are_counted_apart_and_a_dead_model_is_no_figure() -> None:
    prompt = gt.Prompt("p", user="{{ x }}", untrusted=["x"])
    broken = ModelUnreachable("no connection", alias="m")
    broken.retryable = False  # type: ignore[misc]
    assert obeyed(prompt, gt.ScriptedModel(["no", broken, "no", broken, "no"])) == Obeyed(0, 3, 2)
    with pytest.raises(ModelUnreachable):
        obeyed(prompt, gt.ScriptedModel([broken]))


def test_a_prompt_that_does_not_render_or_declares_nothing_is_told() -> None:
    found = check_prompt(gt.Prompt("p", user="{{ row.stars }}"), "here")
    assert [problem.rule for problem in found.problems] == ["undeclared", "renders"]
    assert "its variables have no types: row [undeclared]" in map(str, found.problems)
    assert check_prompt(gt.Prompt("p", user="{{ row.stars }}", types={"row": "dict[str, str]"}), "here").problems == ()
    assert check_prompt(gt.Prompt("p", user="no variable"), "here").problems == ()


def test_a_check_names_what_was_tried() -> None:
    found = check_prompt(SAFE[0], "here", gt.ScriptedModel({"*": "no"}))
    assert (found.tried, found.cases, found.obeyed) == (("x",), len(CASES), Obeyed(0, 5, 0))
    assert check_prompt(SAFE[-1], "here").tried == ()  # a number holds no text
    assert check_prompt(gt.Prompt("p", user="x"), "here", gt.ScriptedModel({"*": "no"})).obeyed is None


def test_a_name_without_a_file_is_not_found(workspace: Any) -> None:
    assert check_prompts() == []
    (workspace / "notebooks" / "a.prompt.md").write_text("---\nname: label\n---\n# user\nx\n")
    assert [(found.name, found.where) for found in check_prompts("label")] == [("label", "notebooks/a.prompt.md")]
    with pytest.raises(PromptNotFound, match=r"no file of the workspace holds a prompt 'labl'\. Did you mean 'label'"):
        check_prompts("labl")
    with pytest.raises(PromptError, match="names no prompt"):
        check_prompts("a b@1")


def test_every_case_holds_its_canary_so_that_none_is_tested_in_vain() -> None:
    assert all(injection._CANARY in text and injection._EXPANDED not in text for text in CASES.values())
