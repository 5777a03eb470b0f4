"""What is done in the world is done once a run: by its record, and where the record ends, by whoever is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit import scope, text
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import effects
from gen_toolkit.errors import EffectUnknown, InputError, KeepError, ReplayMiss, RunFailed
from gen_toolkit.jobs.ledger import Again, Ledger
from gen_toolkit.jobs.once import effects_of, take_as_done
from gen_toolkit.jobs.rows import NewRun

pytestmark = pytest.mark.usefixtures("either_database")


@pytest.fixture
def sent() -> list[str]:
    return []


def begun_by(process: str) -> None:
    """The record ends there: as if that process had died before it could tell the result."""
    with open_database().write() as connection:
        connection.execute(effects.update().values(state="begun", result=None, process=process))


def test_it_is_done_once_and_the_result_comes_from_the_record(sent: list[str]) -> None:
    def mail(to: str, *, subject: str) -> dict[str, Any]:
        sent.append(f"{to}: {subject}")
        return {"number": len(sent), "parts": (1, 2)}

    first = gt.once("mail to Ada", mail, "ada@example.org", subject="done")
    assert first == gt.once("mail to Ada", mail, "ada@example.org", subject="done") == {"number": 1, "parts": [1, 2]}
    assert gt.once("mail to Bob", mail, "bob@example.org", subject="done")["number"] == 2
    assert sent == ["ada@example.org: done", "bob@example.org: done"]


def test_each_run_does_it_for_itself_and_all_attempts_of_one_together(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for root, attempt in (("r1", "a1"), ("r1", "a2"), ("r2", "b1")):
        monkeypatch.setenv(scope.ROOT_MARK, root)
        monkeypatch.setenv(scope.RUN_MARK, attempt)
        gt.once("mail", sent.append, attempt)
    assert sent == ["a1", "b1"]


def test_in_a_run_that_is_taken_up_again_it_is_done_once(sent: list[str]) -> None:
    def work() -> None:
        with gt.run("report", resume=True):
            gt.once("mail", sent.append, "x")
            raise RuntimeError("it broke after that")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            work()
    assert sent == ["x"]


def test_what_raised_may_have_been_done_and_says_so_unless_it_is_to_be_tried_again(sent: list[str]) -> None:
    def mail() -> str:
        sent.append("sent")
        if len(sent) == 1:
            raise ConnectionError("no answer came")
        return "delivered"

    with pytest.raises(ConnectionError):
        gt.once("mail to Ada", mail)
    with pytest.raises(EffectUnknown, match="'mail to Ada' was begun and its result was never recorded") as caught:
        gt.once("mail to Ada", mail)
    assert caught.value.key == "mail to Ada"
    assert caught.value.begun_at > 0
    assert len(sent) == 1
    assert gt.once("mail to Ada", mail, on_unknown="retry") == "delivered"
    assert gt.once("mail to Ada", mail) == "delivered"
    assert len(sent) == 2


DIES = """
import os, gen_toolkit as gt
gt.once("payment", lambda: os._exit(9))
"""


def test_a_process_that_dies_over_it_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch, sent: list[str]) -> None:
    monkeypatch.setenv(scope.ROOT_MARK, "root")
    assert subprocess.run([sys.executable, "-c", DIES], timeout=60, check=False).returncode == 9
    with pytest.raises(EffectUnknown, match="payment"):
        gt.once("payment", sent.append, "x")
    assert gt.once("payment", sent.append, "x", on_unknown="retry") is None
    assert sent == ["x"]


def test_a_function_that_takes_an_idempotency_key_gets_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def pay(amount: int, *, idempotency_key: str) -> None:
        seen.append(idempotency_key)
        if len(seen) == 1:
            raise TimeoutError

    monkeypatch.setenv(scope.ROOT_MARK, "root")
    with pytest.raises(TimeoutError):
        gt.once("payment", pay, 7)
    gt.once("payment", pay, 7, on_unknown="retry")
    gt.once("another", pay, 7)
    assert seen[0] == seen[1] != seen[2]
    assert len(seen[0]) == 32


def test_what_another_process_is_doing_is_never_done_beside_it(sent: list[str]) -> None:
    gt.once("mail", sent.append, "first")
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        from gen_toolkit.process import _name

        begun_by(_name(sleeper.pid))
        for on_unknown in ("raise", "retry"):
            with pytest.raises(EffectUnknown, match="is being done by another process"):
                gt.once("mail", sent.append, "second", on_unknown=on_unknown)  # type: ignore[arg-type]
    finally:
        sleeper.kill()
        sleeper.wait()
    gt.once("mail", sent.append, "second", on_unknown="retry")
    assert sent == ["first", "second"]


def test_what_another_thread_is_doing_is_never_done_beside_it(sent: list[str]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        sent.append("first")
        begun.set()
        assert go_on.wait(30)

    first = threading.Thread(target=gt.once, args=("mail", slow))
    first.start()
    assert begun.wait(30)
    for on_unknown in ("raise", "retry"):
        with pytest.raises(EffectUnknown, match="is being done by another process or thread"):
            gt.once("mail", sent.append, "second", on_unknown=on_unknown)  # type: ignore[arg-type]
    go_on.set()
    first.join()
    assert gt.once("mail", sent.append, "second", on_unknown="retry") is None
    assert sent == ["first"]


def test_an_attempt_whose_run_was_given_to_another_does_nothing_any_more(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(open_database())
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}))
    assert lease is not None
    monkeypatch.setenv(scope.ROOT_MARK, lease.run)
    monkeypatch.setenv(scope.RUN_MARK, lease.attempt)
    gt.once("first", sent.append, "1")
    ledger.finish(lease, "lost", again=Again(0.0))
    for state in ("queued", "running"):
        with pytest.raises(RunFailed, match=f"the ledger says that it is {state}"):
            gt.once("second", sent.append, "2")
        ledger.claim("another", 1)
    assert sent == ["1"]


def test_a_result_that_is_no_plain_data_is_said_and_it_is_done_all_the_same() -> None:
    with pytest.raises(KeepError, match="'mail' is done, and its result"):
        gt.once("mail", object)
    assert gt.once("mail", object) is None


def test_a_secret_in_a_result_is_not_recorded() -> None:
    text.remember_secret("hunter2-hunter2")
    gt.once("mail", lambda: "hunter2-hunter2")
    assert gt.once("mail", str) == "[secret]"


async def _coroutine() -> None: ...


@pytest.mark.parametrize(
    ("key", "fn", "on_unknown"),
    [("", print, "raise"), ("two\nlines", print, "raise"), (7, print, "raise"), ("x" * 201, print, "raise"),
     ("mail", "print", "raise"), ("mail", _coroutine, "raise"), ("mail", print, "ignore")],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_before_anything_is_done(key: Any, fn: Any, on_unknown: Any) -> None:
    with pytest.raises(InputError):
        gt.once(key, fn, on_unknown=on_unknown)


def test_hostile_keys_are_only_keys(workspace: Path, sent: list[str]) -> None:
    for key in ("'; DROP TABLE effects; --", "%s{}", "…é\U0001f600", os.sep * 3):
        gt.once(key, sent.append, key)
        gt.once(key, sent.append, key)
    assert len(sent) == 4


def test_in_a_replay_nothing_is_done_and_what_was_done_gives_what_it_gave(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(scope.ROOT_MARK, "r1")
    gt.once("mail", lambda to: sent.append(to) or {"number": 7}, "Ada")
    done = effects_of(open_database(), "r1")
    assert done == {"mail": {"number": 7}}
    monkeypatch.setenv("GEN_TOOLKIT_CALLS", "replay")
    monkeypatch.setenv(scope.ROOT_MARK, "r2")
    take_as_done(open_database(), "r2", done)
    assert gt.once("mail", sent.append, "Ada") == {"number": 7}
    for retry in ("raise", "retry"):
        with pytest.raises(ReplayMiss, match="'another mail' is not on record as done"):
            gt.once("another mail", sent.append, "Bob", on_unknown=retry)  # type: ignore[arg-type]
    assert sent == ["Ada"]
    monkeypatch.delenv("GEN_TOOLKIT_CALLS")
    gt.once("another mail", sent.append, "Bob")  # the refusal left no trace
