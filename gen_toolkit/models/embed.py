"""gt.embed: texts as vectors, through the same chain as every other call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import BadReply, InputError
from gen_toolkit.loop import run_sync
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.sum import all_of
from gen_toolkit.models.counted import counted
from gen_toolkit.models.gateway import Model, open_door
from gen_toolkit.models.options import plain

MOST_TEXTS = 128
MOST_CHARACTERS = 200_000  # about 50,000 tokens; servers take at most some 300,000 at once


def embed(texts: str | Iterable[str], *, model: Model = None, **options: Any) -> Reply:
    """The vectors of some texts: `reply.value` is a list with one vector (a tuple of floats) a text, in order.

    One text gives a list of one. Many are sent in several requests, as many at once as the alias's
    `concurrency` says; the reply is what they took together, and its `id` is empty then. `options`
    (dimensions, …) are sent as they are.

    Raises InputError for no texts, or what is no text; a ModelError when no usable answer came.
    """
    return run_sync(vectors_of(_texts(texts), model, plain(options)))


async def vectors_of(texts: list[str], model: Model, options: Mapping[str, Any]) -> Reply:
    """The awaited form for scorers, on the toolkit's own loop; see `embed`."""
    door = open_door(model)
    places = asyncio.Semaphore(door.settings.concurrency)

    async def part(inputs: tuple[str, ...]) -> Reply:
        async with places:
            return _checked(counted(await door.chain.send(Request((), options=options, inputs=inputs))), len(inputs))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part(inputs)) for inputs in _parts(texts)]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the first one stopped the others
    replies = [task.result() for task in tasks]
    vectors = tuple(vector for reply in replies for vector in reply.vectors or ())
    whole = replies[0] if len(replies) == 1 else replace(all_of(replies), id="")
    return replace(whole, vectors=vectors, value=list(vectors))


def _texts(given: Any) -> list[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, Mapping | AbstractSet | bytes) or not isinstance(given, Iterable):
        raise InputError(f"{type(given).__name__} is no list of texts", fix="Give a text, or a list of texts.")
    texts = list(given)
    if not texts:
        raise InputError("there are no texts to embed", fix="Check the list.")
    for number, each in enumerate(texts):
        if not isinstance(each, str):
            raise InputError(
                f"number {number} of the texts to embed is no text but {text.one_line(repr(each), 40)}",
                fix="Give texts only.",
                number=number,
            )
    return texts


def _parts(texts: list[str]) -> Iterator[tuple[str, ...]]:
    """The texts in requests, each as large as servers take; always the same parts, so that they can be replayed."""
    part: list[str] = []
    size = 0
    for each in texts:
        if part and (len(part) == MOST_TEXTS or size + len(each) > MOST_CHARACTERS):
            yield tuple(part)
            part, size = [], 0
        part.append(each)
        size += len(each)
    yield tuple(part)


def _checked(reply: Reply, texts: int) -> Reply:
    vectors = reply.vectors or ()
    if len(vectors) != texts or len({len(vector) for vector in vectors}) != 1:
        raise BadReply(
            f"{reply.model!r} answered {texts} texts with {len(vectors)} vectors, or with vectors of several sizes",
            fix="Check that the alias's model is one for embeddings.",
            alias=reply.model,
        )
    return reply
