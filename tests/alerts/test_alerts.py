"""Alerts: told once per run and event, tried again until delivered or given up, never in a job's way."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from command_lines import running
from receiver import Receiver, receiver

from gen_toolkit import events, text
from gen_toolkit.alerts import deliver, listener, outbox, send
from gen_toolkit.alerts.deliver import deliver_due
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import alerts
from gen_toolkit.events import JobEnded, JobsMissed
from gen_toolkit.settings import load_settings

__all__ = ["receiver"]

Declare = Callable[[str], None]


@pytest.fixture
def declare(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Write the settings; senders are not started, so that a test delivers when it wants to."""
    started: list[Path] = []
    monkeypatch.setattr(send, "start_sender", started.append)

    def write(settings: str) -> None:
        (workspace / "gen_toolkit.toml").write_text(settings, encoding="utf-8")

    return write


def ended(state: str, run: str = "0193-run-1", **more: Any) -> JobEnded:
    return JobEnded(run=run, name="label", state=state, **more)


def delivered() -> list[str]:
    """One round of deliveries; what the log says."""
    said: list[str] = []
    settings = load_settings()
    deliver_due(settings, open_database(settings), said.append)
    return said


def make_due() -> None:
    with open_database().write() as connection:
        connection.execute(alerts.update().values(next_at=0))


def test_a_failure_is_posted_as_json_with_a_line_that_chats_show(receiver: Receiver, declare: Declare) -> None:
    declare(f'[alerts.team]\nwebhook = "{receiver.url}"\n')
    listener.listen(ended("failed", error="ValueError", message="no rows", cell=3, release=2, cost_usd="0.10"))
    assert delivered() == ["delivered failure of label (run 0193-run-1) to team"]
    assert receiver.got[0] | {"time": 0} == {
        "text": "label: failed: ValueError: no rows",
        "occasion": "failure",
        "workspace": "work",
        "pipeline": "label",
        "name": "label",
        "run": "0193-run-1",
        "state": "failed",
        "error": "ValueError",
        "message": "no rows",
        "cell": 3,
        "release": 2,
        "due": None,
        "seconds": 0.0,
        "cost_usd": "0.10",
        "time": 0,
    }
    assert receiver.headers[0]["Idempotency-Key"] == "0193-run-1:failure"


def test_the_same_run_and_event_is_told_once(receiver: Receiver, declare: Declare) -> None:
    declare(f'[alerts.team]\nwebhook = "{receiver.url}"\n')
    for _ in range(3):
        listener.listen(ended("killed", message="the kernel was killed by SIGKILL"))
    delivered()
    listener.listen(ended("killed"))
    assert delivered() == []
    assert len(receiver.got) == 1


@pytest.mark.parametrize(("answer", "says"), [(500, "answered 500"), (302, "answered 302"), (404, "answered 404")])
def test_what_is_no_success_is_tried_again(answer: int, says: str, receiver: Receiver, declare: Declare) -> None:
    declare(f'[alerts.team]\nwebhook = "{receiver.url}"\n')
    receiver.answers = [answer]
    listener.listen(ended("failed"))
    [said] = delivered()
    assert said.startswith("not yet delivered, again in 2 s: failure of label")
    assert says in said
    assert delivered() == []  # not before its time
    make_due()
    assert delivered() == ["delivered failure of label (run 0193-run-1) to team"]
    assert [got["occasion"] for got in receiver.got] == ["failure", "failure"]


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_server_that_does_not_answer_holds_up_no_other_channel(
    answer: str, receiver: Receiver, declare: Declare, tmp_path: Path
) -> None:
    out = tmp_path / "got.json"
    declare(
        f'[alerts.team]\nwebhook = "{receiver.url}"\ntimeout_s = 0.5\n'
        f"[alerts.local]\ncommand = {json.dumps(saving(out))}\n"
    )
    receiver.answers = [answer]
    listener.listen(ended("timed out"))
    began = time.monotonic()
    said = sorted(delivered())
    assert time.monotonic() - began < 20
    assert said[0] == "delivered failure of label (run 0193-run-1) to local"
    assert said[1].startswith("not yet delivered")
    assert json.loads(out.read_text())["state"] == "timed out"


def test_nobody_at_the_address_is_given_up_after_the_last_try_and_the_log_says_so(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "PAUSES_S", (1.0,))
    declare('[alerts.team]\nwebhook = "http://127.0.0.1:9/"\n')
    listener.listen(ended("lost"))
    assert "Connection refused" in delivered()[0]
    make_due()
    [said] = delivered()
    assert said.startswith("gave up: failure of label (run 0193-run-1) to team: ")
    make_due()
    assert delivered() == []


def saving(path: Path) -> list[str]:
    return [sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())", str(path)]


@pytest.mark.parametrize(
    ("command", "timeout_s", "says"),
    [
        (["/no/such/program"], 30, "/no/such/program cannot be started: No such file or directory"),
        ([sys.executable, "-c", "raise SystemExit('no route')"], 30, "ended with 1: no route"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], 1, "was not done after 1 s"),
    ],
)
def test_a_command_that_fails_is_tried_again(command: list[str], timeout_s: int, says: str, declare: Declare) -> None:
    declare(f"[alerts.local]\ncommand = {json.dumps(command)}\ntimeout_s = {timeout_s}\n")
    listener.listen(ended("failed"))
    [said] = delivered()
    assert says in said
    assert said.startswith("not yet delivered")


def test_a_command_gets_no_shell(declare: Declare, tmp_path: Path) -> None:
    out = tmp_path / "got $(touch hacked).json"
    declare(f"[alerts.local]\ncommand = {json.dumps(saving(out))}\n")
    listener.listen(ended("failed", message="`touch hacked`"))
    delivered()
    assert json.loads(out.read_text())["message"] == "`touch hacked`"
    assert not Path("hacked").exists()


def test_secrets_are_read_when_an_alert_is_sent_and_are_nowhere_else(
    receiver: Receiver, declare: Declare, monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    canary = "canary-0123456789"
    monkeypatch.setenv("HOOK", f"{receiver.url}?key={canary}")
    monkeypatch.setenv("TOKEN", canary)
    declare('[alerts.team]\nwebhook = "env:HOOK"\nheaders = { Authorization = "Bearer env:TOKEN" }\n')
    text.remember_secret(canary)
    receiver.answers = [500]
    listener.listen(ended("failed", message=f"refused {canary}"))
    said = "".join(delivered())
    make_due()
    said += "".join(delivered())
    assert receiver.headers[0]["Authorization"] == f"Bearer {canary}"
    assert receiver.got[0]["message"] == "refused [secret]"
    assert canary not in said + "".join(
        path.read_bytes().decode("latin-1") for path in workspace.rglob("*") if path.is_file()
    )


def test_a_missing_secret_is_tried_again_and_named(declare: Declare) -> None:
    declare('[alerts.team]\nwebhook = "env:NO_SUCH_HOOK"\n')
    listener.listen(ended("failed"))
    assert "the environment variable NO_SUCH_HOOK is not set" in delivered()[0]


def test_a_pipeline_changes_a_channel_for_itself_and_adds_its_own(
    receiver: Receiver, declare: Declare, workspace: Path
) -> None:
    declare(f'[alerts.team]\nwebhook = "{receiver.url}"\n')
    folder = workspace / "pipelines/label"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(
        f'[alerts.team]\non = ["recovery"]\n[alerts.owner]\nwebhook = "{receiver.url}"\n'
    )
    listener.listen(ended("failed"))
    assert delivered() == ["delivered failure of label (run 0193-run-1) to owner"]


def test_missed_instants_are_one_alert(receiver: Receiver, declare: Declare) -> None:
    declare(f'[alerts.team]\nwebhook = "{receiver.url}"\n')
    listener.listen(JobsMissed(run="0193-run-9", name="label", first=1764000000, last=1764003600, count=61))
    delivered()
    assert receiver.got[0]["text"] == (
        "label: missed 61 that were due from 2025-11-24 16:00:00 UTC to 2025-11-24 17:00:00 UTC"
    )


def test_broken_settings_are_a_line_and_no_broken_job(
    declare: Declare, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declare("")
    folder = workspace / "pipelines/label"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text("[alerts.team]\nwebhok = 1\n")
    listener.listen(ended("failed"))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "alerts.team.webhok is not known. Did you mean 'webhook'?" in said


def test_an_emitted_event_reaches_the_outbox_and_leaves_mlflow_alone(receiver: Receiver, declare: Declare) -> None:
    declare(f'[alerts.team]\nwebhook = "{receiver.url}"\n')
    events.emit(ended("failed"))
    assert outbox.wait_s(open_database(), load_settings().workspace.root) == 0.0
    assert not Path("mlruns/mlflow.db").exists()


def test_a_sender_ends_when_its_workspace_is_gone_and_makes_nothing_there(
    declare: Declare, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare('[alerts.team]\nwebhook = "http://127.0.0.1:9"\n')
    monkeypatch.setattr(send, "_LOOKS_EVERY_S", 0.05)
    listener.listen(ended("failed"))
    sender = threading.Thread(target=send.send)
    sender.start()
    until = time.monotonic() + 30
    while not (workspace / "mlruns/alerts.log").exists() and time.monotonic() < until:
        time.sleep(0.02)
    (workspace / "mlruns").rename(workspace / "elsewhere")
    sender.join(30)
    assert not sender.is_alive()
    assert not (workspace / "mlruns").exists()


class While(threading.Event):
    """What happens while a sender waits, one thing each time; then it is told to stop."""

    def __init__(self, steps: list[Callable[[], None]]) -> None:
        super().__init__()
        self._steps = steps

    def wait(self, timeout: float | None = None) -> bool:
        (self._steps.pop(0) if self._steps else self.set)()
        return self.is_set()


def test_who_serves_goes_on_delivering_when_the_settings_could_not_be_read_for_a_while(
    receiver: Receiver, declare: Declare
) -> None:
    declared = f'[alerts.team]\nwebhook = "{receiver.url}"\n'

    def corrected() -> None:
        declare(declared)
        listener.listen(ended("failed"))

    stop = While([partial(declare, "[alerts.team"), corrected])
    declare(declared)
    send.send(stop)
    assert [got["occasion"] for got in receiver.got] == ["failure"]


def test_a_process_of_its_own_delivers_when_the_job_is_gone(receiver: Receiver, workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text(f'[alerts.team]\nwebhook = "{receiver.url}"\n', encoding="utf-8")
    receiver.answers = [500]
    listener.listen(ended("failed"))
    log = workspace / "mlruns/alerts.log"
    until = time.monotonic() + 60
    while not (log.exists() and " delivered failure of label" in log.read_text()):
        assert time.monotonic() < until, log.read_text() if log.exists() else "no log"
        time.sleep(0.1)
    assert "not yet delivered, again in 2 s" in log.read_text()
    assert len(receiver.got) == 2
    assert log.stat().st_mode & 0o777 == 0o600


def test_of_all_that_were_started_one_process_waits_for_the_next_try(receiver: Receiver, workspace: Path) -> None:
    """A webhook that is down for an evening must not cost a process for each job that failed in it."""
    (workspace / "gen_toolkit.toml").write_text(
        f'[alerts.gone]\nwebhook = "http://127.0.0.1:9/"\n[alerts.team]\nwebhook = "{receiver.url}"\n', encoding="utf-8"
    )
    for number in range(3):
        listener.listen(ended("failed", run=f"0193-run-{number}"))
    until = time.monotonic() + 60
    while len(receiver.got) < 3 or len(senders(workspace)) != 1:
        assert time.monotonic() < until, (len(receiver.got), senders(workspace))
        time.sleep(0.1)
    shutil.rmtree((workspace / "mlruns").rename(workspace / "away"))  # where no sender makes a file meanwhile
    while senders(workspace):
        assert time.monotonic() < until
        time.sleep(0.1)


def senders(workspace: Path) -> list[int]:
    return [pid for pid in running("gen_toolkit.alerts.send") if Path(f"/proc/{pid}/cwd").resolve() == workspace]
