"""Which replies came while a block ran, so that a row or a conversation knows what it took."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from gen_toolkit.messages.reply import Reply

_lists: ContextVar[tuple[list[Reply], ...]] = ContextVar("gen_toolkit_counted", default=())


@contextlib.contextmanager
def count_calls(replies: list[Reply]) -> Iterator[None]:
    """Collect the replies to every call made inside the block, also those whose output does not fit."""
    token = _lists.set((*_lists.get(), replies))
    try:
        yield
    finally:
        _lists.reset(token)


def counted(reply: Reply) -> Reply:
    """The reply, told to every block that counts."""
    for replies in _lists.get():
        replies.append(reply)
    return reply
