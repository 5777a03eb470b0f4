"""How many tokens a request can take at most: never fewer than a tokenizer makes of it."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from gen_toolkit.errors import InputError
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool
from gen_toolkit.models.bounds import input_bound, output_bound


class Person(BaseModel):
    name: str


def asked(*contents: Any, **more: Any) -> Request:
    return Request(tuple({"role": "user", "content": content} for content in contents), **more)


def bytes_of(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=30), min_size=1, max_size=4))
def test_a_tokenizer_that_makes_a_token_of_each_byte_stays_below_it(texts: list[str]) -> None:
    told = [{"type": "text", "text": text} for text in texts]
    template = 20  # tokens that a server's template puts around each message
    assert input_bound(asked(*texts)) >= sum(bytes_of(text) + template for text in texts)
    assert input_bound(asked(told)) >= sum(map(bytes_of, texts)) + template
    assert input_bound(asked(inputs=tuple(texts))) >= sum(bytes_of(text) + template for text in texts[:1])


def test_everything_that_is_sent_counts() -> None:
    long = "x" * 5000
    plain = input_bound(asked("hi"))
    called = {"id": "1", "type": "function", "function": {"name": "f", "arguments": long}}
    for request in (
        Request(({"role": "assistant", "content": None, "tool_calls": [called]},)),
        asked("hi", tools=(Tool("f", long, {"type": "object"}),)),
        asked("hi", options={"tools": [{"type": "function", "function": {"name": "f", "description": long}}]}),
        asked("hi", options={"prediction": {"type": "content", "content": long}}),
        asked("hi", output=Output.of({"type": "object", "description": long})),
        asked([{"type": "input_audio", "input_audio": {"data": long, "format": "wav"}}]),
    ):
        assert plain + 5000 < input_bound(request) < plain + 7000


def test_the_schema_counts_as_a_template_may_write_it() -> None:
    schema = Output.of(Person)
    assert schema is not None
    assert input_bound(asked("hi", output=schema)) > input_bound(asked("hi")) + len(json.dumps(schema.schema, indent=4))


def test_a_picture_counts_as_a_picture_however_many_bytes_it_has() -> None:
    def picture(url: str, **more: str) -> Request:
        return asked(
            [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url, **more}}]
        )

    data = input_bound(picture("data:image/png;base64," + "A" * 10**6))
    assert data == input_bound(picture("https://example.com/a.png"))
    assert 50_000 < data < 51_000
    assert 2_833 < input_bound(picture("https://example.com/a.png", detail="low")) < 4_000


def test_what_is_only_called_like_a_picture_counts_as_text() -> None:
    argument = {"image_url": {"type": "string", "description": "x" * 5000}}
    function = {"name": "look", "parameters": {"type": "object", "properties": argument}}
    asked_with = asked("hi", options={"tools": [{"type": "function", "function": function}]})
    assert input_bound(asked_with) > input_bound(asked("hi")) + 5000


@pytest.mark.parametrize("part", [{"type": "file", "file": {"file_id": "1"}}, {"type": "video_url"}, {}, "text"])
def test_a_part_that_nobody_can_bound_is_refused_with_advice(part: Any) -> None:
    with pytest.raises(InputError, match="nobody can tell how many tokens") as caught:
        input_bound(asked([part]))
    assert caught.value.exit_code == 2
    assert caught.value.fix


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({"max_tokens": 20}, 20),
        ({"max_completion_tokens": 30}, 30),
        ({"max_tokens": 20, "max_completion_tokens": 30}, 30),
        ({"max_tokens": 20, "n": 3}, 60),
        ({"max_tokens": 0}, 0),
        ({}, None),
        ({"n": 3}, None),
        ({"max_tokens": None}, None),
        ({"max_tokens": True}, None),
        ({"max_tokens": "20"}, None),
        ({"max_tokens": -1}, None),
        ({"max_tokens": 10**30}, None),
    ],
)
def test_the_answer_is_as_long_as_the_request_allows_or_nobody_knows(
    options: dict[str, Any], bound: int | None
) -> None:
    assert output_bound(asked("hi", options=options)) == bound


def test_a_choice_takes_one_token_and_an_embedding_none() -> None:
    labels = Output.of(Literal["a", "b"])
    assert output_bound(asked("hi", choose=("a", "b"), output=labels)) == 1
    assert output_bound(asked("hi", choose=("a", "b"), options={"n": 2, "max_tokens": 50})) == 2
    assert output_bound(Request((), inputs=("hi",))) == 0
