"""The embedded model under an alias: no key, no network, price 0."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from gen_toolkit.alias import Alias
from gen_toolkit.errors import ModelRefused
from gen_toolkit.messages.piece import Piece, pieces_of
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models import answer, oneof, wire
from gen_toolkit.models.deltas import Deltas
from gen_toolkit.models.llama import CONTEXT, open_engine
from gen_toolkit.models.provider import Pieces
from gen_toolkit.models.weights import NAME, find_weights
from gen_toolkit.settings import Resolved

_LIKELIEST = 200  # no limit of 20 here; a small model often ranks the labels lower


class EmbeddedProvider:
    """Temperature 0 and seed 0 unless the call says otherwise."""

    def __init__(self, name: str, alias: Alias, settings: Resolved) -> None:  # noqa: ARG002 - every kind is made alike
        self._name, self._structured = name, alias.structured

    @staticmethod
    def model_name(alias: Alias) -> str:
        return alias.model or NAME

    def ready(self) -> None:
        find_weights()

    async def send(self, request: Request) -> Reply:
        reply = None
        async with contextlib.aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                reply = piece.reply
        assert reply is not None, "the last piece has it"
        return replace(reply, pieces=(), first_token_seconds=None, between_seconds=None)

    async def stream(self, request: Request) -> Pieces:
        """As it is written. Label probabilities, and answers that may be calls of tools, come at once."""
        self._refuse_embedding(request)
        tools = oneof.offered(request)
        start = time.monotonic()
        deltas, reply = Deltas(request), None
        body = self._body(request, tools)
        wire.encode(body)  # what JSON cannot hold is refused as everywhere
        engine = await asyncio.get_running_loop().run_in_executor(None, open_engine)
        async with contextlib.aclosing(engine.chunks(body)) as chunks:
            try:
                async for chunk in chunks:
                    if isinstance(chunk, Mapping) and chunk.get("error"):
                        raise self._refused(chunk["error"])
                    seconds = time.monotonic() - start
                    if request.choose:
                        reply = answer.reply(request, chunk)
                    elif (text := deltas.chunk(chunk, seconds)) and not tools:
                        yield Piece(text, seconds)
            except (RuntimeError, ValueError) as error:  # how the engine says no to what it was asked
                raise self._refused(str(error)) from None
        if reply is None and not deltas.whole:
            raise answer.bad(request, "an answer that has no end")
        reply = replace(reply or deltas.reply(), cost=Decimal(0))
        seconds = time.monotonic() - start
        if not tools and not request.choose:
            yield Piece(seconds=seconds, reply=reply)
            return
        for piece in pieces_of(oneof.picked(request, reply) if tools else reply):
            yield replace(piece, seconds=seconds)

    def _body(self, request: Request, tools: tuple[Any, ...]) -> dict[str, Any]:
        by_prompt = not tools and not request.choose and self._structured != "schema"
        if by_prompt:
            asked = wire.chat_body(replace(request, tools=()), self._structured)
        else:
            asked = wire.payload(request, most_logprobs=_LIKELIEST)
        body = {"temperature": 0, "seed": 0, **asked, "stream": not request.choose}
        if body["stream"]:
            body["stream_options"] = {"include_usage": True}
        for option in ("tool_choice", "parallel_tool_calls"):
            body.pop(option, None)
        if tools:
            body["messages"] = oneof.told(request.messages, tools)
            body["response_format"] = _by_schema(oneof.oneof_schema(request, tools))
        elif request.output is not None and not request.choose and not by_prompt:
            if request.output.labels:
                labels = (json.dumps(label, ensure_ascii=False) for label in request.output.labels)
                body["grammar"] = "root ::= " + " | ".join(labels)
            else:
                body["response_format"] = _by_schema(request.output.schema)
        return body

    def _refuse_embedding(self, request: Request) -> None:
        if request.inputs:
            raise ModelRefused(
                f"{self._name!r} is the embedded model, whose vectors are too poor to compare texts by",
                fix='Name an alias whose model makes embeddings: gt.embed(texts, model="…").',
                alias=self._name,
                status=None,
                reason="",
                billed=False,
            )

    def _refused(self, error: Any) -> ModelRefused:
        said = error if isinstance(error, Mapping) else {"message": error}
        too_long = said.get("type") == "exceed_context_size_error"
        advice = f"Shorten the prompt: prompt and answer have {CONTEXT} tokens."
        return ModelRefused(
            f"the embedded model refused the request: {said.get('message', said)}",
            fix=advice if too_long else "Trying again will not help; change the request.",
            alias=self._name,
            status=said.get("code"),
            reason="context-length" if too_long else "",
            billed=False,
        )


def _by_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}
