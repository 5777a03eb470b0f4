"""How many tokens a request can take at most. True bounds, for whoever must not be wrong: budgets.

Input: a tokenizer that works on bytes makes at most one token of each byte of UTF-8. Byte-level BPE
does (A. Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2: its
base vocabulary is the 256 bytes, and a merge only makes tokens fewer), and so does SentencePiece where
unknown characters fall back to their bytes and the text is not normalised first (Llama 2, Mistral). The
JSON of a request holds every byte of its texts, and for each message more bytes of syntax than a
server's template adds tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gen_toolkit.errors import InputError
from gen_toolkit.messages.request import Message, Request

_BY_ITSELF = 256  # a server's own: the system text of its template, the beginning of the answer
_WITH_TOOLS = 1024  # its instructions how tools are called
_WITH_OUTPUT = 256  # its instructions to keep to a schema
# The dearest that is documented: gpt-4o-mini, 2,833 and for each of at most 8 tiles 5,667
# (OpenAI, "Images and vision: calculating costs").
_IMAGE = 50_000
_SMALL_IMAGE = 3_000  # detail "low"
_BOUNDED = {"text", "refusal", "input_audio", "image_url"}  # of audio its base64 has more bytes than it makes tokens
_LONGEST = 10**9  # whoever allows more output than any model gives has set no bound


def input_bound(request: Request) -> int:
    """Tokens of everything that is sent. Raises InputError for a part whose tokens nobody can bound."""
    asked = [[_without_images(message) for message in request.messages], request.inputs, dict(request.options)]
    declared = [tool.to_json() for tool in request.tools] + ([request.output.schema] if request.output else [])
    return (
        _BY_ITSELF
        + _WITH_TOOLS * bool(request.tools or request.options.get("tools"))
        + _WITH_OUTPUT * (request.output is not None)
        + sum(_image_bound(part) for part in _parts(request))
        + _size(asked)
        + (_size(declared, indent=4) if declared else 0)  # some templates write them out with indents
    )


def output_bound(request: Request) -> int | None:
    """Tokens of the whole answer, those of reasoning included; None: nothing bounds them."""
    if request.inputs:
        return 0
    many = request.options.get("n")
    answers = many if type(many) is int and many > 0 else 1
    if request.choose:
        return answers
    allowed = [request.options.get(name) for name in ("max_tokens", "max_completion_tokens")]
    given = [number for number in allowed if type(number) is int and number >= 0]
    bound = answers * max(given, default=_LONGEST)
    return bound if bound < _LONGEST else None


def _size(data: Any, indent: int | None = None) -> int:
    """Bytes of its JSON. Escapes only make it longer than the texts in it."""
    return len(json.dumps(data, ensure_ascii=False, indent=indent).encode("utf-8", "surrogatepass"))


def _parts(request: Request) -> list[Mapping[str, Any]]:
    found = []
    for message in request.messages:
        content = message.get("content")
        for part in content if isinstance(content, list | tuple) else ():
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind not in _BOUNDED:
                raise InputError(
                    f"nobody can tell how many tokens a message part of type {kind!r} takes, and a budget must know",
                    fix="Send its text instead, or make the call outside the budget.",
                    part=kind,
                )
            found.append(part)
    return found


def _image_bound(part: Mapping[str, Any]) -> int:
    if part["type"] != "image_url":
        return 0
    image = part.get("image_url")
    return _SMALL_IMAGE if isinstance(image, Mapping) and image.get("detail") == "low" else _IMAGE


def _without_images(message: Message) -> Message:
    """A picture is not read as text, however many bytes its address or its data have."""
    content = message.get("content")
    if not isinstance(content, list | tuple):
        return message
    return {**message, "content": [{**part, "image_url": ""} if "image_url" in part else part for part in content]}
