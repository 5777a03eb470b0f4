"""Vectors: one a text, in order, of one size, of finite numbers; everything else is a typed error."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.errors import BadReply, ModelError, ModelRefused
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.embedding import embedding_body, embedding_reply

ASKED = Request(messages=(), inputs=("a", "b"), alias="fast", model="m", options={"dimensions": 2})
USAGE = {"prompt_tokens": 4, "total_tokens": 4}


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def reply(*vectors: Any, usage: Any = USAGE) -> Reply:
    return embedding_reply(ASKED, {"data": list(vectors), "usage": usage})


def test_texts_model_and_options_are_sent() -> None:
    assert embedding_body(ASKED) == {"input": ["a", "b"], "model": "m", "dimensions": 2}


@pytest.mark.parametrize(
    "vectors",
    [
        [{"index": 0, "embedding": [1, 0.5]}, {"index": 1, "embedding": [0, -2.0]}],
        [{"index": 1, "embedding": [0, -2.0]}, {"index": 0, "embedding": [1, 0.5]}],
        [{"embedding": [1, 0.5]}, {"embedding": [0, -2.0]}],
        [{"index": 0, "embedding": packed(1, 0.5)}, {"index": 1, "embedding": packed(0, -2)}],
    ],
    ids=["in order", "out of order", "without places", "base64"],
)
def test_each_text_gets_its_vector(vectors: list[Any]) -> None:
    found = reply(*vectors)
    assert found.vectors == found.value == ((1.0, 0.5), (0.0, -2.0))
    assert (found.text, found.finish_reason, found.usage) == ("", "stop", gt.Usage(4, 0))


def test_what_is_kept_of_a_vector_is_the_vector() -> None:
    found = reply({"embedding": [0.1, 1 / 3]}, {"embedding": [1e-7, 12345.678]})
    assert Reply.from_json(json.loads(json.dumps(found.to_json()))).vectors == found.vectors


def test_usage_that_is_not_said_is_unknown() -> None:
    assert reply({"embedding": [1]}, {"embedding": [2]}, usage=None).usage == gt.Usage()


GOOD = {"index": 0, "embedding": [1.0, 2.0]}
BAD: dict[str, Any] = {
    "one missing": [GOOD],
    "one too many": [GOOD, {"index": 1, "embedding": [1, 2]}, {"index": 2, "embedding": [1, 2]}],
    "none": [],
    "one place twice": [GOOD, GOOD],
    "a place that is none": [GOOD, {"index": 7, "embedding": [1, 2]}],
    "a place of another type": [GOOD, {"index": "1", "embedding": [1, 2]}],
    "a place that is true": [GOOD, {"index": True, "embedding": [1, 2]}],
    "two sizes": [GOOD, {"index": 1, "embedding": [1]}],
    "an empty vector": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
    "no vector": [GOOD, {"index": 1, "embedding": None}],
    "text": [GOOD, {"index": 1, "embedding": ["1", "2"]}],
    "nested": [GOOD, {"index": 1, "embedding": [[1], [2]]}],
    "not finite": [GOOD, {"index": 1, "embedding": [1, float("nan")]}],
    "infinite": [GOOD, {"index": 1, "embedding": [1, float("inf")]}],
    "too large for a float": [GOOD, {"index": 1, "embedding": [1, 1e300]}],
    "a huge whole number": [GOOD, {"index": 1, "embedding": [1, 10**400]}],
    "no base64": [GOOD, {"index": 1, "embedding": "!!"}],
    "half a number": [GOOD, {"index": 1, "embedding": base64.b64encode(b"12345").decode()}],
    "infinite in base64": [GOOD, {"index": 1, "embedding": packed(1, float("inf"))}],
    "an entry that is none": [GOOD, 3],
}


@pytest.mark.parametrize("vectors", BAD.values(), ids=BAD)
def test_what_is_no_vector_a_text_is_a_bad_reply(vectors: list[Any]) -> None:
    with pytest.raises(BadReply, match="fast") as caught:
        reply(*vectors)
    assert caught.value.retryable


@pytest.mark.parametrize("body", [None, [], {}, {"data": None}, {"data": {}}, "x"], ids=json.dumps)
def test_what_has_not_the_form_of_an_answer_is_a_bad_reply(body: Any) -> None:
    with pytest.raises(BadReply):
        embedding_reply(ASKED, body)


def test_an_error_inside_is_typed() -> None:
    with pytest.raises(ModelError) as caught:
        embedding_reply(ASKED, {"error": {"message": "x", "code": "context_length_exceeded"}})
    assert type(caught.value) is ModelRefused
