"""A body within bounds: unpacked here and nowhere else, so that a small one cannot become a huge one."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncGenerator, Iterator

from gen_toolkit.errors import ModelError
from gen_toolkit.models import classify
from gen_toolkit.models.server import Server
from gen_toolkit.models.transport.shape import Response

MOST_TEXT = 16 * 2**20
"""Bytes of an answer, unpacked; the longest answers of today's models have a tenth."""
MOST_VECTORS = 128 * 2**20
"""Of an answer with vectors: 2,048 of 3,072 numbers as text."""
MOST_REFUSAL = 64 * 2**10
"""Of a refusal only the beginning is read."""
ENCODINGS = "gzip, deflate"
"""What is asked for."""
_AT_ONCE = 2**18  # bytes that are unpacked in one go


class TooLarge(Exception):
    """More than the limit; never leaves this room. `fits` is what was within it."""

    def __init__(self, fits: bytes) -> None:
        super().__init__()
        self.fits = fits


class Unpacker:
    """Pure: packed bytes in, at most `limit` bytes out altogether. Raises TooLarge, zlib.error, or LookupError."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding.strip().lower()
        self._left = limit
        if self._encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise LookupError(encoding)
        self._packed = self._encoding not in {"", "identity"}
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._packed:
            yield self._counted(data)
            return
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window(data))
            yield self._counted(self._stream.decompress(data, _AT_ONCE))
            data = self._stream.unconsumed_tail
            if self._stream.eof:  # one more member may follow (RFC 1952, 2.2)
                data, self._stream = self._stream.unused_data, None

    @property
    def is_whole(self) -> bool:
        """Whether what was packed has come to its end."""
        return self._stream is None

    def _window(self, data: bytes) -> int:
        """`deflate` is zlib's form (RFC 9110, 8.4.1.2), and with some servers the bare one."""
        if self._encoding != "deflate":
            return zlib.MAX_WBITS | 16
        has_header = data[0] & 0x0F == 8 and (len(data) == 1 or (data[0] << 8 | data[1]) % 31 == 0)
        return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS

    def _counted(self, data: bytes) -> bytes:
        if len(data) > self._left:
            raise TooLarge(data[: self._left])
        self._left -= len(data)
        return data


async def unpacked(server: Server, response: Response, limit: int) -> AsyncGenerator[bytes, None]:
    """The body in pieces, unpacked. Raises BadReply where it is too large or cannot be unpacked."""
    with _typed(server, response, limit) as unpacker:
        async with contextlib.aclosing(response.chunks()) as chunks:
            async for chunk in chunks:
                for data in unpacker.feed(chunk):
                    yield data


async def whole(server: Server, response: Response, limit: int) -> bytes:
    """The body at once."""
    arrived = response.arrived()
    if arrived is not None and len(arrived) <= limit and not response.headers.get("content-encoding"):
        return arrived  # nothing to unpack, and nothing to come
    found: list[bytes] = []
    last = bytearray()  # pieces may be of one byte each, which by themselves take forty
    with _typed(server, response, limit) as unpacker:
        if arrived is not None:
            return b"".join(unpacker.feed(arrived))
        async with contextlib.aclosing(response.chunks()) as chunks:
            async for chunk in chunks:
                for data in unpacker.feed(chunk):
                    last += data
                    if len(last) >= _AT_ONCE:
                        found.append(bytes(last))
                        last.clear()
    return b"".join((*found, last))


@contextlib.contextmanager
def _typed(server: Server, response: Response, limit: int) -> Iterator[Unpacker]:
    """What unpacks the body; errors of the block are ours. A body that is not whole at its end is one."""
    encoding = response.headers.get("content-encoding", "")
    size = response.headers.get("content-length", "")
    try:
        unpacker = Unpacker(encoding, limit)
        if size.isdecimal() and (len(size) > len(str(limit)) or int(size) > limit):
            raise TooLarge(b"")
        yield unpacker
        if not unpacker.is_whole:
            raise classify.cut(server, "its compressed body ends too soon")
    except LookupError:
        raise classify.unreadable(server, f"a body packed as {encoding!r}, which was not asked for") from None
    except zlib.error:
        raise classify.unreadable(server, "a body that cannot be unpacked") from None
    except TooLarge:
        raise classify.unreadable(server, f"more than {limit / 2**20:g} MiB") from None


async def beginning(response: Response, limit: int = MOST_REFUSAL) -> bytes:
    """As much of a refusal as can be had: what is wrong with its body is not worth another error."""
    found = bytearray()
    with contextlib.suppress(LookupError, zlib.error, ModelError):
        unpacker = Unpacker(response.headers.get("content-encoding", ""), limit)
        async with contextlib.aclosing(response.chunks()) as chunks:
            try:
                async for chunk in chunks:
                    for data in unpacker.feed(chunk):
                        found += data
            except TooLarge as error:
                found += error.fits
    return bytes(found)
