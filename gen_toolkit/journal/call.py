"""One call as the journal knows it, before and after the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from gen_toolkit import scope, text
from gen_toolkit.json_text import writer
from gen_toolkit.messages.request import Request, digest_of_texts


class Call(NamedTuple):
    """One request at one place: what is known before the answer."""

    id: str
    key: str
    cassette_key: str
    run: str
    owner: str | None
    row: str | None
    request: Request
    bodies: bool = True
    """Whether the journal keeps what was said, or only its hash."""


@dataclass(frozen=True)
class Known:
    """What the journal or a cassette holds of a call: a reply, or the error it ended with, as JSON.

    Neither: it was answered, and the answer is no longer (`pruned_at`, seconds since 1970) or was never kept.
    """

    id: str = ""
    reply: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    pruned_at: float | None = None


def new_call(request: Request, *, bodies: bool = True) -> Call:
    """Name the call that is about to be made. Counts it: ask once per call."""
    assert request.alias, "only an addressed request has a place"
    where = scope.current()
    place, local = scope.place(request.hash)
    return Call(
        id=scope.new_id(),
        key=digest_of_texts(request.hash, place),
        cassette_key=digest_of_texts(request.hash, local),
        run=scope.run_or_session(),
        owner=where.owner,
        row=where.row.id if where.row else None,
        request=request,
        bodies=bodies,
    )


_readable = writer(ensure_ascii=False)


def stored(data: Any) -> str:
    """JSON without secrets. Halves of characters, which a model may send, stand as the escapes that JSON has."""
    return _storable(_readable(data))


def stored_request(request: Request) -> str:
    """What was asked, as the journal keeps it: the messages, or the texts to embed."""
    return stored(request.inputs) if request.inputs else _storable(request.said)


def _storable(written: str) -> str:
    if not written.isascii():
        written = written.encode("utf-8", "backslashreplace").decode()
    return text.scrub(written)
