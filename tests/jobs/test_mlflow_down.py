"""A server that is killed or hangs holds up no job and loses nothing: short for tests/long/test_mlflow_outage.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow_outage import assert_nothing_was_lost, outage
from mlflow_server import Server

pytestmark = [
    pytest.mark.usefixtures("delivered"),
    pytest.mark.long,
    pytest.mark.server,
    pytest.mark.kernel,
    pytest.mark.timeout(400),
]


def test_jobs_succeed_while_the_server_is_killed_or_hangs_and_it_has_all_of_them_in_the_end(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    try:
        found = outage(tmp_path / "work", server, [("up", 1), ("killed", 1), ("stopped", 1), ("up", 1)], ["asking"])
    finally:
        server.stop()
    assert_nothing_was_lost(found)
