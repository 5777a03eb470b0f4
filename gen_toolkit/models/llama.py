"""llama.cpp in this process: one engine, made at the first call and never before a fork. The only door to xllamacpp.

Its loopback listener opens in any case, so it gets a random key that nobody is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gen_toolkit.models.deadline import clock_stopped
from gen_toolkit.models.weights import find_weights

PARALLEL = 4  # requests computed together; 8 bring little more and cost latency
CONTEXT = 2048  # tokens a request may have, prompt and answer: the model's own window
_END = object()

_lock = threading.Lock()
_engine: tuple[int, Engine] | None = None


class Engine:
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
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="gen_toolkit embedded")
        self._turns = asyncio.Semaphore(PARALLEL)

    async def chunks(self, body: dict[str, Any]) -> AsyncGenerator[Any, None]:
        """What it says to a request, as it says it: chunks of a stream, or one whole completion; decoded.

        Closed before its end it stops computing at the next token. Waiting for a turn is not counted to the deadline.
        """
        loop = asyncio.get_running_loop()
        said: asyncio.Queue[Any] = asyncio.Queue()
        stopped = threading.Event()

        def hear(chunk: Any) -> bool:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(said.put_nowait, chunk)
                return stopped.is_set()
            return True

        def compute() -> None:
            try:
                self._server.handle_chat_completions(body, hear)
            except Exception as error:  # noqa: BLE001 - it is the reader's, who waits elsewhere
                hear(error)
            hear(_END)

        with clock_stopped() if self._turns.locked() else contextlib.nullcontext():
            await self._turns.acquire()
        loop.run_in_executor(self._pool, compute).add_done_callback(lambda _: self._turns.release())
        try:
            while (chunk := await said.get()) is not _END:
                if isinstance(chunk, Exception):
                    raise chunk
                yield json.loads(chunk) if isinstance(chunk, str | bytes) else chunk
        finally:
            stopped.set()


def open_engine() -> Engine:
    """The engine of this process; loads the weights, half a second, the first time."""
    global _engine
    with _lock:
        if _engine is None or _engine[0] != os.getpid():
            _engine = (os.getpid(), Engine(find_weights()))
        return _engine[1]


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
