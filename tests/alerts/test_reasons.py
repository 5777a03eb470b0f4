"""What is a reason to tell somebody."""

from __future__ import annotations

from typing import Any

import pytest

from gen_toolkit.alerts.reasons import Before, reasons
from gen_toolkit.channel import Channel
from gen_toolkit.events import JobEnded

FINE = Before(failed=False, took=[10.0, 11.0, 9.0, 10.0, 12.0])
BROKEN = Before(failed=True, took=[])


def told(state: str, before: Before = FINE, channel: dict[str, Any] | None = None, **more: Any) -> list[str]:
    ended = JobEnded(run="r", name="label", state=state, **more)
    return [occasion for occasion, _ in reasons(ended, before, Channel(command=("true",), **(channel or {})))]


@pytest.mark.parametrize("state", ["failed", "timed out", "killed", "lost"])
def test_a_job_that_did_not_do_its_work_is_a_failure(state: str) -> None:
    assert told(state) == ["failure"]
    assert told(state, BROKEN) == ["failure"]


@pytest.mark.parametrize("state", ["cancelled", "skipped", "succeeded"])
def test_what_somebody_wanted_so_is_no_news(state: str) -> None:
    assert told(state) == []


def test_the_first_success_after_a_failure_is_a_recovery() -> None:
    assert told("succeeded", BROKEN) == ["recovery"]


def test_a_budget_that_ended_it_is_told_as_that_or_as_a_failure_but_once() -> None:
    assert told("failed", error="BudgetExceeded") == ["over-budget"]
    assert told("failed", error="BudgetExceeded", channel={"on": ["failure"]}) == ["failure"]


def test_slow_is_over_the_seconds_or_over_the_median_whichever_is_less() -> None:
    assert told("succeeded", seconds=31) == []
    assert told("succeeded", seconds=31, channel={"slow_s": 30}) == ["slow"]
    assert told("succeeded", seconds=31, channel={"slow_factor": 3, "slow_s": 60}) == ["slow"]
    assert told("succeeded", seconds=29, channel={"slow_factor": 3}) == []


def test_a_median_of_too_few_says_nothing() -> None:
    assert told("succeeded", Before(failed=False, took=[1.0] * 4), {"slow_factor": 2}, seconds=99) == []


def test_a_channel_hears_only_what_it_wants() -> None:
    assert told("failed", channel={"on": ["recovery"]}) == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({}, "either webhook or command"),
        ({"webhook": "https://x", "command": ["y"]}, "either webhook or command"),
        ({"webhook": "ftp://x"}, "an address like https://host/path"),
        ({"webhook": "https://"}, "an address like https://host/path"),
        ({"webhook": "https://me:secret@host/"}, "holds a password"),
        ({"command": ["x"], "on": ["failures"]}, "Input should be 'failure'"),
        ({"command": ["x"], "slow_factor": 1}, "greater than 1"),
        ({"command": ["x"], "headers": {"X Y": "z"}}, "cannot be a header"),
        ({"webhook": "https://x", "headers": {"X": "a\nb"}}, "cannot be a header"),
    ],
)
def test_a_channel_that_cannot_work_is_refused(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Channel(**table)
