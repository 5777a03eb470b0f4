"""A cell whose end the kernel does not tell: it says that it is idle, and its reply never comes, or no error is shown.

ipykernel asks the exception for its text when it writes the reply. Where that raises (a `__str__` with a mistake
in it), the reply is lost, and whoever waits for it waits for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from gen_toolkit.jobs.collect import clipped
from gen_toolkit.text import encodable

PATIENCE = 20.0  # seconds from the kernel being idle; the reply is sent before that is said

NAME = "NoReply"
MESSAGE = "the kernel could not tell how the cell ended; the text of its exception raises another, perhaps"


async def reply_unless_unsaid(reply: Coroutine[Any, Any, Any], idle: asyncio.Future[Any]) -> Any | None:
    """The reply; None where it has not come long after the kernel said, by `idle`, that the cell is over."""
    awaited = asyncio.ensure_future(reply)
    try:
        await asyncio.wait({awaited, idle}, return_when=asyncio.FIRST_COMPLETED)
        done, _ = await asyncio.wait({awaited}, timeout=PATIENCE)
    except asyncio.CancelledError:
        awaited.cancel()
        raise
    if done:
        return awaited.result()
    awaited.cancel()
    if not idle.cancelled() and (problem := idle.exception()) is not None:
        raise problem
    return None


def shown(cell: Any, reply: dict[str, Any] | None) -> dict[str, Any]:
    """The reply, or one in its place. A cell that has failed shows an error then: a run is judged by that.

    The kernel shows none where a notebook has taken it on itself (`rich.traceback`, `set_custom_exc`), and none
    with half a character in it gets through.
    """
    content = {"status": "error", "ename": NAME, "evalue": MESSAGE} if reply is None else reply["content"]
    found: Any = next((each for each in cell.outputs if each.output_type == "error"), None)
    if found is None and content["status"] == "error":
        traceback = [clipped(encodable(line)) for line in content.get("traceback") or []]
        evalue = clipped(encodable(content["evalue"]))
        found = type(cell)(output_type="error", ename=content["ename"], evalue=evalue, traceback=traceback)
        cell.outputs.append(found)
    if reply is not None:
        return reply
    return {"content": content | {"ename": found.ename, "evalue": found.evalue, "traceback": found.traceback}}
