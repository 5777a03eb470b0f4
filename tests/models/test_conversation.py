"""gt.Conversation keeps what was said, and only that; a call that fails leaves it as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import pytest
from hostile import CORPUS, strange_characters, strange_tags
from openai_server import OpenAIServer, completion

import gen_toolkit as gt
from gen_toolkit.errors import InputError, MissingVariable, ModelRefused, OutputMismatch, PromptError
from gen_toolkit.messages.tool import ToolCall
from gen_toolkit.models.counted import count_calls

Sentiment = Literal["positive", "negative"]


def lookup(word: str) -> str:
    """Look a word up."""
    raise AssertionError("a tool is never run")


def roles(talk: gt.Conversation) -> list[str]:
    return [message["role"] for message in talk.messages]


def said(talk: gt.Conversation, text: Any = None, **more: Any) -> gt.Reply:
    return talk.chat(text, **more)


def awaited(talk: gt.Conversation, text: Any = None, **more: Any) -> gt.Reply:
    return asyncio.run(talk.achat(text, **more))


def streamed(talk: gt.Conversation, text: Any = None, **more: Any) -> gt.Reply:
    *_, last = talk.stream(text, **more)
    assert last.reply is not None
    return last.reply


WAYS = pytest.mark.parametrize("ask", [said, awaited, streamed])
WANTS = {"tool_calls": [{"name": "lookup", "arguments": {"word": "a"}}, {"name": "lookup", "arguments": {"word": "b"}}]}


@WAYS
def test_every_question_carries_what_was_said_before(ask: Callable[..., gt.Reply]) -> None:
    model = gt.ScriptedModel(["Lovelace.", "1815."])
    talk = gt.Conversation("You are brief.", model=model, temperature=0)
    assert ask(talk, "Who was Ada?").text == "Lovelace."
    assert ask(talk, "Born?", max_tokens=9).text == "1815."
    assert [list(request.messages) for request in model.requests] == [
        [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Who was Ada?"}],
        list(talk.messages[:-1]),
    ]
    assert roles(talk) == ["system", "user", "assistant", "user", "assistant"]
    assert [request.options for request in model.requests] == [{"temperature": 0}, {"temperature": 0, "max_tokens": 9}]
    assert len(talk) == 2


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        (None, []),
        ("Be brief.", [{"role": "system", "content": "Be brief."}]),
        (gt.Prompt("p", system="Be {{ x }}.", defaults={"x": "kind"}), [{"role": "system", "content": "Be kind."}]),
        (gt.Prompt("p", system="Be {{ x }}.")(x="fair"), [{"role": "system", "content": "Be fair."}]),
        ([{"role": "developer", "content": "Be."}], [{"role": "developer", "content": "Be."}]),
    ],
    ids=["nothing", "text", "prompt", "rendered", "messages"],
)
def test_it_starts_with_a_prompt(prompt: Any, start: list[Any]) -> None:
    talk = gt.Conversation(prompt, model=gt.ScriptedModel("hi"))
    assert list(talk.messages) == start
    talk.chat("hello")
    assert list(talk.messages[: len(start)]) == start


def test_a_prompt_is_rendered_and_named_in_every_call() -> None:
    model = gt.ScriptedModel(["positive", "negative"])
    prompt = gt.Prompt("label", system="Label.", output=Sentiment)
    talk = gt.Conversation(prompt, model=model)
    assert [talk.chat(text).value for text in ("great", "awful")] == ["positive", "negative"]
    assert {str(request.prompt) for request in model.requests} == {str(prompt.reference)}
    with pytest.raises(MissingVariable):
        gt.Conversation(gt.Prompt("p", system="{{ x }}"))


def test_a_turn_may_be_a_rendered_prompt_with_an_output_of_its_own() -> None:
    model = gt.ScriptedModel(["a film", "positive"])
    talk = gt.Conversation(model=model)
    talk.chat("What is this?")
    reply = talk.chat(gt.Prompt("label", user="Label {{ it }}.", output=Sentiment)(it="it"))
    assert reply.value == "positive"
    assert model.requests[1].messages[-1]["content"] == "Label it."
    assert str(model.requests[1].prompt).startswith("label#")


def test_a_prompt_that_ends_with_a_question_is_answered_without_another() -> None:
    talk = gt.Conversation([{"role": "user", "content": "Hi?"}], model=gt.ScriptedModel("Hello."))
    assert talk.chat().text == "Hello."
    assert roles(talk) == ["user", "assistant"]


def test_a_turn_may_have_parts() -> None:
    parts = [{"type": "text", "text": "See:"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    talk = gt.Conversation(model=gt.ScriptedModel("A cat."))
    talk.chat(parts)
    assert talk.messages[0] == {"role": "user", "content": parts}


@WAYS
def test_results_of_tools_go_with_the_next_question(ask: Callable[..., gt.Reply]) -> None:
    model = gt.ScriptedModel([WANTS, "Both are letters."])
    talk = gt.Conversation(model=model, tools=[lookup])
    first, second = ask(talk, "What are a and b?").tool_calls
    talk.result(second, {"kind": "letter"})
    with pytest.raises(PromptError, match=r"waits for the result of lookup \(call-1\)"):
        ask(talk)
    talk.result(first, ValueError("not in the book"))
    assert ask(talk).text == "Both are letters."
    assert [message.get("tool_call_id") for message in model.requests[1].messages] == [None, None, "call-2", "call-1"]
    assert len(talk) == 2
    assert all([tool.name for tool in request.tools] == ["lookup"] for request in model.requests)


def test_a_result_nobody_waits_for_is_refused() -> None:
    talk = gt.Conversation(model=gt.ScriptedModel([WANTS]), tools=[lookup])
    with pytest.raises(PromptError, match="does not wait"):
        talk.result(ToolCall("call-1", "lookup", ""), "early")
    first, _ = talk.chat("?").tool_calls
    talk.result(first, "once")
    with pytest.raises(PromptError, match="does not wait"):
        talk.result(first, "twice")
    assert roles(talk) == ["user", "assistant", "tool"]


@WAYS
@pytest.mark.parametrize("history", [0, 1])
def test_a_call_that_fails_leaves_the_conversation_as_it_was(ask: Callable[..., gt.Reply], history: int) -> None:
    talk = gt.Conversation("Be.", model=gt.ScriptedModel([*["fine"] * history, {"error": "no"}, "well", "again"]))
    for _ in range(history):
        talk.chat("hi")
    before = talk.messages
    with pytest.raises(ModelRefused):
        ask(talk, "worse")
    assert talk.messages == before
    with pytest.raises(OutputMismatch):
        ask(talk, "odd", output=Sentiment)
    assert talk.messages == before
    assert ask(talk, "better").text == "again"
    assert len(talk) == history + 1


def test_a_stream_that_is_left_leaves_the_conversation_as_it_was() -> None:
    talk = gt.Conversation(model=gt.ScriptedModel(lambda messages: "one two three"))
    with talk.stream("count") as stream:
        next(stream)
    left = talk.messages
    assert talk.chat("again").text == "one two three"
    assert (left, len(talk)) in [((), 1), (left, 2)]


def test_an_answer_to_a_conversation_that_went_on_is_an_error() -> None:
    async def slow(messages: Any) -> str:
        await asyncio.sleep(0.05 * len(messages[-1]["content"]))
        return "done"

    talk = gt.Conversation(model=gt.ScriptedModel(slow))

    async def both() -> list[Any]:
        return await asyncio.gather(talk.achat("a"), talk.achat("bbb"), return_exceptions=True)

    first, second = asyncio.run(both())
    assert first.text == "done"
    assert isinstance(second, InputError)
    assert talk.messages[0]["content"] == "a"
    assert len(talk) == 1


def test_a_stream_that_is_read_after_the_conversation_went_on_is_refused_before_the_call() -> None:
    model = gt.ScriptedModel(["one", "two"])
    talk = gt.Conversation(model=model)
    late = talk.stream("late")
    talk.chat("first")
    with pytest.raises(InputError, match="has gone on"):
        next(late)
    assert len(model.requests) == len(talk) == 1


@pytest.mark.parametrize("wrong", [None, 3, [], [3], [{"type": "text"}], print], ids=str)
def test_what_says_nothing_is_refused_before_the_call(wrong: Any) -> None:
    model = gt.ScriptedModel("hi")
    talk = gt.Conversation("Be.", model=model)
    with pytest.raises(PromptError):
        talk.chat(wrong)
    assert (model.requests, len(talk)) == ([], 0)


def test_the_last_turn_can_be_taken_back() -> None:
    talk = gt.Conversation("Be.", model=gt.ScriptedModel(["one", WANTS, "three"]), tools=[lookup])
    talk.chat("a")
    after_one = talk.messages
    first, second = talk.chat("b").tool_calls
    after_two = talk.messages
    talk.result(first, "x")
    talk.result(second, "y")
    talk.undo()
    assert talk.messages == after_two
    talk.undo()
    assert talk.messages == after_one
    talk.undo()
    assert roles(talk) == ["system"]
    with pytest.raises(PromptError, match="no turn to take back"):
        talk.undo()


def test_usage_and_cost_are_of_every_call_that_was_made(server: OpenAIServer, alias: Callable[..., None]) -> None:
    alias(price="{input = 1, output = 2}")
    server.say(completion("one"), completion("perhaps"), completion("maybe"), completion("three"))
    outer: list[gt.Reply] = []
    talk = gt.Conversation()
    assert (talk.usage, talk.cost) == (gt.Usage(0, 0, 0, 0), 0)
    with count_calls(outer):
        talk.chat("a")
        talk.undo()
        with pytest.raises(OutputMismatch):
            talk.chat("b", output=Sentiment)
        list(talk.stream("c"))
    assert (talk.usage.input_tokens, talk.usage.output_tokens, talk.cost) == (36, 9, Decimal("54e-6"))
    assert [reply.text for reply in outer] == ["one", "perhaps", "maybe"]
    assert len(talk) == 1


def test_an_unknown_cost_makes_the_sum_unknown(server: OpenAIServer, alias: Callable[..., None]) -> None:
    talk = gt.Conversation()
    talk.chat("a")
    assert talk.cost is None
    assert "unknown" in repr(talk)


def test_an_answer_is_asked_for_again_without_a_trace_in_the_conversation() -> None:
    talk = gt.Conversation(model=gt.ScriptedModel(["perhaps", "positive"]), output=Sentiment, reask=True)
    assert talk.chat("great").value == "positive"
    assert [message["content"] for message in talk.messages] == ["great", "positive"]


def test_it_goes_on_from_json_where_it_stood() -> None:
    model = gt.ScriptedModel(lambda messages: WANTS if len(messages) < 3 else f"{len(messages)} messages")
    prompt = gt.Prompt("label", system="Label.", version=3)
    talk = gt.Conversation(prompt, model=model, output={"type": "string"}, tools=[lookup], reask=False, seed=1)
    first, second = talk.chat("a").tool_calls
    talk.result(first, "x")
    data = json.loads(json.dumps(talk.to_json()))
    again = gt.Conversation.from_json(data, model=model)
    assert (again.messages, again.usage, again.cost, len(again)) == (talk.messages, talk.usage, talk.cost, 1)
    assert again.to_json() == talk.to_json()
    for each in (talk, again):
        each.result(second, "y")
        with pytest.raises(OutputMismatch):
            each.chat("so?")
    one, other = model.requests[1:]
    assert one.hash == other.hash
    assert one.prompt == other.prompt == prompt.reference


def test_the_alias_is_part_of_the_json(server: OpenAIServer, alias: Callable[..., None]) -> None:
    talk = gt.Conversation.from_json(gt.Conversation(model="fast").to_json())
    assert talk.model == "fast"
    assert talk.chat("hi").model == "fast"


@pytest.mark.parametrize(
    "change",
    [{"turns": None}, {"usage": {"no": 1}}, {"cost": "much"}, {"start": [3]}, {"prompt": 3}, {"options": {"tools": 1}}],
    ids=str,
)
def test_what_is_no_conversation_is_one_typed_line(change: dict[str, Any]) -> None:
    data = {**gt.Conversation().to_json(), **change}
    with pytest.raises(InputError):
        gt.Conversation.from_json(data)
    with pytest.raises(InputError, match="no conversation"):
        gt.Conversation.from_json({})


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_it_is_shown_and_never_obeyed(text: str) -> None:
    calls = [{"name": text, "arguments": {text: text}}]
    model = gt.ScriptedModel([{"text": text, "tool_calls": calls}, text], name=text)
    talk = gt.Conversation([{"role": text, "content": text}], model=model, tools=[lookup])
    (call,) = talk.chat([{"type": text, "text": text}, {"type": "text", "text": text}]).tool_calls
    talk.result(call, text)
    talk.chat(text)
    shown = talk._repr_mimebundle_()
    assert strange_tags(shown["text/html"]) == []
    assert strange_characters(shown["text/plain"]) == []


def test_it_shows_its_turns_its_model_and_its_cost() -> None:
    talk = gt.Conversation("Be.", model=gt.ScriptedModel(["hello"]))
    talk.chat("hi")
    shown = talk._repr_mimebundle_()
    for form in shown.values():
        assert "1 turn · scripted · $0.0000" in form
    assert shown["text/plain"].endswith("[system]\nBe.\n\n[user]\nhi\n\n[assistant]\nhello")
    assert repr(talk) == "Conversation('conversation', 1 turn · scripted · $0.0000)"
    assert talk
