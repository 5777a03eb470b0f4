"""50 jobs while their MLflow server is killed, stopped and started again: none fails, none waits, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow_outage import assert_nothing_was_lost, outage
from mlflow_server import Server

pytestmark = [pytest.mark.long, pytest.mark.server, pytest.mark.kernel, pytest.mark.timeout(1800)]

PLAN = [("up", 6), ("killed", 8), ("up", 4), ("stopped", 8), ("up", 4), ("restarted", 8), ("up", 4), ("stopped", 4),
        ("killed", 4)]  # fmt: skip


def test_fifty_jobs(tmp_path: Path) -> None:
    assert sum(count for _, count in PLAN) == 50
    server = Server(tmp_path)
    server.start()
    try:
        found = outage(tmp_path / "work", server, PLAN, ["plain", "asking"])
    finally:
        server.stop()
    print(f"the slowest: up {found.slowest('up'):.1f} s, else {found.slowest('killed', 'stopped', 'restarted'):.1f} s")
    assert_nothing_was_lost(found)
