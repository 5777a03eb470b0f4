"""What came back of a chat completion: from a decoded body to a reply. Shared by every provider that speaks the API.

Never trusts an answer: what is not the documented form is a typed error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from gen_toolkit.changed import changed
from gen_toolkit.errors import BadReply
from gen_toolkit.messages.reply import Reply, Usage
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import ToolCall
from gen_toolkit.models import classify
from gen_toolkit.text import one_line

_BLANK = Reply()


def reply(request: Request, body: Any) -> Reply:
    """The reply in a decoded answer. Raises a ModelError that says what is wrong with it."""
    choice = _first_choice(request, body)
    used = usage(body)
    billed = True if used.output_tokens else None
    message = choice.get("message")
    if not isinstance(message, dict):
        message = {}
    if request.choose:
        return _chosen(request, choice, used)
    if refusal := message.get("refusal"):
        said = refusal if isinstance(refusal, str) else shown(refusal)
        raise bad(request, f"a refusal: {one_line(said)}", final=True, billed=billed)
    finish = choice.get("finish_reason")
    finish = finish if isinstance(finish, str) else None
    if finish == "content_filter":
        raise classify.filtered(request.alias, billed=billed)
    if message.get("function_call"):
        raise bad(request, "a function_call, the API's old form", final=True, billed=billed, fix="Give tools=[…].")
    calls = _tool_calls(request, message, billed)
    text = content_text(message.get("content"))
    if text is None and (calls or finish == "length"):  # the bound may be reached before the first word
        text = ""
    if text is None:
        raise bad(request, "no text in the answer", billed=billed)
    return changed(_BLANK, text=text, value=text, finish_reason=finish, usage=used, tool_calls=calls)


def content_text(content: Any) -> str | None:
    """The text of a content, also where it comes in parts; None: there is none."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(text for text in texts if isinstance(text, str)) if texts else None
    return content if isinstance(content, str) else None


def usage(body: Mapping[str, Any]) -> Usage:
    """The tokens that the server counted; what it does not say, or cannot be, is unknown."""
    used = body.get("usage")
    if not isinstance(used, dict):
        return Usage()

    return Usage(
        input_tokens=_number(used, "prompt_tokens"),
        output_tokens=_number(used, "completion_tokens"),
        cached_tokens=_number(used.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=_number(used.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _number(source: object, name: str) -> int | None:
    value = source.get(name) if isinstance(source, dict) else None
    return value if type(value) is int and 0 <= value < 2**53 else None


def decoded(request: Request, content: bytes, where: str = "the answer") -> Any:
    """JSON, or a BadReply."""
    try:
        return json.loads(content.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise BadReply(
            f"{request.alias!r} answered with something that is not JSON ({where}: {type(error).__name__})",
            fix="Check base_url: what answers there may be a web page or a login.",
            alias=request.alias,
            billed=None,
        ) from None


def bad(
    request: Request, what: str, *, final: bool = False, billed: bool | None = None, fix: str | None = None
) -> BadReply:
    """A BadReply; a `final` one will be the same the next time."""
    advice = "Change the prompt or the model." if final else "Check that base_url and model of the alias are right."
    never: dict[str, Any] = {"retryable": False} if final else {}
    said = f"{request.alias!r} answered, but with {what}"
    return BadReply(said, fix=fix or advice, alias=request.alias, billed=billed, **never)


def _first_choice(request: Request, body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise bad(request, f"not a JSON object but {one_line(shown(body))}")
    if body.get("error"):
        raise classify.stated(request.alias, body)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise bad(request, "no choices in the answer", billed=True if usage(body).output_tokens else None)
    return choices[0]


def shown(value: Any) -> str:
    """What a strange value looks like; one may be too deep for that."""
    try:
        return repr(value)
    except RecursionError:
        return type(value).__name__


def _tool_calls(request: Request, message: Mapping[str, Any], billed: bool | None) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls")
    if not calls:
        return ()
    found = []
    for number, call in enumerate(calls if isinstance(calls, list) else [None], 1):
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str) or not name:
            raise bad(request, "a tool call that names no function", billed=billed)
        written = function.get("arguments")
        if not isinstance(written, str):  # some servers send the arguments themselves
            written = "" if written is None else _json(request, written)
        identity = call.get("id")
        found.append(ToolCall(identity if isinstance(identity, str) and identity else f"call-{number}", name, written))
    return tuple(found)


def _json(request: Request, value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        raise bad(request, "arguments of a tool that are too deep") from None


def _chosen(request: Request, choice: Mapping[str, Any], used: Usage) -> Reply:
    probabilities = _label_probabilities(request, choice)
    label = max(probabilities, key=lambda label: probabilities[label])
    # the one token that was asked for is there, whatever the server says of its end
    return Reply(text=label, value=label, finish_reason="stop", usage=used, probabilities=probabilities)


def _label_probabilities(request: Request, choice: Mapping[str, Any]) -> dict[str, float]:
    """Each label's share of the probability that the first token begins one of the labels."""
    try:
        likeliest = choice["logprobs"]["content"][0]["top_logprobs"]
        tokens = [(str(entry["token"]), min(0.0, float(entry["logprob"]))) for entry in likeliest]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError):
        raise bad(request, "no log-probabilities in the answer; `choose` needs them", final=True) from None
    mass = dict.fromkeys(request.choose, 0.0)
    for token, logprob in tokens:
        begin = token.strip().casefold()
        begun = [label for label in request.choose if begin and label.casefold().startswith(begin)]
        if len(begun) == 1 and not math.isnan(logprob):
            mass[begun[0]] += math.exp(logprob)
    total = sum(mass.values())
    if total <= 0.0:
        raise bad(
            request, f"none of {', '.join(request.choose)} among the {len(tokens)} likeliest first tokens", final=True
        )
    return {label: share / total for label, share in mass.items()}
