"""A cell whose end the kernel cannot tell: it says that it is idle, and its reply never comes.

ipykernel asks the exception for its text when it writes the reply. Where that raises (a `__str__` with a mistake
in it), the reply is lost, and whoever waits for it waits for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

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


def unsaid(cell: Any) -> dict[str, Any]:
    """A reply in its place. The cell shows an error, its own or ours: a run is judged by that."""
    found = next((each for each in cell.outputs if each.output_type == "error"), None)
    if found is None:
        found = type(cell)(output_type="error", ename=NAME, evalue=MESSAGE, traceback=[])
        cell.outputs.append(found)
    content = {"status": "error", "ename": found.ename, "evalue": found.evalue, "traceback": found.traceback}
    return {"content": content}
