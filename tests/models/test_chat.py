"""gt.chat, gt.achat, gt.choose: the same answer from a script, a running loop and a thread."""

from __future__ import annotations

import asyncio
import enum
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

import gen_toolkit as gt
from gen_toolkit import text
from gen_toolkit.errors import (
    BadReply,
    ModelRefused,
    OutputMismatch,
    PromptError,
    SettingError,
    UnknownAlias,
)
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import Rendered, as_rendered
from gen_toolkit.models.counted import count_calls

Sentiment = Literal["positive", "negative"]


class Person(BaseModel):
    name: str


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


def in_a_script() -> gt.Reply:
    return gt.chat("hi", model=gt.ScriptedModel("hello"))


def in_a_running_loop() -> gt.Reply:
    async def cell() -> gt.Reply:
        return gt.chat("hi", model=gt.ScriptedModel("hello"))

    return asyncio.run(cell())


def awaited() -> gt.Reply:
    return asyncio.run(gt.achat("hi", model=gt.ScriptedModel("hello")))


def in_a_thread() -> gt.Reply:
    replies: list[gt.Reply] = []
    thread = threading.Thread(target=lambda: replies.append(gt.chat("hi", model=gt.ScriptedModel("hello"))))
    thread.start()
    thread.join()
    return replies[0]


@pytest.mark.parametrize("ask", [in_a_script, in_a_running_loop, awaited, in_a_thread])
def test_it_works_wherever_it_is_called(ask: Callable[[], gt.Reply]) -> None:
    reply = ask()
    assert (reply.text, reply.value, reply.model, reply.attempts, reply.source) == (
        "hello",
        "hello",
        "scripted",
        1,
        "live",
    )


@pytest.mark.parametrize(
    "prompt",
    ["hi", [{"role": "user", "content": "hi"}], Rendered(({"role": "user", "content": "hi"},))],
    ids=["text", "messages", "rendered"],
)
def test_a_prompt_is_a_text_messages_or_rendered(prompt: Any) -> None:
    model = gt.ScriptedModel("hello")
    gt.chat(prompt, model=model)
    assert [dict(message) for message in model.requests[0].messages] == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("declared", "said", "value"),
    [(Sentiment, "Positive", "positive"), (Mood, "bad", Mood.BAD), (Person, '{"name": "Ann"}', Person(name="Ann"))],
)
def test_the_value_has_the_declared_type(declared: Any, said: str, value: Any) -> None:
    reply = gt.chat("?", model=gt.ScriptedModel(said), output=declared)
    assert (reply.value, reply.text) == (value, said)


def test_what_does_not_fit_is_an_error_that_carries_the_text() -> None:
    with pytest.raises(OutputMismatch, match=r"scripted does not fit.*'perhaps'") as caught:
        gt.chat("?", model=gt.ScriptedModel("perhaps"), output=Sentiment)
    assert (caught.value.text, caught.value.exit_code) == ("perhaps", 1)


def test_what_does_not_fit_was_paid_and_is_counted() -> None:
    replies: list[gt.Reply] = []
    with count_calls(replies), pytest.raises(OutputMismatch):
        gt.chat("?", model=gt.ScriptedModel("perhaps"), output=Sentiment)
    assert [reply.text for reply in replies] == ["perhaps"]


def test_a_bad_declaration_is_refused_before_the_call() -> None:
    model = gt.ScriptedModel("hello")
    with pytest.raises(PromptError):
        gt.chat("?", model=model, output=3)
    assert model.requests == []


def test_an_unknown_alias_is_refused_before_the_call(workspace: Path) -> None:
    with pytest.raises(UnknownAlias, match="Did you mean 'local'"):
        gt.chat("?", model="locla")
    assert not list(workspace.glob("mlruns/*.db")) or b"locla" not in (workspace / "mlruns/gen_toolkit.db").read_bytes()


def test_an_unknown_provider_offers_the_nearest(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text('[models.fast]\nprovider = "opneai"\nmodel = "m"')
    with pytest.raises(SettingError, match=r"'opneai'; known: .*Did you mean 'openai'\?"):
        gt.chat("?", model="fast")


# choose


def test_the_labels_are_the_declared_output_unless_they_are_given() -> None:
    rendered = Rendered(as_rendered("?").messages, output=Output.of(Mood))
    declared = gt.choose(rendered, model=gt.ScriptedModel("bad"))
    given = gt.choose(rendered, ["yes", "no"], model=gt.ScriptedModel("no"))
    assert (declared.value, given.value) == (Mood.BAD, "no")
    assert (declared.probabilities, given.probabilities) == ({"good": 0, "bad": 1}, {"yes": 0, "no": 1})


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([], "at least two labels and got none"),
        (["yes"], "at least two labels and got 'yes'"),
        (["yes", "yes"], "begin alike"),
        (["yes", "Yes"], "begin alike"),
        (["pos", "positive"], "begin alike"),
        (["", "positive"], "begin alike"),
        ([1, 2], "texts"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused_before_the_call(labels: Any, why: str) -> None:
    model = gt.ScriptedModel("yes")
    with pytest.raises(PromptError, match=why):
        gt.choose("?", labels, model=model)
    assert model.requests == []


# the scripted model


@pytest.mark.parametrize(
    ("replies", "prompts", "answers"),
    [
        ("one", ["a"], ["one"]),
        (["one", {"text": "two"}], ["a", "b"], ["one", "two"]),
        ({"great": "positive", "*": "negative"}, ["a great film", "a film"], ["positive", "negative"]),
        (lambda messages: messages[-1]["content"].upper(), ["a", "b"], ["A", "B"]),
    ],
    ids=["text", "list", "mapping", "function"],
)
def test_a_script_is_a_text_a_list_a_mapping_or_a_function(
    replies: Any, prompts: list[str], answers: list[str]
) -> None:
    model = gt.ScriptedModel(replies)
    assert [gt.chat(prompt, model=model).text for prompt in prompts] == answers
    assert len(model.requests) == len(prompts)


@pytest.mark.parametrize("replies", [[], {"great": "positive"}, [{"error": "no"}]], ids=["list", "mapping", "error"])
def test_a_script_without_a_reply_refuses(replies: Any) -> None:
    with pytest.raises(ModelRefused):
        gt.chat("hi", model=gt.ScriptedModel(replies))


def test_a_scripted_exception_is_raised() -> None:
    with pytest.raises(BadReply, match="odd"):
        gt.chat("hi", model=gt.ScriptedModel([BadReply("odd")]))


def test_a_script_that_chooses_none_of_the_labels_refuses() -> None:
    with pytest.raises(ModelRefused, match="'maybe', which is none of yes, no"):
        gt.choose("?", ["yes", "no"], model=gt.ScriptedModel("maybe"))


def test_another_script_is_another_model() -> None:
    one, same, other = (gt.ScriptedModel([said]).model for said in ("a", "a", "b"))
    assert one == same != other


@pytest.mark.parametrize(("content", "why"), [(None, "cannot be read"), ("no", "cannot be read"), ("3", "neither")])
def test_a_bad_file_of_replies_is_named(workspace: Path, content: str | None, why: str) -> None:
    (workspace / "gen_toolkit.toml").write_text('[models.told]\nprovider = "scripted"\nreplies = "r.json"')
    if content is not None:
        (workspace / "r.json").write_text(content)
    with pytest.raises(SettingError, match=rf"'told': .*r\.json.*{why}"):
        gt.chat("hi", model="told")


def test_a_reply_shown_in_a_notebook_holds_no_secret() -> None:
    text.remember_secret("chat-0123456789")
    reply = gt.chat("hi", model=gt.ScriptedModel("it is chat-0123456789"))
    assert "0123456789" not in "".join(reply._repr_mimebundle_().values())
