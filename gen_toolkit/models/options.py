"""Options of a call: what is sent to the server as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gen_toolkit.errors import InputError

# what a request has a place of its own for; as an option it would reach the server unseen
_OURS = {
    "messages": "They are the first argument.",
    "input": "It is the first argument of gt.embed.",
    "stream": "Use gt.stream.",
    "output": "Only gt.chat, gt.achat, gt.stream and gt.Conversation take it.",
    "tools": "Only gt.chat, gt.achat, gt.stream and gt.Conversation take it.",
    "reask": "Only gt.chat, gt.achat and gt.Conversation take it; a stream is never asked for again.",
}


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the request will hold them: JSON, or refused before the call."""
    for name, value in options.items():
        if name in _OURS:
            raise InputError(f"{name}= is no option here", fix=_OURS[name], option=name)
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise InputError(
                f"option {name}={value!r} is not plain data",
                fix="Give a text, a number, a list or a dict.",
                option=name,
            ) from None
    return dict(options)
