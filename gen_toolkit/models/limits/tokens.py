"""What a call will take of a limit on tokens, before anyone knows."""

from __future__ import annotations

import json

from gen_toolkit.messages.request import Request, content_text

FIRST_GUESS = 256.0
"""Tokens of an answer before the first has come."""
_BYTES = 4  # of English and code per token, about; true usage corrects it


def estimate(request: Request, usual_output: float) -> float:
    """Tokens: the input by its length, and the output by its bound, else as long as this alias's answers are.

    What is no text (an image) is not seen here; it counts when the server says what it took.
    """
    size = sum(_size(content_text(message)) + _BYTES for message in request.messages)
    size += sum(map(_size, request.inputs)) + sum(_size(json.dumps(tool.to_json())) for tool in request.tools)
    return size / _BYTES + _output(request, usual_output)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _output(request: Request, usual: float) -> float:
    if request.inputs:
        return 0.0
    if request.choose:
        return 1.0
    for name in ("max_completion_tokens", "max_tokens"):
        bound = request.options.get(name)
        if isinstance(bound, int) and bound > 0:
            return float(bound)
    return usual
