"""One door from synchronous code into the event loop, wherever the code stands."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import threading
import time
from typing import Any

import pytest

from gen_toolkit.loop import event_loop, on_loop, post, run_sync


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail() -> None:
    raise ValueError("it broke")


def test_a_script_waits_for_the_result() -> None:
    assert run_sync(double(21)) == 42


def test_it_works_inside_a_running_loop() -> None:
    async def cell() -> int:
        return run_sync(double(21))

    assert asyncio.run(cell()) == 42


def test_it_works_in_many_threads_at_once() -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(run_sync(double(n)))) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [2 * n for n in range(10)]


def test_an_error_is_the_callers() -> None:
    with pytest.raises(ValueError, match="it broke"):
        run_sync(fail())


def test_the_callers_context_goes_along() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")

    async def look() -> str:
        return variable.get()

    token = variable.set("inside")
    try:
        assert run_sync(look()) == "inside"
    finally:
        variable.reset(token)


def test_ctrl_c_cancels_the_work_in_flight_and_reaches_the_caller() -> None:
    started, cancelled = threading.Event(), threading.Event()

    async def long_work() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def press() -> None:
        started.wait(5)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        run_sync(long_work())
    assert cancelled.wait(5)


def test_a_synchronous_call_on_the_loop_is_refused_and_not_a_deadlock() -> None:
    async def wrong() -> None:
        run_sync(double(1))

    with pytest.raises(RuntimeError, match="twin"):
        run_sync(wrong())


def test_any_loop_may_await_work_on_ours() -> None:
    async def where() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def twice() -> asyncio.AbstractEventLoop:
        return await on_loop(where())

    assert asyncio.run(twice()) is event_loop()
    assert run_sync(twice()) is event_loop()


def test_cancelling_the_awaiter_cancels_the_work() -> None:
    begun, cancelled = threading.Event(), threading.Event()

    async def long_work() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async def impatient() -> None:
        task = asyncio.create_task(on_loop(long_work()))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(impatient())
    assert cancelled.wait(5)


def test_one_waking_serves_all_that_is_posted_and_none_keeps_another_back() -> None:
    called: list[int] = []
    failed: list[object] = []

    async def main() -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failed.append(context["exception"]))
        wakings = 0
        real = loop.call_soon_threadsafe

        def counted(*arguments: Any, **more: Any) -> Any:
            nonlocal wakings
            wakings += 1
            return real(*arguments, **more)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]

        def from_elsewhere() -> None:
            for number in range(1000):
                post(loop, (lambda: 1 // 0) if number == 500 else lambda n=number: called.append(n))

        thread = threading.Thread(target=from_elsewhere)
        thread.start()
        thread.join()  # the loop is not free meanwhile: all of it waits
        await asyncio.sleep(0)
        return wakings

    assert asyncio.run(main()) == 1
    assert called == [number for number in range(1000) if number != 500]
    assert [type(error) for error in failed] == [ZeroDivisionError]


def test_what_is_posted_to_a_closed_loop_is_for_nobody() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    post(loop, pytest.fail, "called")
