"""Chat completions as they stand on the wire: request to payload, answer to reply. No input, no output.

Shared by every provider that speaks the OpenAI API, the embedded one included. Never trusts an answer:
what is not the documented form is a BadReply.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gen_toolkit.errors import BadReply
from gen_toolkit.messages.reply import Reply, Usage
from gen_toolkit.messages.request import Request
from gen_toolkit.text import one_line

_MOST_LOGPROBS = 20  # the API's limit


def payload(request: Request, *, most_logprobs: int = _MOST_LOGPROBS) -> dict[str, Any]:
    """The body of a request to /chat/completions, without provider-specific output enforcement."""
    body: dict[str, Any] = {"messages": [dict(m) for m in request.messages], "model": request.model}
    body.update(request.options)
    if request.choose:
        body.update(logprobs=True, top_logprobs=most_logprobs, max_tokens=1)
    return body


def schema_format(request: Request) -> dict[str, Any] | None:
    """`response_format` for servers that want an object at the root: labels and lists are wrapped."""
    output = request.output
    if output is None or request.choose:
        return None
    schema = output.schema
    if not output.is_object:
        inner = {name: part for name, part in schema.items() if name != "$defs"}
        schema = {
            "type": "object",
            "properties": {"value": inner},
            "required": ["value"],
            "additionalProperties": False,
            **{name: part for name, part in schema.items() if name == "$defs"},  # references start at the root
        }
    return {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}


def reply(request: Request, body: Any) -> Reply:
    """The reply in a decoded answer. Raises BadReply with what is wrong."""
    choice = _first_choice(request, body)
    message = choice.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(message, Mapping) and message.get("refusal"):
        raise _bad(request, f"a refusal: {one_line(message['refusal'])}", retryable=False)
    if request.choose:
        probabilities = _label_probabilities(request, choice)
        content = max(probabilities, key=lambda label: probabilities[label])
        return Reply(
            text=content,
            value=content,
            finish_reason="stop",  # the one token that was asked for is there
            usage=_usage(body),
            probabilities=probabilities,
        )
    if not isinstance(content, str):
        raise _bad(request, "no text in the answer")
    return Reply(text=content, value=content, finish_reason=choice.get("finish_reason"), usage=_usage(body))


def _first_choice(request: Request, body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise _bad(request, f"not a JSON object but {one_line(repr(body))}")
    if body.get("error"):
        raise _bad(request, f"an error with status 200: {one_line(body['error'])}")
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise _bad(request, "no choices in the answer")
    return choices[0]


def _usage(body: Mapping[str, Any]) -> Usage:
    usage = body.get("usage")
    if not isinstance(usage, Mapping):
        return Usage()

    def number(source: object, name: str) -> int | None:
        value = source.get(name) if isinstance(source, Mapping) else None
        return value if type(value) is int and 0 <= value < 2**53 else None

    return Usage(
        input_tokens=number(usage, "prompt_tokens"),
        output_tokens=number(usage, "completion_tokens"),
        cached_tokens=number(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=number(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _label_probabilities(request: Request, choice: Mapping[str, Any]) -> dict[str, float]:
    """Each label's share of the probability that the first token begins one of the labels."""
    try:
        likeliest = choice["logprobs"]["content"][0]["top_logprobs"]
        tokens = [(str(entry["token"]), min(0.0, float(entry["logprob"]))) for entry in likeliest]
    except (KeyError, IndexError, TypeError, ValueError):
        raise _bad(request, "no log-probabilities in the answer; `choose` needs them", retryable=False) from None
    mass = dict.fromkeys(request.choose, 0.0)
    for token, logprob in tokens:
        begin = token.strip().casefold()
        begun = [label for label in request.choose if begin and label.casefold().startswith(begin)]
        if len(begun) == 1 and not math.isnan(logprob):
            mass[begun[0]] += math.exp(logprob)
    total = sum(mass.values())
    if total <= 0.0:
        raise _bad(
            request,
            f"none of {', '.join(request.choose)} among the {len(tokens)} likeliest first tokens",
            retryable=False,
        )
    return {label: share / total for label, share in mass.items()}


def _bad(request: Request, what: str, *, retryable: bool = True) -> BadReply:
    error = BadReply(
        f"{request.alias!r} answered, but with {what}",
        fix="Check that base_url and model of the alias are right." if retryable else "Change the prompt or the model.",
        alias=request.alias,
    )
    if not retryable:
        error.retryable = False  # type: ignore[misc]  # this one cannot succeed: the class's default is turned off
    return error
