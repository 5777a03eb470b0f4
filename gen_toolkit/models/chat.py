"""gt.chat, gt.achat, gt.stream, gt.choose: ask a model. One body of code; `achat` is the only twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gen_toolkit.loop import on_loop, run_sync
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Message, Rendered, Request, as_rendered
from gen_toolkit.messages.tools import tools_of
from gen_toolkit.models.gateway import Door, Model, open_door
from gen_toolkit.models.labels import labels_of
from gen_toolkit.models.options import plain
from gen_toolkit.models.question import Question
from gen_toolkit.models.stream import Stream

Prompt = Rendered | str | Sequence[Message]


def chat(
    prompt: Prompt,
    *,
    model: Model = None,
    output: Any = None,
    tools: Sequence[Any] = (),
    reask: bool | None = None,
    **options: Any,
) -> Reply:
    """Ask a model and wait for the reply.

    `prompt` is a rendered prompt, a text, or a list of messages; `model` an alias (default: the setting
    `model`). `output` is what the answer must be, if the prompt does not say: a pydantic model, Literal,
    Enum or JSON Schema; `reply.value` then has that type. `reask` says whether an answer that does not
    fit is asked for once more (default: as the alias says). `tools` are functions, or dicts in OpenAI
    form; what the model wants called stands in `reply.tool_calls`, and is never run here. `options`
    (temperature, max_tokens, …) are sent as they are; those not given are not sent.

    Raises a ModelError when no usable answer came, OutputMismatch when it does not fit `output`.
    """
    return run_sync(_asked(prompt, model, output, tools, options, reask))


async def achat(
    prompt: Prompt,
    *,
    model: Model = None,
    output: Any = None,
    tools: Sequence[Any] = (),
    reask: bool | None = None,
    **options: Any,
) -> Reply:
    """The same as `chat`, to be awaited."""
    return await on_loop(_asked(prompt, model, output, tools, options, reask))


def choose(prompt: Prompt, labels: Sequence[str] = (), *, model: Model = None, **options: Any) -> Reply:
    """Weigh labels by the probability a model gives to their first token; no text is generated.

    The labels are the prompt's declared output (Literal, Enum) unless given. `reply.value` is the
    likeliest, `reply.probabilities` the share of each.
    """
    return run_sync(_chosen(as_rendered(prompt), tuple(labels), model, options))


def stream(
    prompt: Prompt, *, model: Model = None, output: Any = None, tools: Sequence[Any] = (), **options: Any
) -> Stream:
    """Ask a model and get the answer as it is written: `for piece in stream(…)` or `async for`.

    Arguments as for `chat`, without `reask`. Each piece has `.text`; the last has none and carries the
    whole `.reply`, which is also the stream's. When a stream breaks off, the error has what came of it as
    `partial`.
    """
    return Stream(question(prompt, model, output, tools, options).pieces)


async def ask(
    rendered: Rendered, door: Door, *, choosing: bool = False, options: Mapping[str, Any] | None = None
) -> Reply:
    """The awaited form for evaluations: one rendered prompt, answered by text or by label probabilities.

    To be awaited on the toolkit's loop. The door is open: thousands of rows go through the same one.
    """
    asked = rendered_request(rendered, choosing=choosing, options=options)
    return await Question(asked, door, False if choosing else None).answer()


def rendered_request(
    rendered: Rendered, *, choosing: bool = False, options: Mapping[str, Any] | None = None
) -> Request:
    """The request that `ask` makes of a rendered prompt, not yet addressed to a model."""
    return Request(
        messages=rendered.messages,
        options={**rendered.options, **plain(options or {})},
        output=rendered.output,
        choose=labels_of((), rendered.output) if choosing else (),
        prompt=rendered.prompt,
    )


def question(
    prompt: Prompt,
    model: Model,
    output: Any,
    tools: Sequence[Any],
    options: Mapping[str, Any],
    reask: bool | None = None,
) -> Question:
    """What is to be asked. Everything that cannot work is refused here, before the call."""
    rendered = as_rendered(prompt)
    request = Request(
        messages=rendered.messages,
        options={**rendered.options, **plain(options)},
        output=Output.of(output) or rendered.output,
        tools=tools_of(tools),
        prompt=rendered.prompt,
    )
    return Question(request, open_door(model), reask)


async def _asked(
    prompt: Prompt,
    model: Model,
    output: Any,
    tools: Sequence[Any],
    options: Mapping[str, Any],
    reask: bool | None,
) -> Reply:
    return await question(prompt, model, output, tools, options, reask).answer()


async def _chosen(rendered: Rendered, labels: tuple[str, ...], model: Model, options: Mapping[str, Any]) -> Reply:
    output = None if labels else rendered.output  # labels that are given win
    request = Request(
        messages=rendered.messages,
        options={**rendered.options, **plain(options)},
        output=output,
        choose=labels_of(labels, output),
        prompt=rendered.prompt,
    )
    return await Question(request, open_door(model), reask=False).answer()
