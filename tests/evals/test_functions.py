"""Where functions of the user's run: as many at once as rows may be in flight, and async ones on their own loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit.evals.functions import Functions

pytestmark = pytest.mark.usefixtures("store")

ROWS = [{"n": n} for n in range(24)]


def is_right(value: Any, row: Any) -> bool:
    return bool(value)


def test_eight_sync_functions_run_at_once_however_few_cores_there_are() -> None:
    first, together = threading.Event(), threading.Barrier(8, timeout=20)

    def work(row: Any) -> bool:
        if not first.is_set():  # the first row runs alone
            first.set()
        elif row["n"] <= 8:
            together.wait()  # opens only where eight wait at once
        return True

    assert gt.evaluate(work, ROWS, scorer=is_right).failed == []


@pytest.mark.parametrize("kind", ["subject", "scorer"])
def test_async_functions_run_on_the_loop_of_whoever_awaits_the_evaluation(kind: str) -> None:
    loops = set()

    async def work(*given: Any) -> bool:
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return True

    async def evaluated() -> Any:
        subject: Any = work if kind == "subject" else lambda row: True
        scorer = work if kind == "scorer" else is_right
        return await gt.aevaluate(subject, ROWS, scorer=scorer), asyncio.get_running_loop()

    result, here = asyncio.run(evaluated())
    assert (result.mean(), loops) == (1.0, {here})


def test_built_in_scorers_are_called_where_the_rows_are_and_own_ones_on_threads() -> None:
    threads: dict[str, str] = {}

    class Inline:
        name = "inline"
        inline = True

        def __call__(self, value: Any, row: Any) -> bool:
            threads["inline"] = threading.current_thread().name
            return True

    def own(value: Any, row: Any) -> bool:
        threads["own"] = threading.current_thread().name
        return True

    gt.evaluate(lambda row: True, ROWS, scorer=[Inline(), own])
    assert threads["inline"] == "gen_toolkit loop"
    assert threads["own"].startswith("gen_toolkit row")
    assert getattr(gt.scorers.exact("label"), "inline", False)


def test_what_leaves_with_sys_exit_is_an_error_of_its_own() -> None:
    async def called() -> Any:
        functions = Functions(1)
        try:
            return await functions.call(lambda: sys.exit(3))
        finally:
            functions.close()

    with pytest.raises(RuntimeError, match=r"left with sys.exit\(3\)"):
        asyncio.run(called())
