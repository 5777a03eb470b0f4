"""100 tasks × 8 processes against a server that answers 5 requests a second and refuses the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from limited_calls import Together, alias_for, call_together
from limited_server import LimitedServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

A_SECOND = 5
PROCESSES, TASKS = 8, 100


@pytest.fixture
def limited() -> Iterator[LimitedServer]:
    server = LimitedServer(A_SECOND)
    yield server
    server.close()


def told(limited: LimitedServer, together: Together) -> str:
    """The figures of a run: `pytest -s` shows them."""
    ends = [max(each.at) - together.start for each in together.done]
    return (
        f"{together.seconds:.0f} s, {len(limited.arrivals)} requests, {len(limited.refused)} refused; most in 10 s: "
        f"{limited.most_in(10)}, after the first 10 s {limited.most_in(10, after=together.start + 10)}; in a pause: "
        f"{len(limited.too_early(0.5))}; processes ended after {min(ends):.0f} to {max(ends):.0f} s, and had done "
        f"{together.behind} when the first had; attempts at most {max(max(each.attempts) for each in together.done)}"
    )


def test_a_configured_limit_is_kept_and_everybody_gets_a_turn(limited: LimitedServer, workspace: Path) -> None:
    alias_for(workspace, limited.url, requests_per_minute=A_SECOND * 60)
    together = call_together(PROCESSES, TASKS, workspace)
    print(told(limited, together))
    assert together.errors == {}
    assert sum(len(each.attempts) for each in together.done) == PROCESSES * TASKS
    assert limited.most_in(10) <= 1.1 * 10 * A_SECOND
    assert limited.too_early(0.5) == []
    assert together.behind[0] >= 0.7 * TASKS
    assert together.seconds < 1.35 * PROCESSES * TASKS / A_SECOND


def test_a_limit_that_nobody_configured_is_found(limited: LimitedServer, workspace: Path) -> None:
    alias_for(workspace, limited.url)
    together = call_together(PROCESSES, TASKS, workspace)
    print(told(limited, together))
    assert together.errors == {}
    assert sum(len(each.attempts) for each in together.done) == PROCESSES * TASKS
    assert limited.most_in(10, after=together.start + 20) <= 1.1 * 10 * A_SECOND
    assert len(limited.refused) < 1.25 * PROCESSES * TASKS  # nearly all of them in the first moment
    assert together.behind[0] >= 0.5 * TASKS
    assert together.seconds < 2 * PROCESSES * TASKS / A_SECOND


@pytest.mark.chaos
def test_what_a_killed_process_had_leased_is_soon_made_good(limited: LimitedServer, workspace: Path) -> None:
    alias_for(workspace, limited.url, requests_per_minute=A_SECOND * 60)
    together = call_together(4, 25, workspace, kill_after=5)
    print(told(limited, together))
    assert together.errors == {}
    assert [len(each.attempts) for each in together.done] == [25] * 3
    assert limited.most_in(10) <= 1.1 * 10 * A_SECOND
    assert together.seconds < 1.35 * 100 / A_SECOND
