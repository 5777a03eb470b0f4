"""A fan-out: one parent, so many parts at once, partial failure, resume of the missing, one table."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import gen_json
from released import released

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError, ParameterError, ResumeRefused
from gen_toolkit.jobs.ledger import Filter, Ledger, RunRow
from gen_toolkit.jobs.reconcile import reconcile
from gen_toolkit.releases import fan_out_run
from gen_toolkit.releases.collected import collect
from gen_toolkit.releases.fan_out import fan_out, resume_fan_out
from gen_toolkit.releases.fan_out_run import Spread
from gen_toolkit.releases.parts import grid

HERE = Path(__file__).parent


def quiet(_ended: int, _of: int, _line: str) -> None:
    pass


@pytest.fixture
def seen(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A pipeline whose parts are executed without a kernel; the folder in which they leave traces."""
    released(workspace, mlflow=True)
    folder = workspace / "seen"
    folder.mkdir()
    paths = [str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("SEEN", str(folder))
    monkeypatch.setattr(fan_out_run, "WORKER", "part_worker")
    yield folder
    for hold in folder.glob("hold-*"):
        hold.unlink()


def run(values: str, **more: Any) -> Spread:
    return fan_out("label", {"day": "monday"}, grid([f"limit={values}"]), progress=quiet, **more)


def parts(parent: str) -> list[RunRow]:
    return list(reversed(Ledger(open_database()).list(Filter(parent=parent))))


def eventually(look: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not look():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_every_part_runs_once_with_its_parameters_and_the_table_has_what_they_kept(seen: Path) -> None:
    spread = run("1,2")
    assert (spread.run.state, spread.run.kind, spread.run.parameters) == ("succeeded", "fan-out", {"day": "monday"})
    assert [row[:4] for row in spread.collected.rows] == [
        (1, 1, "succeeded", 2),
        (2, 2, "succeeded", 4),
    ]
    assert [part.parameters for part in parts(spread.run.id)] == [{"limit": n, "day": "monday"} for n in (1, 2)]
    assert spread.run.outcome["parts"] == {"succeeded": 2}
    assert spread.run.outcome["cost_usd"] == "0.02"
    table = Path(spread.run.outcome["table"])
    assert [row["double"] for row in csv.DictReader(table.read_text().splitlines())] == ["2", "4"]
    assert [row["double"] for row in json.loads(table.with_suffix(".json").read_text())] == [2, 4]


def test_some_that_fail_make_the_parent_fail_and_a_resume_runs_only_them(seen: Path) -> None:
    spread = run("1,13")
    assert spread.run.state == "failed"
    assert spread.run.reason is not None
    assert spread.run.reason.message == "1 of 2 parts did not succeed"
    assert spread.collected.to_json()[1]["reason"] == "unlucky"
    (seen / "lucky").touch()
    again = resume_fan_out(Ledger(open_database()).find(spread.run.id), progress=quiet)
    assert (again.run.id, again.run.state, again.run.attempts) == (spread.run.id, "succeeded", 2)
    assert [row[3] for row in again.collected.rows] == [2, 26]
    assert [part.attempts for part in parts(spread.run.id)] == [1, 2]
    with pytest.raises(InputError, match=r"all parts of run .* have succeeded"):
        resume_fan_out(again.run, progress=quiet)


def test_so_many_parts_run_at_once_and_no_more(seen: Path) -> None:
    run("1,2,3", jobs=2)
    assert not (seen / "at-once-3").exists()
    assert sum(1 for _ in seen.glob("*.1")) == 3


@pytest.mark.parametrize(
    ("axes", "given", "says"),
    [
        (["limit=1,x"], {}, "part 2: parameter limit: input should be a valid integer"),
        (["limti=1"], {}, "part 1: there is no parameter 'limti'"),
        (["limit=1"], {"limit": "2"}, "parameter limit is given with -p and by the parts"),
    ],
)
def test_a_part_that_is_refused_is_named_before_anything_starts(
    seen: Path, axes: list[str], given: dict[str, str], says: str
) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        fan_out("label", given, grid(axes), progress=quiet)
    assert caught.value.exit_code == 2
    assert Ledger(open_database()).list() == []


def test_told_to_stop_it_cancels_what_has_not_ended_and_can_be_resumed(seen: Path) -> None:
    (seen / "hold-2").touch()

    def stop_when_second_runs() -> None:
        eventually(lambda: sum(1 for _ in seen.glob("*.1")) == 2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_when_second_runs).start()
    spread = run("1,2,3", jobs=1)
    assert (spread.run.state, spread.signal) == ("cancelled", signal.SIGTERM)
    first, second, third = parts(spread.run.id)
    assert (first.state, third.state) == ("succeeded", "cancelled")
    (seen / "hold-2").unlink()
    eventually(lambda: [reconcile(), not Ledger(open_database()).find(second.id).is_open][1])
    again = resume_fan_out(spread.run, progress=quiet)
    assert again.run.state == "succeeded"
    assert [part.state for part in parts(spread.run.id)] == ["succeeded"] * 3


@pytest.mark.chaos
def test_when_the_parent_is_killed_its_parts_finish_and_a_resume_adds_the_missing(seen: Path, workspace: Path) -> None:
    (seen / "hold-1").touch()
    code = (
        "from gen_toolkit.releases import fan_out_run; fan_out_run.WORKER = 'part_worker'\n"
        "from gen_toolkit.releases.fan_out import fan_out; from gen_toolkit.releases.parts import grid\n"
        "fan_out('label', {}, grid(['limit=1,2,3']), jobs=1, progress=lambda *_: None)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=workspace) as process:
        eventually(lambda: any(seen.glob("*.1")))
        parent = next(row for row in Ledger(open_database()).list() if row.kind == "fan-out")
        with pytest.raises(ResumeRefused, match="is under way"):
            resume_fan_out(parent, progress=quiet)
        process.kill()
    reconcile()
    (seen / "hold-1").unlink()
    parent = Ledger(open_database()).find(parent.id)
    assert parent.state == "lost"
    again = resume_fan_out(parent, progress=quiet)
    assert again.run.state == "succeeded"
    assert [part.attempts for part in parts(parent.id)] == [1, 1, 1]
    assert sum(1 for _ in seen.glob("*.1")) == 3


def test_workers_that_cannot_start_end_it_with_a_reason(seen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out_run, "WORKER", "no_such_module")
    spread = run("1,2")
    assert spread.run.state == "failed"
    assert spread.run.reason is not None
    assert "workers ended before they had begun: see " in spread.run.reason.message
    assert {part.state for part in parts(spread.run.id)} == {"cancelled"}


def test_in_the_table_no_text_is_a_formula_and_no_kept_name_hides_a_column() -> None:
    row = RunRow("a", "job", "n", "n", {"q": "=1+1"}, "succeeded", 0.0, outcome={"kept": {"state": "-x", "n": -1}})
    other = RunRow("b", "job", "n", "n", {"q": "b"}, "failed", 0.0, outcome={"kept": {"l": ["\0", 1]}})
    table = collect([other, row])
    assert table.columns == (
        "part", "q", "state", "kept.state", "n", "l", "seconds", "cost_usd", "run", "reason",
    )  # fmt: skip
    assert table.to_csv().splitlines()[1] == "1,'=1+1,succeeded,'-x,-1,,0.0,,a,"
    assert table.cost is None


@pytest.mark.kernel
@pytest.mark.timeout(240)
def test_the_command_runs_parts_in_kernels_and_exits_as_the_whole_ended(workspace: Path) -> None:
    released(workspace, mlflow=True)
    (workspace / "parts.csv").write_text("limit\n2\n13\n")
    told = gen_json("run", "label", "--partitions", "parts.csv", cwd=workspace)
    assert told["state"] == "failed"
    assert [(part["limit"], part["state"], part["double"]) for part in told["parts"]] == [
        (2, "succeeded", 4),
        (13, "failed", 26),
    ]
    assert told["parts"][1]["reason"] == "unlucky"
