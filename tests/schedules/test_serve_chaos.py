"""Serving processes that are killed at random moments: nothing runs twice, nothing is forgotten."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from locked import locked
from released import released
from serving import Server, Site, eventually

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.ledger import Filter, Ledger
from gen_toolkit.jobs.rows import NewRun
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.declared import write_schedule

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

_SHORT = pytest.param("sqlite", True, id="sqlite-short")
_LONG = [
    pytest.param("sqlite", False, id="sqlite-long", marks=pytest.mark.long),
    pytest.param("postgres", False, id="postgres-long", marks=[pytest.mark.long, pytest.mark.postgres]),
]
_ON_POSTGRES = pytest.param("postgres", True, id="postgres-short", marks=[pytest.mark.postgres, pytest.mark.long])


def replace(servers: list[Server], site: Site, chance: random.Random) -> None:
    """Kill one of the servers, and start another in its place."""
    victim = chance.randrange(len(servers))
    servers[victim].kill()
    servers[victim] = site.serve(jobs=4)


def once(site: Site, runs: list[str]) -> None:
    """Each of the runs was executed from beginning to end once, and never twice at the same time."""
    assert not site.count("TWICE")
    assert site.count("begin") == dict.fromkeys(runs, 1), [n for n in site.notes() if site.count("begin")[n[1]] > 1]
    assert site.count("end") == dict.fromkeys(runs, 1)


@pytest.mark.parametrize(("either_database", "short"), [_SHORT, _ON_POSTGRES, *_LONG], indirect=["either_database"])
def test_two_servers_that_are_killed_at_random_run_each_instant_once_or_record_it(
    either_database: str, short: bool, workspace: Path
) -> None:
    instants, kills = (4, 2) if short else (60, 24)
    released(workspace)
    every = 2
    pipeline = Pipeline("label", workspace / "pipelines/label")
    write_schedule(pipeline, {"every_s": every, "due": "day", "overlap": "queue", "catch_up": "all", "grace_s": 10})
    site = Site(workspace)
    chance = random.Random(f"{either_database} {instants}")
    ledger = Ledger(open_database())
    try:
        servers = [site.serve(jobs=4), site.serve(jobs=4)]
        first = eventually(lambda: min(_dues(ledger), default=None), 60, lambda: servers[0].log.read_text())
        last = first + every * (instants - 1)
        for moment in sorted(chance.uniform(0, every * instants) for _ in range(kills)):
            time.sleep(max(0.0, first + moment - time.time()))
            replace(servers, site, chance)
        eventually(lambda: last <= max(_dues(ledger)), 120, lambda: "the last instant never came")
        eventually(lambda: not _open(ledger, last), 400, lambda: f"{_open(ledger, last)} are not finished")
        for server in servers:
            server.stop()
        for server in servers:
            server.process.wait(90)
    finally:
        site.leave()
    runs = [run for run in ledger.list(Filter(name="label"), limit=10_000) if first <= (run.due or 0) <= last]
    assert sorted(run.due or 0 for run in runs) == list(range(first, last + 1, every))
    ran = [run for run in runs if run.state == "succeeded"]
    assert {run.state for run in runs} <= {"succeeded", "skipped"}
    assert all(run.reason and run.reason.message.startswith("missed") for run in runs if run.state == "skipped")
    counted = {run.id for run in ran}
    assert not site.count("TWICE")
    assert {run: n for run, n in site.count("end").items() if run in counted} == dict.fromkeys(counted, 1)
    assert {run.attempts for run in ran} == {1}


def _dues(ledger: Ledger) -> list[int]:
    return [int(run.due) for run in ledger.list(Filter(name="label"), limit=10_000) if run.due is not None]


def _open(ledger: Ledger, last: int) -> list[str]:
    return [run.id for run in ledger.list(Filter(name="label"), limit=10_000) if run.is_open and (run.due or 0) <= last]


@pytest.mark.parametrize(("either_database", "short"), [_SHORT, *_LONG], indirect=["either_database"])
def test_queued_runs_survive_kills_of_the_server_and_each_is_finished_once(
    either_database: str, short: bool, workspace: Path
) -> None:
    count, kills = (6, 2) if short else (200, 30)
    site = Site(workspace, takes=0.3)
    chance = random.Random(f"{either_database} {count}")
    ledger = Ledger(open_database())
    asked = [NewRun(name="queued", kind="job", notebook="n", parameters={}) for _ in range(count)]
    assert all(ledger.submit(run) for run in asked)
    try:
        server = site.serve(jobs=4)
        for done in sorted(chance.sample(range(1, count - 1), kills)):  # by progress: the machine may be slow
            eventually(lambda done=done: len(site.count("begin")) >= done, 300, lambda: "too few have begun")
            time.sleep(chance.uniform(0, 0.5))
            server.kill()
            server = site.serve(jobs=4)
        eventually(lambda: _finished(ledger) == count, 600, lambda: f"{_finished(ledger)} of {count} finished")
        server.stop()
        server.process.wait(90)
    finally:
        site.leave()
    once(site, [run.id for run in asked])
    found: list[Any] = [*ledger.list(Filter(name="queued"), limit=1000)]
    assert {(run.state, run.attempts) for run in found} == {("succeeded", 1)}


@contextlib.contextmanager
def _out(database: str, seconds: float, request: pytest.FixtureRequest) -> Iterator[None]:
    """Another process writes for so long; or the server is restarted, so much later."""
    if database == "sqlite":
        with locked(seconds):
            time.sleep(seconds)
            yield
        return
    server = request.getfixturevalue("postgres")
    server.stop()
    time.sleep(seconds)
    server.start()
    yield


_OUTAGES = pytest.mark.parametrize(
    ("either_database", "seconds"),
    [
        ("sqlite", 15),
        ("sqlite", 60),
        *(pytest.param("postgres", seconds, marks=pytest.mark.postgres) for seconds in (0, 15, 60)),
    ],
    indirect=["either_database"],
)


@pytest.mark.long
@_OUTAGES
def test_queued_runs_survive_an_outage_of_the_database_and_each_is_finished_once(
    either_database: str, seconds: float, workspace: Path, request: pytest.FixtureRequest
) -> None:
    """On SQLite the second server stands by; nobody is killed, and nobody gives up."""
    count = 60
    site = Site(workspace, takes=0.3)
    ledger = Ledger(open_database())
    asked = [NewRun(name="queued", kind="job", notebook="n", parameters={}) for _ in range(count)]
    assert all(ledger.submit(run) for run in asked)
    try:
        servers = [site.serve(jobs=4), site.serve(jobs=4)]
        eventually(lambda: len(site.count("begin")) >= 10, 120, lambda: servers[0].log.read_text())
        with _out(either_database, seconds, request):
            eventually(lambda: _finished(ledger) == count, 300, lambda: f"{_finished(ledger)} of {count} finished")
        assert [server.process.poll() for server in servers] == [None, None]
    finally:
        site.leave()
    once(site, [run.id for run in asked])
    found: list[Any] = [*ledger.list(Filter(name="queued"), limit=1000)]
    assert {(run.state, run.attempts) for run in found} == {("succeeded", 1)}


@pytest.mark.long
@_OUTAGES
def test_queued_runs_survive_kills_of_the_server_with_an_outage_of_the_database_among_them(
    either_database: str, seconds: float, workspace: Path, request: pytest.FixtureRequest
) -> None:
    """Of the 30 kills three fall into the outage. A server that gave up in it is started again, as its keeper would."""
    count, kills, in_outage = 200, 27, 3
    site = Site(workspace, takes=0.3)
    chance = random.Random(f"{either_database} {seconds}")
    ledger = Ledger(open_database())
    asked = [NewRun(name="queued", kind="job", notebook="n", parameters={}) for _ in range(count)]
    assert all(ledger.submit(run) for run in asked)

    def killed_meanwhile() -> None:
        for _ in range(in_outage):
            time.sleep(seconds / (in_outage + 1))
            site.servers[-1].kill()
            site.serve(jobs=4)

    try:
        site.serve(jobs=4)
        for number, done in enumerate(sorted(chance.sample(range(1, count - 1), kills))):
            eventually(lambda done=done: len(site.count("begin")) >= done, 300, lambda: "too few have begun")
            time.sleep(chance.uniform(0, 0.5))
            site.servers[-1].kill()
            site.serve(jobs=4)
            if number == kills // 2:
                meanwhile = threading.Thread(target=killed_meanwhile)
                meanwhile.start()
                with _out(either_database, seconds, request):  # here: a server ends with the thread that started it
                    meanwhile.join()
                time.sleep(5)
                if site.servers[-1].process.poll() is not None:
                    site.serve(jobs=4)
        eventually(lambda: _finished(ledger) == count, 600, lambda: f"{_finished(ledger)} of {count} finished")
    finally:
        site.leave()
    once(site, [run.id for run in asked])
    found: list[Any] = [*ledger.list(Filter(name="queued"), limit=1000)]
    assert {(run.state, run.attempts) for run in found} == {("succeeded", 1)}


def _finished(ledger: Ledger) -> int:
    return sum(not run.is_open for run in ledger.list(Filter(name="queued"), limit=1000))
