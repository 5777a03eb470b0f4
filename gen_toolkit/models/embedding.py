"""A request for vectors as it stands on the wire, and what comes back of it. No input, no output."""

from __future__ import annotations

import base64
import math
import sys
from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.messages.vectors import Vectors
from gen_toolkit.models import answer, classify


def embedding_body(request: Request) -> dict[str, Any]:
    """The body of a request to /embeddings."""
    return {"input": list(request.inputs), "model": request.model, **request.options}


def embedding_reply(request: Request, body: Any) -> Reply:
    """One vector a text, in their order, all of one size, as the 32-bit floats that they will be kept as.

    Raises BadReply where there are fewer or more, or where one is no vector.
    """
    if not isinstance(body, Mapping):
        raise answer.bad(request, f"not a JSON object but {answer.shown(body)[:80]}")
    if body.get("error"):
        raise classify.stated(request.alias, body)
    data = body.get("data")
    if not isinstance(data, list) or not all(isinstance(entry, Mapping) for entry in data):
        raise answer.bad(request, "no vectors in the answer")
    used = answer.usage(body)
    billed = True if used.input_tokens else None
    places = [entry.get("index", number) for number, entry in enumerate(data)]
    if len(data) != len(request.inputs) or any(type(place) is not int for place in places):
        raise answer.bad(request, f"{len(data)} vectors for {len(request.inputs)} texts", billed=billed)
    if sorted(places) != list(range(len(data))):
        raise answer.bad(request, "vectors that do not say which text they belong to", billed=billed)
    found = {place: _vector(entry.get("embedding")) for place, entry in zip(places, data, strict=True)}
    vectors: Vectors = tuple(tuple(found[place]) for place in range(len(data)))
    if len({len(vector) for vector in vectors}) > 1 or not all(vectors):
        raise answer.bad(request, "vectors that are none, or not of one size", billed=billed)
    used = replace(used, output_tokens=0 if used.input_tokens is not None else None)  # nothing is written
    return Reply(value=vectors, vectors=vectors, finish_reason="stop", usage=used)


def _vector(written: Any) -> array[float]:
    """The numbers of a vector, sent as such or as base64 of 32-bit floats; empty: it is none."""
    numbers = array("f")
    try:
        if isinstance(written, str):
            numbers.frombytes(base64.b64decode(written, validate=True))
            if sys.byteorder == "big":
                numbers.byteswap()
        elif isinstance(written, list):
            numbers.extend(written)
    except (TypeError, ValueError, OverflowError):
        return array("f")
    return numbers if all(map(math.isfinite, numbers)) else array("f")
