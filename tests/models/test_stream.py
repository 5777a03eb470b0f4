"""gt.stream: an answer read while it is written, in a script, under `await`, stopped, broken off, played back."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import DeadlineExceeded, InputError, ModelUnreachable, OutputMismatch
from gen_toolkit.messages.piece import Piece
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models.links.retry import RetryLink

TEXT = "once upon a  time\nthere was"


def states() -> list[str]:
    with open_database().read() as connection:
        return [row.state for row in connection.execute(select(calls.c.state).order_by(calls.c.asked_at))]


def eventually(states_are: list[str]) -> None:
    """What a cancelled call leaves is written by another thread."""
    until = time.monotonic() + 5
    while states() != states_are and time.monotonic() < until:
        time.sleep(0.01)
    assert states() == states_are


def test_the_pieces_are_the_text_and_the_last_carries_the_reply() -> None:
    stream = gt.stream("tell", model=gt.ScriptedModel(TEXT))
    pieces = list(stream)
    assert "".join(piece.text for piece in pieces) == stream.text == TEXT
    assert len(pieces) > 3
    assert [piece.reply for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert pieces[-1].reply is stream.reply
    assert stream.reply is not None
    assert (stream.reply.text, stream.reply.source, stream.reply.attempts) == (TEXT, "live", 1)
    assert stream.reply.id
    assert states() == ["answered"]


def test_the_same_under_await() -> None:
    async def read() -> tuple[str, Reply | None]:
        stream = gt.stream("tell", model=gt.ScriptedModel(TEXT))
        return "".join([piece.text async for piece in stream]), stream.reply

    said, reply = asyncio.run(read())
    assert said == TEXT
    assert reply is not None


def test_nothing_is_asked_before_the_first_piece_is() -> None:
    model = gt.ScriptedModel(TEXT)
    stream = gt.stream("tell", model=model)
    assert model.requests == []
    next(iter(stream))
    assert len(model.requests) == 1


def test_what_is_wrong_with_the_request_is_said_at_once() -> None:
    with pytest.raises(InputError, match="no model alias"):
        gt.stream("tell", model="nobody")
    with pytest.raises(InputError, match="plain data"):
        gt.stream("tell", temperature=object())


def test_a_declared_output_is_checked_at_the_end() -> None:
    label = Literal["yes", "no"]
    assert [p.reply.value for p in gt.stream("?", model=gt.ScriptedModel("yes"), output=label) if p.reply] == ["yes"]
    stream = gt.stream("?", model=gt.ScriptedModel("well, perhaps"), output=label)
    with pytest.raises(OutputMismatch):
        list(stream)
    assert stream.text == "well, perhaps"


def test_a_recorded_stream_is_played_in_the_pieces_it_came_in() -> None:
    model = gt.ScriptedModel(TEXT)
    played = []
    for mode in ("live", "reuse", "replay"):
        with scope.inside(mode=mode, row=scope.Row("1")):
            stream = gt.stream("tell", model=model)
            played.append([piece.text for piece in stream])
            assert stream.reply is not None
            assert (stream.reply.source, stream.reply.text) == (mode, TEXT)
    assert played[0] == played[1] == played[2]
    assert len(model.requests) == 1


def test_a_stream_and_a_plain_call_are_the_same_question() -> None:
    model = gt.ScriptedModel(TEXT)
    with scope.inside(mode="live", row=scope.Row("1")):
        reply = gt.chat("tell", model=model)
    with scope.inside(mode="replay", row=scope.Row("1")):
        assert [piece.text for piece in gt.stream("tell", model=model)] == [TEXT, ""]
    assert reply.text == TEXT


class Slow:
    """Gives a piece every 10 ms for ever, and says when it was stopped."""

    def __init__(self) -> None:
        self.closed = False

    async def __call__(self, request: Request) -> AsyncIterator[Piece]:
        try:
            while True:
                await asyncio.sleep(0.01)
                yield Piece("tick ")
        finally:
            self.closed = True


class SlowModel(gt.ScriptedModel):
    def __init__(self) -> None:
        super().__init__("never")
        self.source = Slow()

    def stream(self, request: Request) -> Any:
        return self.source(request)


def _break(stream: Any) -> None:
    for _ in stream:
        break
    del stream
    gc.collect()


def _close(stream: Any) -> None:
    next(stream)
    stream.close()
    assert list(stream) == []


def _leave(stream: Any) -> None:
    with stream:
        next(stream)


@pytest.mark.parametrize("stop", [_close, _leave])
def test_whoever_stops_reading_stops_the_call(stop: Callable[[Any], None]) -> None:
    model = SlowModel()
    stop(gt.stream("tell", model=model))
    eventually(["failed"])
    assert model.source.closed


def test_a_stream_that_nobody_holds_any_more_is_stopped() -> None:
    model = SlowModel()
    for _ in gt.stream("tell", model=model):
        break
    gc.collect()
    eventually(["failed"])
    assert model.source.closed


def test_a_cancelled_reader_stops_the_call() -> None:
    model = SlowModel()

    reading = asyncio.Event()

    async def read() -> None:
        async for _ in gt.stream("tell", model=model):
            reading.set()

    async def cancel() -> None:
        task = asyncio.create_task(read())
        await reading.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    eventually(["failed"])
    assert model.source.closed


def test_a_stopped_stream_is_partial_and_never_reused() -> None:
    model = SlowModel()
    with scope.inside(mode="reuse", row=scope.Row("1")):
        _close(gt.stream("tell", model=model))
        eventually(["failed"])
        assert gt.chat("tell", model=model).text == "never"


class Breaking:
    """Gives some pieces and breaks off, so many times; then it answers whole."""

    def __init__(self, *attempts: list[str]) -> None:
        self._attempts = iter(attempts)
        self.made = 0

    async def send(self, request: Request) -> Reply:
        raise NotImplementedError

    async def stream(self, request: Request) -> AsyncIterator[Piece]:
        self.made += 1
        pieces = next(self._attempts, None)
        for piece in ["whole"] if pieces is None else pieces:
            yield Piece(piece)
        if pieces is not None:
            raise ModelUnreachable("the connection broke", alias="a")
        yield Piece(reply=Reply(text="whole", value="whole"))


async def read_through(link: RetryLink) -> list[str]:
    async with contextlib.aclosing(link.stream(Request((), alias="a"))) as pieces:
        return [piece.text if piece.reply is None else f"reply {piece.reply.attempts}" async for piece in pieces]


def test_a_stream_that_broke_before_its_first_piece_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen_toolkit.models.links.retry._FIRST_PAUSE", 0.01)
    source = Breaking([], [])
    assert asyncio.run(read_through(RetryLink(source, max_attempts=4, deadline_s=5))) == ["whole", "reply 3"]


def test_pieces_of_two_attempts_are_never_joined() -> None:
    source = Breaking(["once ", "upon "])
    with pytest.raises(ModelUnreachable) as caught:
        asyncio.run(read_through(RetryLink(source, max_attempts=4, deadline_s=5)))
    assert (caught.value.partial, caught.value.attempts, source.made) == ("once upon ", 1, 1)
    assert caught.value.data["unanswered"] == 1


def test_a_stream_that_drips_for_ever_ends_at_the_deadline_with_what_came() -> None:
    class Dripping(Breaking):
        stream = Slow.__call__
        closed = False

    start = time.monotonic()
    with pytest.raises(DeadlineExceeded) as caught:
        asyncio.run(read_through(RetryLink(Dripping(), max_attempts=4, deadline_s=1.0)))
    assert time.monotonic() - start < 5
    assert caught.value.partial.startswith("tick tick ")


def test_the_seconds_of_a_reply_are_those_of_the_whole_stream() -> None:
    reply = replace(Reply(text="x"), first_token_seconds=0.1)
    assert Reply.from_json(reply.to_json()).first_token_seconds == 0.1
