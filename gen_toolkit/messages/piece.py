"""A piece of an answer that is still being written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gen_toolkit.messages.reply import Reply


@dataclass(frozen=True)
class Piece:
    """Some text, as it arrived. The last piece of an answer has no text and carries the whole reply."""

    text: str = ""
    seconds: float = 0.0
    """From the start of the attempt to the arrival of this piece."""
    reply: Reply | None = None

    def __str__(self) -> str:
        return self.text


def pieces_of(reply: Reply) -> Iterator[Piece]:
    """A known reply played as a stream, in the pieces it came in where that was recorded."""
    start = 0
    for length in reply.pieces or ((len(reply.text),) if reply.text else ()):
        yield Piece(reply.text[start : start + length])
        start += length
    yield Piece(reply=reply)
