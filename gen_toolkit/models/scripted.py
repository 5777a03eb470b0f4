"""A model that says what it is told: for tests, examples and dry runs, without a key or a network.

    model = gt.ScriptedModel({"great": "positive", "*": "negative"})
    gt.chat("a great film", model=model).text        # "positive"

A script is a list of replies given in turn, a mapping from a piece of the last message to the reply
("*" matches all), or a function of the messages (or of the texts to embed). As an alias:
provider = "scripted", replies = a JSON file that holds the list or the mapping. A reply is a text; a
mapping with `text`, `probabilities`, `tool_calls` or `vectors`; or an exception to raise
(`{"error": "…"}` in a file).
"""

from __future__ import annotations

import inspect
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from gen_toolkit.alias import Alias
from gen_toolkit.errors import ModelRefused, SettingError
from gen_toolkit.messages.piece import Piece
from gen_toolkit.messages.reply import Reply, Usage
from gen_toolkit.messages.request import Request, content_text, digest
from gen_toolkit.messages.tool import ToolCall
from gen_toolkit.models.provider import Pieces
from gen_toolkit.settings import Resolved

Script = Sequence[Any] | Mapping[str, Any] | Callable[[tuple[Any, ...]], Any]


class ScriptedModel:
    """A model to be given as `model=`; `requests` holds what it was asked."""

    def __init__(self, replies: Script | str, *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[Request] = []
        self._replies = [replies] if isinstance(replies, str) else replies
        self._turn = itertools.count()

    @property
    def model(self) -> str:
        """Part of the call's key: another script is another model (functions go by their name)."""
        if callable(self._replies):
            return f"{self.name}:{getattr(self._replies, '__qualname__', 'function')}"
        told = self._replies if isinstance(self._replies, Mapping) else list(self._replies)
        return f"{self.name}:{digest(json.loads(json.dumps(told, default=repr)))[:8]}"

    def example(self) -> str | None:
        """A text that it has a reply for, where only some have one."""
        known = self._replies if isinstance(self._replies, Mapping) else {}
        return None if "*" in known else next(iter(known), None)

    async def send(self, request: Request) -> Reply:
        self.requests.append(request)
        said = self._answer(request)
        if inspect.isawaitable(said):
            said = await said
        if isinstance(said, BaseException):
            raise said
        said = dict(said) if isinstance(said, Mapping) else {"text": str(said)}
        if "error" in said:
            raise ModelRefused(str(said["error"]), fix="The script says so.", alias=request.alias)
        if request.inputs:
            return self._embedded(request, said)
        probabilities = said.get("probabilities")
        text = str(said.get("text", ""))
        if request.choose:
            probabilities = probabilities or {label: float(label == text) for label in request.choose}
            text = text or max(probabilities, key=lambda label: probabilities[label])
            if text not in request.choose:
                said = f"the script says {text!r}, which is none of {', '.join(request.choose)}"
                raise ModelRefused(said, fix="Script one of the labels.", alias=request.alias)
        asked = " ".join(content_text(message) for message in request.messages)
        usage = Usage(len(asked.split()), len(text.split()), 0, 0)
        return Reply(
            text=text,
            value=text,
            finish_reason="stop",
            usage=usage,
            cost=Decimal(0),
            probabilities=probabilities,
            tool_calls=tuple(
                ToolCall(f"call-{number}", call["name"], json.dumps(call.get("arguments", {})))
                for number, call in enumerate(said.get("tool_calls", ()), 1)
            ),
        )

    async def stream(self, request: Request) -> Pieces:
        """Word by word."""
        reply = await self.send(request)
        words = re.findall(r"\s*\S+|\s+\Z", reply.text)
        for word in words:
            yield Piece(word)
        yield Piece(reply=replace(reply, pieces=tuple(map(len, words)), first_token_seconds=0.0))

    def _embedded(self, request: Request, said: Mapping[str, Any]) -> Reply:
        vectors = said.get("vectors")
        if not isinstance(vectors, Sequence) or len(vectors) != len(request.inputs):
            raise ModelRefused(
                f"the script has no {len(request.inputs)} vectors",
                fix='Script {"vectors": [[…], …]}, one a text.',
                alias=request.alias,
            )
        usage = Usage(sum(len(text.split()) for text in request.inputs), 0, 0, 0)
        floats = tuple(tuple(float(number) for number in vector) for vector in vectors)
        return Reply(value=floats, vectors=floats, finish_reason="stop", usage=usage, cost=Decimal(0))

    def _answer(self, request: Request) -> Any:
        if callable(self._replies):
            return self._replies(request.messages or request.inputs)
        if isinstance(self._replies, Mapping):
            asked = " ".join(request.inputs) or content_text(request.messages[-1])
            for piece, said in self._replies.items():
                if piece != "*" and piece in asked:
                    return said
            if "*" in self._replies:
                return self._replies["*"]
            return {"error": f"the script has no reply for {asked[:60]!r}"}
        turn = next(self._turn)
        if turn < len(self._replies):
            return self._replies[turn]
        return {"error": f"the script has {len(self._replies)} replies and was asked once more"}


class ScriptedProvider:
    """A scripted model under an alias: its replies stand in a JSON file of the workspace."""

    def __init__(self, name: str, alias: Alias, settings: Resolved) -> None:
        if not alias.replies:
            raise SettingError(f"model alias {name!r} names no replies", fix='Add replies = "FILE.json".')
        path = settings.workspace.root / alias.replies
        self._model = ScriptedModel(_read(name, path), name=name)

    @staticmethod
    def model_name(alias: Alias) -> str:
        return alias.model or f"scripted:{Path(alias.replies or '').name}"

    def ready(self) -> None:
        """Its replies were read when it was made."""

    def example(self) -> str | None:
        """A text that it has a reply for, where only some have one."""
        return self._model.example()

    async def send(self, request: Request) -> Reply:
        return await self._model.send(request)

    def stream(self, request: Request) -> Pieces:
        return self._model.stream(request)


def _read(name: str, path: Path) -> Script:
    try:
        replies = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(
            f"model alias {name!r}: {path} cannot be read as JSON ({error})",
            fix="Write a list of replies, or an object from a piece of the message to the reply.",
        ) from None
    if not isinstance(replies, list | dict):
        raise SettingError(
            f"model alias {name!r}: {path} holds neither a list nor an object", fix="See docs/models.md."
        )
    return replies
