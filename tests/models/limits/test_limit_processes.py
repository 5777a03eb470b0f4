"""One limit for all processes of a workspace: a short run of what tests/long does at length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from limited_calls import alias_for, call_together
from limited_server import LimitedServer

A_SECOND = 20
HEARD = 0.5  # seconds in which a process hears of a pause
STRAYS = 4  # requests that a machine with much else to do may deliver later than that; the long run allows none
MORE_STRAYS = 24  # where nothing but the pauses keeps them back


@pytest.fixture
def limited() -> Iterator[LimitedServer]:
    server = LimitedServer(A_SECOND)
    yield server
    server.close()


def test_processes_keep_to_one_limit_together(limited: LimitedServer, workspace: Path) -> None:
    alias_for(workspace, limited.url, requests_per_minute=A_SECOND * 60)
    together = call_together(2, 24, workspace)
    assert together.errors == {}
    assert limited.most_in(2) <= 2.5 * A_SECOND + 1  # half a second's worth may be kept, whatever the window
    assert len(limited.too_early(HEARD)) <= STRAYS
    assert together.behind[0] > 0  # the other one had its turns, too; how many is what the long run counts


def test_processes_find_a_limit_that_nobody_configured(limited: LimitedServer, workspace: Path) -> None:
    alias_for(workspace, limited.url)
    together = call_together(2, 24, workspace)
    assert together.errors == {}
    assert len(limited.too_early(HEARD)) <= MORE_STRAYS
    assert len(limited.refused) < 48
