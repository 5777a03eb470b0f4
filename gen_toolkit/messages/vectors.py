"""Vectors as text: 32-bit floats in base64, a sixth of what JSON numbers take. What servers send has no more digits."""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Sequence
from typing import Any

Vectors = tuple[tuple[float, ...], ...]


def pack(vectors: Sequence[Sequence[float]]) -> dict[str, Any]:
    """`{"size": numbers in a vector, "data": base64}`, little-endian. All vectors have one size."""
    numbers = array("f", [number for vector in vectors for number in vector])
    return {"size": len(vectors[0]) if vectors else 0, "data": base64.b64encode(_little(numbers)).decode()}


def unpack(packed: dict[str, Any]) -> Vectors:
    numbers = array("f")
    numbers.frombytes(base64.b64decode(packed["data"]))
    size = packed["size"]
    native = array("f", _little(numbers))
    return tuple(tuple(native[start : start + size]) for start in range(0, len(native), size or 1))


def _little(numbers: array[float]) -> bytes:
    if sys.byteorder == "big":
        numbers = array("f", numbers)
        numbers.byteswap()
    return numbers.tobytes()
