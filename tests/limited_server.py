"""A server on loopback that answers no more requests than it says."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque

from aiohttp import web

USAGE = {"prompt_tokens": 12, "completion_tokens": 3}


class LimitedServer:
    """At most `limit` answers in any `window` seconds; what comes beyond is a 429 with a `Retry-After`.

    A sliding window, no bucket: nothing is saved up, and a request that was refused does not count.
    `Retry-After` is in whole seconds, rounded up, as RFC 9110 has it.
    """

    def __init__(self, limit: int, window: float = 1.0, *, takes: float = 0.02) -> None:
        self._limit, self._window, self._takes = limit, window, takes
        self._answered: deque[float] = deque()
        self.arrivals: list[float] = []
        """When each request came, by the clock that all processes of a machine share."""
        self.refused: list[tuple[float, float]] = []
        """When each 429 was said, and until when the server asked to be left alone."""
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def most_in(self, seconds: float, *, after: float = 0.0) -> int:
        """The most requests that came in any `seconds` (beginning with an arrival: there the count is highest)."""
        arrivals = [at for at in sorted(self.arrivals) if at >= after]
        most = end = 0
        for start, first in enumerate(arrivals):
            while end < len(arrivals) and arrivals[end] < first + seconds:
                end += 1
            most = max(most, end - start)
        return most

    def too_early(self, grace: float) -> list[float]:
        """Requests that came in a pause that had been asked for more than `grace` seconds before."""
        return [at for at in self.arrivals if any(said + grace < at < until for said, until in self.refused)]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_post("/unlimited/v1/chat/completions", self._reply)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _answer(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        self.arrivals.append(now)
        while self._answered and self._answered[0] <= now - self._window:
            self._answered.popleft()
        if len(self._answered) >= self._limit:
            after = max(1, math.ceil(self._answered[0] + self._window - now))
            self.refused.append((now, now + after))
            said = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
            return web.json_response(said, status=429, headers={"retry-after": str(after)})
        self._answered.append(now)
        return await self._reply(request)

    async def _reply(self, request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(self._takes)
        choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
        return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice], "usage": USAGE})
