"""gt.chat, gt.achat, gt.stream, gt.choose: ask a model. One body of code; `achat` is the only twin."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from gen_toolkit.errors import InputError, PromptError
from gen_toolkit.loop import on_loop, run_sync
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Message, Rendered, Request, as_rendered
from gen_toolkit.models.gateway import Door, Model, open_door
from gen_toolkit.models.provider import Pieces
from gen_toolkit.models.stream import Stream

_counted: ContextVar[list[Reply] | None] = ContextVar("gen_toolkit_counted", default=None)

Prompt = Rendered | str | Sequence[Message]


def chat(prompt: Prompt, *, model: Model = None, output: Any = None, **options: Any) -> Reply:
    """Ask a model and wait for the reply.

    `prompt` is a rendered prompt, a text, or a list of messages; `model` an alias (default: the setting
    `model`). `output` is what the answer must be, if the prompt does not say: a pydantic model, Literal,
    Enum or JSON Schema; `reply.value` then has that type. `options` (temperature, max_tokens, …) are sent
    as they are; those not given are not sent.

    Raises a ModelError when no usable answer came, OutputMismatch when it does not fit `output`.
    """
    return run_sync(_ask(prompt, model, output, options))


async def achat(prompt: Prompt, *, model: Model = None, output: Any = None, **options: Any) -> Reply:
    """The same as `chat`, to be awaited."""
    return await on_loop(_ask(prompt, model, output, options))


def choose(prompt: Prompt, labels: Sequence[str] = (), *, model: Model = None, **options: Any) -> Reply:
    """Weigh labels by the probability a model gives to their first token; no text is generated.

    The labels are the prompt's declared output (Literal, Enum) unless given. `reply.value` is the
    likeliest, `reply.probabilities` the share of each.
    """
    return run_sync(_ask(prompt, model, None, options, choose_from=tuple(labels), choosing=True))


def stream(prompt: Prompt, *, model: Model = None, output: Any = None, **options: Any) -> Stream:
    """Ask a model and get the answer as it is written: `for piece in stream(…)` or `async for`.

    Arguments as for `chat`. Each piece has `.text`; the last has none and carries the whole `.reply`,
    which is also the stream's. When a stream breaks off, the error has what came of it as `partial`.
    """
    request, door = _request(prompt, model, output, options)

    async def pieces() -> Pieces:
        async with contextlib.aclosing(door.chain.stream(request)) as answer:
            async for piece in answer:
                yield piece if piece.reply is None else replace(piece, reply=_finished(request, piece.reply))

    return Stream(pieces)


async def ask(
    rendered: Rendered, *, model: Model, choosing: bool = False, options: Mapping[str, Any] | None = None
) -> Reply:
    """The awaited form for evaluations: one rendered prompt, answered by text or by label probabilities."""
    return await _ask(rendered, model, None, options or {}, choosing=choosing)


async def _ask(
    prompt: Prompt,
    model: Model,
    declared: Any,
    options: Mapping[str, Any],
    choose_from: tuple[str, ...] = (),
    choosing: bool = False,
) -> Reply:
    request, door = _request(prompt, model, declared, options, choose_from, choosing)
    return _finished(request, await door.chain.send(request))


def _request(
    prompt: Prompt,
    model: Model,
    declared: Any,
    options: Mapping[str, Any],
    choose_from: tuple[str, ...] = (),
    choosing: bool = False,
) -> tuple[Request, Door]:
    rendered = as_rendered(prompt)
    output = Output.of(declared) or (None if choose_from else rendered.output)  # labels that are given win
    request = Request(
        messages=rendered.messages,
        options={**rendered.options, **_plain(options)},
        output=output,
        choose=_labels(choose_from, output) if choosing else (),
        prompt=rendered.prompt,
    )
    return request, open_door(model)


def _finished(request: Request, reply: Reply) -> Reply:
    """The reply as it is asked for: counted, with its value in the declared form."""
    counted = _counted.get()
    if counted is not None:
        counted.append(reply)
    if request.choose and reply.probabilities is not None:  # in the order of the labels: the record may have lost it
        weighed = {label: reply.probabilities.get(label, 0.0) for label in request.choose}
        reply = replace(reply, probabilities=weighed)
    if request.output is None:
        return reply
    return replace(reply, value=request.output.parse(reply.text, alias=reply.model))


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the request will hold them: JSON, or refused before the call."""
    for name, value in options.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise InputError(
                f"option {name}={value!r} is not plain data",
                fix="Give a text, a number, a list or a dict.",
                option=name,
            ) from None
    return dict(options)


@contextlib.contextmanager
def count_calls(replies: list[Reply]) -> Iterator[None]:
    """Collect the replies to every call made inside the block, also those whose output does not fit."""
    token = _counted.set(replies)
    try:
        yield
    finally:
        _counted.reset(token)


def _labels(given: tuple[str, ...], output: Output | None) -> tuple[str, ...]:
    labels = given or (output.labels if output else ())
    if len(labels) < 2:
        raise PromptError(
            "choose needs at least two labels and got " + (repr(labels[0]) if labels else "none"),
            fix='Give the prompt output=Literal["a", "b"], or call choose(prompt, ["a", "b"]).',
        )
    if not all(isinstance(label, str) for label in labels):
        raise PromptError(f"labels are texts, and these are not: {labels}", fix='Write them as texts: "1", "2".')
    for label, other in itertools.permutations(labels, 2):
        if other.casefold().startswith(label.casefold()):
            raise PromptError(
                f"the labels {label!r} and {other!r} begin alike, so their first tokens cannot be told apart",
                fix="Use labels that differ from the first letters on.",
            )
    return labels
