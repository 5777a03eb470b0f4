"""What every test gets: a workspace of its own, no network but loopback, and no silent skips in CI."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import schema
from hypothesis import settings
from notebook_cells import OF_TESTS
from postgres import either_database, either_new_database, empty_postgres, postgres, postgres_server

from gen_toolkit import text
from gen_toolkit.database import engine, migrate

__all__ = ["either_database", "either_new_database", "empty_postgres", "postgres", "postgres_server"]

os.environ.setdefault("GEN_TOOLKIT_EMBEDDED_THREADS", "1")  # tests share two cores
os.environ["GEN_TOOLKIT_DELIVERY"] = "later"  # who looks at MLflow delivers first; `delivered` has it as users have it

settings.register_profile("shared", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("shared")

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")
_real_connect = socket.socket.connect


def _guarded(self: socket.socket, address: object) -> None:
    inet = self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple)
    if inet and not str(address[0]).startswith(_LOOPBACK):
        raise AssertionError(f"a test tried to reach {address}: the network is off, except loopback")
    _real_connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def _network_is_off() -> Iterator[None]:
    """Sockets of this process reach loopback only; child processes are given a proxy that is not there."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _guarded)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        patch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        patch.setenv(name, "127.0.0.1,localhost")
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _signals_are_heard() -> None:
    """A shell that starts tests in the background has them ignore SIGINT, `nohup` SIGHUP; tests send both."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty workspace, which is also the current folder; nothing of the caller's settings reaches it."""
    for name in list(os.environ):
        if name.startswith(("GEN_TOOLKIT_", "MLFLOW_")) and name not in OF_TESTS:
            monkeypatch.delenv(name)
    root = tmp_path / "work"
    (root / "notebooks").mkdir(parents=True)
    (root / "gen_toolkit.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(root)
    schema.statements()
    monkeypatch.setattr(engine, "migrate", schema.copied)
    monkeypatch.setattr(text, "_secrets", ())  # what one test has read is no secret of the next
    before = dict(os.environ)
    yield root
    for name in os.environ.keys() - before.keys():
        del os.environ[name]  # what the package set for MLflow in this process


@pytest.fixture
def migrated(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new database is made as users have it made: by the migrations, one after the other."""
    monkeypatch.setattr(engine, "migrate", migrate.migrate)


@pytest.fixture(scope="module")
def delivered() -> Iterator[None]:
    """MLflow is told in the background: for tests of that, and of whatever could go wrong beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GEN_TOOLKIT_DELIVERY")
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With CI=true a skip of a marked test is a failure: a missing browser must not pass for a green run."""
    report = yield
    marked = {"kernel", "browser", "server", "postgres", "model", "chaos"} & {mark.name for mark in item.iter_markers()}
    if os.environ.get("CI") == "true" and report.skipped and marked and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where it must run: {report.longrepr}"
    return report
