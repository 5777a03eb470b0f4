"""A job that is tried again, by hand or by itself: what was paid for is reused, what differs is named."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import command, environment_of_nobody, furnish, gen, gen_json, written
from released import promoted

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import ReleaseError, ResumeRefused
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.rows import NewRun
from gen_toolkit.process import marked
from gen_toolkit.releases.again import job_of, resume_run, run_claimed
from gen_toolkit.releases.start import release_job, run_release, try_notebook
from gen_toolkit.surface import RUN_MARK

pytestmark = pytest.mark.kernel

WORK = [
    "import json, os, random, time\nfrom datetime import datetime\nfrom pathlib import Path\nimport gen_toolkit as gt",
    "attempt = int(os.environ['GEN_TOOLKIT_ATTEMPT'])\n"
    "texts = [f'film {n} is {word}' for n, word in enumerate(['good', 'bad', 'so'])]\n"
    "said = [gt.chat(text).value for text in texts]",
    "_ = gt.chat(f'it is {datetime.now().isoformat()} and the film is good')\n"
    "_ = gt.chat(f'{gt.due().isoformat()} {gt.seed()} {set(texts)} good')",
    "gt.once('mail', lambda: Path('mails').open('a').write('sent\\n'))",
    "if attempt <= failures:\n    raise ConnectionError('no answer')",
    "_ = gt.chat('a new one, good')\ngt.keep('attempt', attempt)",
]
PARAMETERS = "failures: int = 1"


@pytest.fixture
def labels(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline whose first attempt fails after five calls."""
    monkeypatch.setattr("gen_toolkit.tracking.listener.wake_writer", lambda _: None)  # MLflow is not asked
    monkeypatch.setattr("gen_toolkit.jobs.execute.await_mlflow_run", lambda _: None)
    furnish(workspace, warm=True)
    promoted(written(workspace / "notebooks/labels.ipynb", *WORK, parameters=PARAMETERS), "labels")
    return workspace


def retrying(root: Path, **table: Any) -> None:
    file = root / "pipelines/labels/pipeline.toml"
    file.write_text(file.read_text() + "[retries]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items()))


def test_a_failed_run_is_resumed_and_pays_only_for_what_is_new(labels: Path) -> None:
    first = run_release("labels", {}).run
    assert (first.state, first.attempts, first.outcome["calls"]) == ("failed", 1, 5)
    assert first.reason is not None
    assert first.reason.error == "ConnectionError"
    done = gen("resume", first.id[:13], cwd=labels)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reused 4, new 2, of these 1 in place of requests of an attempt before" in done.stdout
    assert "the time: use gt.due() in place of now()" in done.stdout
    second = Ledger(open_database()).find(first.id)
    assert (second.state, second.attempts) == ("succeeded", 2)
    assert second.outcome["kept"] == {"attempt": 2}
    assert (second.outcome["calls"], second.outcome["reused"]) == (7, 4)
    (difference,) = second.outcome["last_attempt"]["differences"]
    assert "the film" in difference["was"] + difference["is"] or "it is 20" in difference["was"]
    assert (labels / "mails").read_text() == "sent\n"
    attempts = Ledger(open_database()).attempts(first.id)
    assert [attempt.state for attempt in attempts] == ["failed", "succeeded"]
    for attempt in attempts:
        assert attempt.folder is not None
        said = json.loads((attempt.folder / "notebook.ipynb").read_text())["metadata"]["gen_toolkit"]
        assert (said["run"], said["attempt"], said["state"]) == (first.id, attempt.id, attempt.state)
    refused = gen("resume", first.id, cwd=labels)
    assert (refused.returncode, "succeeded: there is nothing left to do" in refused.stderr) == (2, True)
    shown = gen("runs", "show", first.id, cwd=labels).stdout
    assert all(attempt.id[:13] in shown for attempt in attempts)
    history = gen_json("runs", "show", first.id, cwd=labels)["history"]
    assert [one["state"] for one in history] == ["failed", "succeeded"]


def test_a_run_is_tried_again_by_itself_where_its_pipeline_says_so(labels: Path) -> None:
    retrying(labels, attempts=3, wait_s=0.1)
    run = run_release("labels", {"failures": "1"}).run
    assert (run.state, run.attempts, run.outcome["kept"]) == ("succeeded", 2, {"attempt": 2})
    assert run.retries is not None
    assert run.retries["attempts"] == 3


def test_ctrl_c_while_it_waits_for_its_next_attempt_cancels_the_run(labels: Path) -> None:
    retrying(labels, attempts=2, wait_s=300)
    process = subprocess.Popen(
        command("run", "labels"), cwd=labels, env=environment_of_nobody(), stdout=-1, stderr=-1, text=True
    )
    assert process.stderr is not None
    said = ""
    while "trying again in " not in said:
        said = process.stderr.readline()
        assert said, "it ended"
    ledger = Ledger(open_database())
    (row,) = ledger.list()
    assert row.state == "queued"
    assert row.reason is not None
    assert row.reason.error == "ConnectionError"
    with pytest.raises(ResumeRefused, match="about to be tried again"):
        ledger.resume(row.id, worker="another")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    assert ("labels · release 1  cancelled" in told, process.returncode) == (True, 130)
    assert ledger.claim("another", 1) == []


def test_a_run_of_the_queue_is_executed_by_who_claimed_it_and_waits_again_when_it_fails(labels: Path) -> None:
    retrying(labels, attempts=2, wait_s=0)
    ledger = Ledger(open_database())
    assert ledger.submit(release_job("labels", {"failures": 1}).asked_for(due=1_700_000_000.0, queued=True))
    states = []
    for _ in range(2):
        (lease,) = ledger.claim("a server", 1)
        states.append(run_claimed(lease).run.state)
    assert states == ["queued", "succeeded"]
    assert ledger.claim("a server", 1) == []


def test_a_claim_whose_release_was_changed_since_fails_with_the_reason(labels: Path) -> None:
    ledger = Ledger(open_database())
    ledger.submit(release_job("labels", {}).asked_for(queued=True))
    (lease,) = ledger.claim("a server", 1)
    with (labels / "pipelines/labels/releases/1/notebook.ipynb").open("a") as file:
        file.write(" ")
    manifest = labels / "pipelines/labels/releases/1/manifest.json"
    manifest.write_text(manifest.read_text().replace('"digest": "', '"digest": "0'))
    row = run_claimed(lease).run
    assert (row.state, row.reason is not None and row.reason.error) == ("failed", "ReleaseError")


def test_a_try_is_resumed_as_it_was_tried_whatever_the_notebook_is_by_now(labels: Path) -> None:
    path = labels / "notebooks/labels.ipynb"
    tried = try_notebook(path, {}).run
    assert tried.state == "failed"
    path.unlink()
    run = resume_run(tried.id).run
    assert (run.state, run.kind, run.attempts) == ("succeeded", "try", 2)
    assert run.outcome["last_attempt"]["reused"] == 4


def test_a_run_that_was_given_the_text_of_a_secret_cannot_be_resumed_and_says_why(labels: Path) -> None:
    ledger = Ledger(open_database())
    run = NewRun("labels", "job", "x.ipynb", {"key": "[secret]"}, release=1)
    ledger.submit(run)
    with pytest.raises(ReleaseError, match="was given the text of a secret, which is not on record"):
        job_of(ledger.find(run.id))


SLEEPY = [
    "import time\nfrom pathlib import Path\nimport gen_toolkit as gt",
    "Path('asleep').touch()\ntime.sleep(300)",
    "gt.keep('awake', True)",
]


def sleeping(root: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 90
    while not (root / "asleep").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)


SHORT_LEASE = """
import sys
from pathlib import Path
from gen_toolkit.jobs.ledger import Ledger
begin = Ledger.begin
Ledger.begin = lambda self, run, **how: begin(self, run, **{**how, "ttl": float(sys.argv[2])})
from gen_toolkit.releases.start import try_notebook
print(try_notebook(Path(sys.argv[1]), {}).run.state)
"""


Asleep = Callable[[float], subprocess.Popen[bytes]]


@pytest.fixture
def asleep(workspace: Path) -> Iterator[Asleep]:
    """Starts a supervisor whose lease is as long as asked for (seconds); its cell sleeps."""
    path = written(furnish(workspace) / "notebooks/sleepy.ipynb", *SLEEPY)
    made: list[subprocess.Popen[bytes]] = []

    def start(ttl: float) -> subprocess.Popen[bytes]:
        program = [sys.executable, "-c", SHORT_LEASE, str(path), str(ttl)]
        made.append(subprocess.Popen(program, cwd=workspace, env=environment_of_nobody(), stdout=-1))
        sleeping(workspace, made[0])
        return made[0]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def test_gen_cancel_ends_a_run_in_another_terminal(workspace: Path, asleep: Asleep) -> None:
    process = asleep(20.0)
    (row,) = Ledger(open_database()).list()
    done = gen("cancel", row.id[:13], cwd=workspace)
    assert (done.returncode, done.stdout) == (0, f"run {row.id[:13]} is cancelled\n")
    told, _ = process.communicate(timeout=60)
    assert told.decode().strip() == "cancelled"
    again = gen("cancel", row.id, cwd=workspace)
    assert again.stdout == f"run {row.id[:13]} had ended already: cancelled\n"


@pytest.mark.long
def test_a_supervisor_that_was_stopped_past_its_lease_finds_its_run_ended_and_writes_nothing(asleep: Asleep) -> None:
    process = asleep(6.0)
    ledger = Ledger(open_database())
    process.send_signal(signal.SIGSTOP)
    (row,) = ledger.list()
    until = time.monotonic() + 60
    while marked(RUN_MARK, row.attempt or ""):  # the reaper ends them when the lease can no longer be proven
        assert time.monotonic() < until
        time.sleep(0.1)
    lease = row.lease
    assert lease is not None
    assert ledger.finish(lease, "lost")
    second = ledger.resume(row.id, worker="another")
    process.send_signal(signal.SIGCONT)
    told, _ = process.communicate(timeout=60)
    assert told.decode().strip() == "running"  # by another: that is what the ledger says
    assert [attempt.state for attempt in ledger.attempts(row.id)] == ["lost", "running"]
    assert ledger.finish(second, "succeeded")
