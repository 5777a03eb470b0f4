"""A body is unpacked within bounds: a small one never becomes a huge one."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncGenerator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.errors import BadReply, ModelError, ModelUnreachable
from gen_toolkit.models.server import Server
from gen_toolkit.models.transport.body import MOST_REFUSAL, Unpacker, beginning, whole

SERVER = Server("fast", "m", "http://127.0.0.1/v1")
MIB = 2**20


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = {
    "identity": lambda data: data,
    "": lambda data: data,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    " GZIP ": gzip.compress,
    "gzip in two members": lambda data: gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :]),
    "deflate": zlib.compress,
    "deflate, bare": bare,
}


class Answer:
    """A response that has come already."""

    def __init__(self, encoding: str, *parts: bytes) -> None:
        self.status, self.parts = 200, parts
        self.headers: Mapping[str, str] = {"content-encoding": encoding}
        self.read = 0

    def arrived(self) -> bytes | None:
        return None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for part in self.parts:
            self.read += 1
            yield part

    async def close(self) -> None: ...


class AtOnce(Answer):
    """One that is there already, all of it."""

    def arrived(self) -> bytes:
        return b"".join(self.parts)


@pytest.mark.parametrize("how", PACKED)
@given(data=st.binary(max_size=200), cut=st.integers(1, 40))
def test_what_was_packed_is_unpacked_however_it_is_cut(how: str, data: bytes, cut: int) -> None:
    packed = PACKED[how](data)
    unpacker = Unpacker(how.split(",")[0].split(" in ")[0], len(data))
    found = [piece for at in range(0, len(packed), cut) for piece in unpacker.feed(packed[at : at + cut])]
    assert b"".join(found) == data
    assert unpacker.is_whole


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", bare)])
def test_a_bomb_is_refused_before_it_goes_off(encoding: str, pack: type) -> None:
    bomb = pack(bytes(64 * MIB))
    assert len(bomb) < MIB / 8
    tracemalloc.start()
    with pytest.raises(BadReply, match="more than 1 MiB"):
        asyncio.run(whole(SERVER, Answer(encoding, bomb), MIB))
    assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    tracemalloc.stop()


def test_a_plain_body_is_read_no_further_than_the_limit() -> None:
    endless = Answer("", *[bytes(MIB)] * 50)
    with pytest.raises(BadReply, match="more than 3 MiB"):
        asyncio.run(whole(SERVER, endless, 3 * MIB))
    assert endless.read == 4


@pytest.mark.parametrize("size", [str(2 * MIB), "9" * 5000])
def test_what_is_announced_as_too_large_is_not_read_at_all(size: str) -> None:
    answer = Answer("", b"x")
    answer.headers = {"content-length": size}
    with pytest.raises(BadReply, match="more than 1 MiB"):
        asyncio.run(whole(SERVER, answer, MIB))
    assert answer.read == 0


@pytest.mark.parametrize("kind", [Answer, AtOnce])
def test_the_limit_itself_is_allowed_and_no_more(kind: type[Answer]) -> None:
    for encoding, pack in (("gzip", gzip.compress), ("", bytes)):
        assert asyncio.run(whole(SERVER, kind(encoding, pack(bytes(MIB))), MIB)) == bytes(MIB)
        with pytest.raises(BadReply, match="more than 1 MiB"):
            asyncio.run(whole(SERVER, kind(encoding, pack(bytes(MIB + 1))), MIB))


@pytest.mark.parametrize(
    ("encoding", "body", "kind", "why"),
    [
        ("br", b"x", BadReply, "was not asked for"),
        ("gzip, gzip", b"x", BadReply, "was not asked for"),
        ("gzip", b"not packed", BadReply, "cannot be unpacked"),
        ("deflate", b"\x00\x00not packed", BadReply, "cannot be unpacked"),
        ("gzip", gzip.compress(b"hello", mtime=0) + b"more", BadReply, "cannot be unpacked"),
        ("gzip", gzip.compress(b"hello" * 99, mtime=0)[:-9], ModelUnreachable, "ends too soon"),
    ],
)
def test_what_cannot_be_unpacked_is_a_typed_error(encoding: str, body: bytes, kind: type[ModelError], why: str) -> None:
    for answer in (Answer(encoding, body), AtOnce(encoding, body)):
        with pytest.raises(ModelError, match=why) as caught:
            asyncio.run(whole(SERVER, answer, MIB))
        assert (type(caught.value), caught.value.billed) == (kind, None)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (Answer("", b"no", b" such thing"), b"no such thing"),
        (Answer("gzip", gzip.compress(b"no such thing", mtime=0)), b"no such thing"),
        (Answer("", b"x" * MIB), b"x" * MOST_REFUSAL),
        (Answer("", b"no such", b"x" * MIB), b"no such" + b"x" * (MOST_REFUSAL - 7)),
        (Answer("br", b"x"), b""),
        (Answer("gzip", b"x"), b""),
        (Answer("gzip", gzip.compress(bytes(64 * MIB))), bytes(MOST_REFUSAL)),
    ],
    ids=["plain", "packed", "huge", "then huge", "unknown", "broken", "bomb"],
)
def test_of_a_refusal_as_much_is_read_as_can_be_and_it_raises_nothing(answer: Answer, shown: bytes) -> None:
    assert asyncio.run(beginning(answer)) == shown
