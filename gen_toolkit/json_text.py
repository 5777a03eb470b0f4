"""Functions that write JSON thousands of times a second."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any


def writer(
    *, sort_keys: bool = False, ensure_ascii: bool = True, allow_nan: bool = True, compact: bool = False
) -> Callable[[Any], str]:
    """A function that writes data as `json.dumps` does, arguments as there; `compact`: without spaces.

    What the standard library's encoder is written in C for, it sets up anew at each call, which takes as long as
    a short text; here it is set up once. Data that holds itself raises RecursionError, not ValueError.
    """
    separators = (",", ":") if compact else (", ", ": ")
    slow = json.JSONEncoder(
        sort_keys=sort_keys,
        ensure_ascii=ensure_ascii,
        allow_nan=allow_nan,
        separators=separators,
        check_circular=False,
    )
    make: Callable[..., Callable[[Any, int], tuple[str, ...]]] | None = getattr(encoder, "c_make_encoder", None)
    if make is None:  # a Python without its C parts
        return slow.encode
    escaped = encoder.encode_basestring_ascii if ensure_ascii else encoder.encode_basestring
    pieces = make(None, slow.default, escaped, None, separators[1], separators[0], sort_keys, False, allow_nan)
    return lambda data: "".join(pieces(data, 0))
