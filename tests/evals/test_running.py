"""The progress line of an evaluation: running scores, and what waits for whose limit."""

from __future__ import annotations

import asyncio

import pytest

from gen_toolkit.display import Progress
from gen_toolkit.evals import running
from gen_toolkit.evals.running import RunningScores, kept_fresh
from gen_toolkit.models.limits.open import Wait


def test_the_line_says_which_calls_wait_how_long_for_the_limit_of_which_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = RunningScores(["accuracy"])
    assert scores.line() == ""
    monkeypatch.setattr(running, "waits", lambda: [Wait("fast", 12, 8.2), Wait("slow", 1, 3.0)])
    assert scores.line() == "12 calls wait 8 s for the limit of 'fast'  a call waits 3 s for the limit of 'slow'"


def test_progress_is_shown_again_while_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "waits", lambda: [Wait("fast", 12, 8.2)])
    monkeypatch.setattr(running, "_FRESH", 0.01)

    async def nothing_is_done() -> None:
        progress = Progress("label", 5)
        monkeypatch.setattr(progress, "_every", 0.0)
        async with kept_fresh(progress):
            for _ in range(1000):
                await asyncio.sleep(0.01)
                if "12 calls wait 8 s" in capsys.readouterr().err:
                    return
            raise AssertionError("it was never shown")

    asyncio.run(nothing_is_done())
