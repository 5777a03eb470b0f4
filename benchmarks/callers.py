"""One contender makes calls in a process of its own, and says what they took: `callers.py NAME URL CALLS WIDTH MODE`.

Prints JSON: seconds and CPU seconds of the calls (imports, connections and one call before them are not counted),
peak memory in MB, and how many answers were right.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

EXPECTED = "The film is very good."
REVIEW = "A film that takes its time and is the better for it; the cast is wonderful. " * 8
Call = Callable[[int, bool], Awaitable[str]]


def messages(number: int) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": "You label film reviews."},
        {"role": "user", "content": f"{number}: {REVIEW}"},
    ]


async def aiohttp_raw(url: str) -> Call:
    """The least there is: no check, no record, no retry."""
    import aiohttp

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def call(number: int, streamed: bool) -> str:
        body = {"model": "m", "messages": messages(number), "stream": streamed}
        async with session.post(f"{url}/chat/completions", json=body, headers={"authorization": "Bearer k"}) as answer:
            if not streamed:
                return str((await answer.json())["choices"][0]["message"]["content"])
            said = ""
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    said += json.loads(line[6:])["choices"][0]["delta"].get("content", "")
            return said

    return call


async def openai_httpx(url: str) -> Call:
    return await _openai(url, None)


async def openai_aiohttp(url: str) -> Call:
    from openai import DefaultAioHttpClient

    return await _openai(url, DefaultAioHttpClient())


async def _openai(url: str, client: Any) -> Call:
    from openai import AsyncOpenAI

    openai = AsyncOpenAI(base_url=url, api_key="k", max_retries=0, http_client=client)

    async def call(number: int, streamed: bool) -> str:
        asked: Any = messages(number)
        if not streamed:
            answer = await openai.chat.completions.create(model="m", messages=asked)
            return answer.choices[0].message.content or ""
        said = ""
        options = {"include_usage": True}
        async for piece in await openai.chat.completions.create(
            model="m", messages=asked, stream=True, stream_options=options
        ):
            said += piece.choices[0].delta.content or ""
        return said

    return call


async def langchain(url: str) -> Call:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="m", base_url=url, api_key="k", max_retries=0, stream_usage=True)

    async def call(number: int, streamed: bool) -> str:
        asked = [(m["role"], m["content"]) for m in messages(number)]
        if not streamed:
            return str((await model.ainvoke(asked)).content)
        said = ""
        async for piece in model.astream(asked):
            said += str(piece.content)
        return said

    return call


ALIAS = """
[models.fast]
model = "m"
base_url = "{url}"
price = {{ input = 1, output = 2 }}
options = {{ max_tokens = 16 }}
requests_per_minute = 10_000_000
tokens_per_minute = 100_000_000_000
transport = "{transport}"
guard = {{ input = {{ secrets = "redact", email = "redact", card = "refuse" }}, output = {{ secrets = "redact" }} }}
"""


async def gen_toolkit(url: str, transport: str = "fast") -> Call:
    """With everything on: guard, durable journal, retry, deadline, budget, rate limits."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    (folder / "gen_toolkit.toml").write_text(ALIAS.format(url=url, transport=transport))
    os.chdir(folder)
    import gen_toolkit as gt
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.tracking.spool import count_waiting

    gt.run("benchmark", budget="1000 USD, 10000000000 tokens").__enter__()  # the calls' context is a copy of this one
    while count_waiting(open_database()):  # MLflow makes its own database, once a workspace
        await asyncio.sleep(0.1)

    async def call(number: int, streamed: bool) -> str:
        if not streamed:
            return (await gt.achat(messages(number), model="fast")).text
        said = ""
        async for piece in gt.stream(messages(number), model="fast"):
            said += piece.text
        return said

    return call


async def gen_toolkit_sdk(url: str) -> Call:
    return await gen_toolkit(url, "sdk")


CONTENDERS = {
    "aiohttp, raw": aiohttp_raw,
    "AsyncOpenAI": openai_httpx,
    "openai on aiohttp": openai_aiohttp,
    "LangChain ChatOpenAI": langchain,
    "gen_toolkit": gen_toolkit,
    "gen_toolkit, transport sdk": gen_toolkit_sdk,
}


async def main(name: str, url: str, calls: int, width: int, streamed: bool) -> None:
    call = await CONTENDERS[name](url)
    right = int(await call(-1, streamed) == EXPECTED) - 1
    waiting = iter(range(calls))

    async def worker() -> None:
        nonlocal right
        for number in waiting:
            said = await call(number, streamed)
            right += said == EXPECTED

    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(width)))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": memory, "right": right}), flush=True)
    os._exit(0)  # what closing takes is not measured


if __name__ == "__main__":
    _, contender, address, number, together, mode = sys.argv
    asyncio.run(main(contender, address, int(number), int(together), mode == "streamed"))
