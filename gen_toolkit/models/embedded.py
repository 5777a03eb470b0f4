"""The embedded model: llama.cpp in this process, no key, no network, price 0.

One instance a process, made at the first call and never before a fork. Its loopback listener opens in
any case, so it gets a random key that nobody is told.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from gen_toolkit.alias import Alias
from gen_toolkit.errors import BadReply, ModelRefused
from gen_toolkit.messages.piece import pieces_of
from gen_toolkit.messages.reply import Reply
from gen_toolkit.messages.request import Request
from gen_toolkit.models import wire
from gen_toolkit.models.provider import Pieces
from gen_toolkit.models.weights import NAME, find_weights
from gen_toolkit.settings import Resolved

PARALLEL = 4  # requests computed together; 8 bring little more and cost latency
CONTEXT = 2048  # tokens a request may have, prompt and answer: the model's own window
_LIKELIEST = 200  # no limit of 20 here; a small model often ranks the labels lower

_lock = threading.Lock()
_engine: tuple[int, _Engine] | None = None


class _Engine:
    """The server object and the threads that wait for it (it frees the GIL)."""

    def __init__(self, weights: Path) -> None:
        xllamacpp = _import_patient()
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(weights)
        parameters.n_parallel = PARALLEL
        parameters.n_ctx = CONTEXT * PARALLEL
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = _threads()
        parameters.api_keys = [secrets.token_urlsafe(32)]
        parameters.warmup = False
        parameters.verbosity = -1
        self._server = xllamacpp.Server(parameters)
        self.pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="gen_toolkit embedded")

    def complete(self, body: dict[str, Any]) -> Any:
        answer = self._server.handle_chat_completions(body)
        return json.loads(answer) if isinstance(answer, str | bytes) else answer


def _import_patient() -> Any:
    """llama.cpp's threads wait by spinning; on a busy machine that makes two slower than one.

    OpenMP reads its policy when it is loaded, so it is set for just that moment.
    """
    before = os.environ.get("OMP_WAIT_POLICY")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    finally:
        if before is None:
            del os.environ["OMP_WAIT_POLICY"]
    return xllamacpp


def _threads() -> int:
    named = os.environ.get("GEN_TOOLKIT_EMBEDDED_THREADS")
    return int(named) if named else min(4, os.cpu_count() or 1)


def _the_engine() -> _Engine:
    global _engine
    with _lock:
        if _engine is None or _engine[0] != os.getpid():
            _engine = (os.getpid(), _Engine(find_weights()))
        return _engine[1]


class EmbeddedProvider:
    """The embedded model under an alias. Temperature 0 and seed 0 unless the call says otherwise."""

    def __init__(self, name: str, alias: Alias, settings: Resolved) -> None:  # noqa: ARG002 - every kind is made alike
        self._name = name

    @staticmethod
    def model_name(alias: Alias) -> str:
        return alias.model or NAME

    def ready(self) -> None:
        find_weights()

    async def send(self, request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        engine = await loop.run_in_executor(None, _the_engine)
        body = {"temperature": 0, "seed": 0, **wire.payload(request, most_logprobs=_LIKELIEST)}
        _enforce(body, request)
        try:
            answer = await loop.run_in_executor(engine.pool, engine.complete, body)
        except (RuntimeError, ValueError) as error:
            raise BadReply(f"the embedded model failed: {error}", fix="Report this.", alias=self._name) from None
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            raise ModelRefused(
                f"the embedded model refused the request: {answer['error'].get('message', answer['error'])}",
                fix=f"Shorten the prompt: prompt and answer have {CONTEXT} tokens.",
                alias=self._name,
                status=answer["error"].get("code"),
            )
        return replace(wire.reply(request, answer), cost=Decimal(0))

    async def stream(self, request: Request) -> Pieces:
        for piece in pieces_of(await self.send(request)):
            yield piece


def _enforce(body: dict[str, Any], request: Request) -> None:
    """Hold the answer to the declared output by a grammar: bare labels, else JSON of the schema."""
    output = request.output
    if output is None or request.choose:
        return
    if output.labels:
        body["grammar"] = "root ::= " + " | ".join(json.dumps(label, ensure_ascii=False) for label in output.labels)
    else:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": output.schema},
        }
