"""A body within bounds: unpacked here and nowhere else, so that a small one cannot become a huge one."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncGenerator

from gen_toolkit.errors import ModelError
from gen_toolkit.models import classify
from gen_toolkit.models.server import Server
from gen_toolkit.models.transport.shape import Response

MOST_TEXT = 32 * 2**20
"""Bytes of an answer, unpacked; the longest answers of today's models have a twentieth."""
MOST_VECTORS = 128 * 2**20
"""Of an answer with vectors: 2,048 of 3,072 numbers as text."""
MOST_REFUSAL = 64 * 2**10
"""Of a refusal only the beginning is read."""
ENCODINGS = "gzip, deflate"
"""What is asked for."""


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

    def feed(self, data: bytes) -> bytes:
        if not self._packed:
            return self._counted(data)
        found = []
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window(data))
            found.append(self._counted(self._stream.decompress(data, self._left + 1)))
            data = self._stream.unconsumed_tail
            if self._stream.eof:  # one more member may follow (RFC 1952, 2.2)
                data, self._stream = self._stream.unused_data, None
        return b"".join(found)

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
    encoding = response.headers.get("content-encoding", "")
    try:
        unpacker = Unpacker(encoding, limit)
        async with contextlib.aclosing(response.chunks()) as chunks:
            async for chunk in chunks:
                if data := unpacker.feed(chunk):
                    yield data
        if not unpacker.is_whole:
            raise classify.cut(server, "its compressed body ends too soon")
    except LookupError:
        raise classify.unreadable(server, f"a body packed as {encoding!r}, which was not asked for") from None
    except zlib.error:
        raise classify.unreadable(server, "a body that cannot be unpacked") from None
    except TooLarge:
        raise classify.unreadable(server, f"more than {limit / 2**20:g} MiB") from None


async def whole(server: Server, response: Response, limit: int) -> bytes:
    """The body at once."""
    async with contextlib.aclosing(unpacked(server, response, limit)) as pieces:
        return b"".join([piece async for piece in pieces])


async def beginning(response: Response, limit: int = MOST_REFUSAL) -> bytes:
    """As much of a refusal as can be had: what is wrong with its body is not worth another error."""
    found = bytearray()
    with contextlib.suppress(LookupError, zlib.error, ModelError):
        unpacker = Unpacker(response.headers.get("content-encoding", ""), limit)
        async with contextlib.aclosing(response.chunks()) as chunks:
            try:
                async for chunk in chunks:
                    found += unpacker.feed(chunk)
            except TooLarge as error:
                found += error.fits
    return bytes(found)
