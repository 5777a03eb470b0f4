"""Asking several models at once, each for itself: what one does to another's answer is nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from gen_toolkit.errors import GenToolkitError
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Rendered
from gen_toolkit.models.chat import question
from gen_toolkit.models.gateway import Model
from gen_toolkit.models.question import Question
from gen_toolkit.text import one_line
from gen_toolkit.widgets.tries import Answer

Tell = Callable[[int, Answer], None]
_LONGEST_ERROR = 600  # characters; a server may put a page into its error


async def ask_all(rendered: Rendered, models: Mapping[str, Model], streamed: bool, tell: Tell) -> None:
    """Ask every model; `tell(column, answer)` is called on the loop, for each piece and at the end of each.

    Cancelled, it closes the connections, and what has not ended is `stopped`.
    """
    columns = [_ask(rendered, name, models[name], streamed, _teller(tell, n)) for n, name in enumerate(models)]
    await asyncio.gather(*columns)


def _teller(tell: Tell, column: int) -> Callable[[Answer], None]:
    return lambda answer: tell(column, answer)


async def _ask(rendered: Rendered, name: str, model: Model, streamed: bool, tell: Callable[[Answer], None]) -> None:
    answer, began = Answer(name), time.monotonic()

    def heard(text: str) -> None:
        nonlocal answer
        answer = replace(answer, state="writing", text=answer.text + text)
        tell(answer)

    try:
        asked = question(rendered, model, None, (), {})
        reply = await (_read(asked, heard) if streamed else asked.answer())
        answer = replace(answer, state="done", text=reply.text, reply=reply)
    except asyncio.CancelledError:
        answer = replace(answer, state="stopped")
        raise
    except Exception as error:  # noqa: BLE001 - it is shown in this model's column, whatever it is
        answer = replace(answer, state="failed", error=one_line_of(error))
    finally:
        tell(replace(answer, seconds=time.monotonic() - began))


async def _read(asked: Question, heard: Callable[[str], None]) -> Reply:
    reply = None
    async with contextlib.aclosing(asked.pieces()) as pieces:
        async for piece in pieces:
            heard(piece.text)
            reply = piece.reply
    assert reply is not None, "the last piece of a stream carries its reply"
    return reply


def one_line_of(error: Exception) -> str:
    """What an error says, for a person; of one that is not ours its type, too."""
    said = str(error) if isinstance(error, GenToolkitError) else f"{type(error).__name__}: {error}"
    return one_line(said, _LONGEST_ERROR)
