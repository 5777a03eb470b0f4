"""gen serve: what is due runs once, what waits runs so many at once, a stop is in order, one works at a time."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from released import released
from serving import Site, eventually

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.ledger import Filter, Ledger
from gen_toolkit.jobs.rows import NewRun
from gen_toolkit.releases.rollback import rollback
from gen_toolkit.schedules.declared import write_schedule


@pytest.fixture
def site(workspace: Path) -> Iterator[Site]:
    site = Site(workspace)
    yield site
    site.leave()


def queue(count: int, name: str = "other") -> list[str]:
    ledger = Ledger(open_database())
    asked = [NewRun(name=name, kind="job", notebook="n", parameters={}) for _ in range(count)]
    assert all(ledger.submit(run) for run in asked)
    return [run.id for run in asked]


def states(name: str) -> list[str]:
    return [run.state for run in Ledger(open_database()).list(Filter(name=name), limit=1000)]


def test_what_waits_is_run_so_many_at_once_and_a_stop_waits_for_it(either_database: str, site: Site) -> None:
    (site.seen / "hold").touch()
    queue(3)
    server = site.serve(jobs=2)
    eventually(lambda: len(site.count("begin")) == 2, 60, lambda: server.log.read_text())
    assert sorted(states("other")) == ["queued", "running", "running"]
    server.stop()
    assert server.wait_for("stopping")["running"] == 2
    (site.seen / "hold").unlink()
    assert server.process.wait(60) == 0
    assert sorted(states("other")) == ["queued", "succeeded", "succeeded"]
    assert server.said()[-1] == {"event": "stopped", "running": 0}


def test_a_second_stop_cancels_what_runs(site: Site) -> None:
    (site.seen / "hold").touch()
    queue(1)
    server = site.serve()
    server.wait_for("claimed")
    server.stop()
    server.wait_for("stopping")
    server.stop(signal.SIGINT)
    server.wait_for("cancelling")
    assert server.process.wait(60) == 0
    assert site.count("end") == {}


def test_when_the_grace_is_over_what_runs_is_cancelled(site: Site) -> None:
    (site.seen / "hold").touch()
    queue(1)
    server = site.serve(grace=0)
    server.wait_for("claimed")
    server.stop()
    server.wait_for("cancelling")
    assert server.process.wait(60) == 0


def test_a_schedule_is_served_at_its_instants_and_a_broken_one_is_a_line(site: Site, workspace: Path) -> None:
    pipeline = released(workspace)
    broken = workspace / "pipelines/broken"
    broken.mkdir()
    (broken / "pipeline.toml").write_text('[schedule]\ncron = "0 0 30 2 *"\n')
    write_schedule(pipeline, {"every_s": 2, "due": "day", "overlap": "queue"})
    server = site.serve()
    eventually(lambda: len(site.count("end")) >= 2, 60, lambda: server.log.read_text())
    server.stop()
    assert server.process.wait(60) == 0
    runs = [run for run in Ledger(open_database()).list(Filter(name="label")) if run.state == "succeeded"]
    assert all(run.due is not None and run.due % 2 == 0 and run.attempts == 1 for run in runs)
    assert len({run.due for run in runs}) == len(runs)
    problems = [one for one in server.said() if one["event"] == "problem"]
    assert [one["pipeline"] for one in problems] == ["broken"]
    assert "never fires" in problems[0]["reason"]


def test_settings_that_cannot_be_read_for_a_while_are_a_line_and_what_waits_runs_when_they_can(
    site: Site, workspace: Path
) -> None:
    server = site.serve()
    server.wait_for("serving")
    (workspace / "gen_toolkit.toml").write_text("model = ")  # an editor is half way
    assert "gen_toolkit.toml" in server.wait_for("problem")["reason"]
    (workspace / "gen_toolkit.toml").write_text("")
    [run] = queue(1)
    eventually(lambda: site.count("end")[run] == 1, 60, lambda: server.log.read_text())
    server.stop()
    assert server.process.wait(60) == 0
    assert [one["event"] for one in server.said()].count("problem") == 1


def test_an_override_is_told_once_and_so_is_its_end(site: Site, workspace: Path) -> None:
    pipeline = released(workspace)
    pipeline.file.write_text("live = 2\n")  # taken out of service: it is not even there
    assert rollback("label", 1, "wrong labels").override
    write_schedule(pipeline, {"every_s": 1, "due": "day", "overlap": "queue"})
    server = site.serve()
    eventually(lambda: len(site.count("end")) >= 2, 60, lambda: server.log.read_text())
    (said,) = [one for one in server.said() if one["event"] == "live"]
    assert said["pipeline"] == "label"
    assert said["release"] == str(pipeline.standing)
    assert said["release"].endswith("wrong labels; pipeline.toml says 2)")
    assert {run.release for run in Ledger(open_database()).list(Filter(name="label"))} == {1}
    pipeline.set_live(1)
    eventually(lambda: len([1 for one in server.said() if one["event"] == "live"]) == 2, 60, server.log.read_text)
    server.stop()
    assert server.process.wait(60) == 0
    assert [one["release"] for one in server.said() if one["event"] == "live"][1:] == ["1"]


@pytest.mark.chaos
def test_on_one_file_a_second_server_stands_by_and_takes_over_from_one_that_was_killed(site: Site) -> None:
    first = site.serve()
    first.wait_for("serving")
    second = site.serve()
    second.wait_for("standing-by")
    (site.seen / "hold").touch()
    run = queue(1)[0]
    first.wait_for("claimed")
    first.kill()
    second.wait_for("serving")
    (site.seen / "hold").unlink()
    ledger = Ledger(open_database())
    eventually(lambda: ledger.find(run).state == "succeeded", 60, lambda: second.log.read_text())
    assert (site.count("begin"), site.count("end")) == ({run: 1}, {run: 1})
    assert ledger.find(run).attempts == 1


def test_stopped_while_it_stands_by_it_goes(site: Site) -> None:
    site.serve().wait_for("serving")
    second = site.serve()
    second.wait_for("standing-by")
    second.stop()
    assert second.process.wait(30) == 0
