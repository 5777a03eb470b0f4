"""A kernel that says a cell is over, and not how: the run goes on to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

import pytest

from gen_toolkit.jobs import unsaid
from gen_toolkit.jobs.unsaid import reply_unless_unsaid, shown


async def _after(wait: Awaitable[object], value: object) -> object:
    await wait
    if isinstance(value, BaseException):
        raise value
    return value


def reply(replied: Any, idle: Any) -> Any:
    async def ask() -> Any:
        never = asyncio.Event()
        answer = _after(asyncio.sleep(0) if replied is not None else never.wait(), replied)
        over = _after(asyncio.sleep(0) if idle is not None else never.wait(), idle)
        return await asyncio.wait_for(reply_unless_unsaid(answer, asyncio.ensure_future(over)), 10)

    return asyncio.run(ask())


def test_a_reply_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsaid, "PATIENCE", 10.0)
    assert reply({"content": 1}, "over") == {"content": 1}
    assert reply({"content": 1}, None) == {"content": 1}


def test_a_reply_that_does_not_come_once_the_cell_is_over_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsaid, "PATIENCE", 0.01)
    assert reply(None, "over") is None


def test_what_went_wrong_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsaid, "PATIENCE", 0.01)
    with pytest.raises(ZeroDivisionError):
        reply(ZeroDivisionError(), "over")
    with pytest.raises(ZeroDivisionError):
        reply(None, ZeroDivisionError())


class _Cell(SimpleNamespace):
    """As nbformat's nodes are made."""


FAILED = {"status": "error", "ename": "Odd", "evalue": "half \ud83d", "traceback": ["a", "y" * 200_000]}


def test_a_cell_whose_reply_never_came_shows_its_own_error_or_ours() -> None:
    cell = _Cell(outputs=[])
    assert shown(cell, None)["content"]["ename"] == "NoReply"
    assert [each.evalue for each in cell.outputs] == [unsaid.MESSAGE]
    own = _Cell(outputs=[_Cell(output_type="error", ename="Odd", evalue="?", traceback=["a"])])
    assert shown(own, None)["content"] == {"status": "error", "ename": "Odd", "evalue": "?", "traceback": ["a"]}
    assert len(own.outputs) == 1


def test_a_cell_that_failed_and_shows_nothing_shows_the_error_of_the_reply() -> None:
    cell = _Cell(outputs=[_Cell(output_type="stream", name="stderr", text="an error, in colours")])
    reply = {"content": FAILED}
    assert shown(cell, reply) is reply
    error = cell.outputs[1]
    assert (error.output_type, error.ename, error.evalue) == ("error", "Odd", "half \ufffd")
    assert [len(line) for line in error.traceback] == [1, 100_021]
    assert shown(cell, reply) is reply
    assert len(cell.outputs) == 2


def test_a_cell_that_did_not_fail_shows_no_error() -> None:
    cell = _Cell(outputs=[])
    for status in ("ok", "aborted"):
        shown(cell, {"content": {"status": status}})
    assert cell.outputs == []
