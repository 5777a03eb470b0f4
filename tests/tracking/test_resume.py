"""gt.run(resume=True): the last unfinished run of a name is taken up, and its answers are not paid for again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gen_toolkit as gt
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError
from gen_toolkit.journal.retention import prune
from gen_toolkit.journal.store import count
from gen_toolkit.journal.totals import totals


class Stopped(Exception):
    pass


def model() -> tuple[gt.ScriptedModel, list[str]]:
    asked: list[str] = []

    def answer(messages: tuple[dict[str, str], ...]) -> str:
        asked.append(messages[-1]["content"])
        return f"answer to {asked[-1]}"

    return gt.ScriptedModel(answer), asked


def work(subject: gt.ScriptedModel, items: int, *, stop_at: int | None = None) -> list[str]:
    answers = []
    with gt.run("count", resume=True):
        for item in range(items):
            if item == stop_at:
                raise Stopped
            answers.append(gt.chat(f"item {item}", model=subject).text)
    return answers


def test_what_was_answered_before_the_stop_is_not_asked_again() -> None:
    subject, asked = model()
    with pytest.raises(Stopped):
        work(subject, 5, stop_at=3)
    assert work(subject, 5) == [f"answer to item {item}" for item in range(5)]
    assert asked == [f"item {item}" for item in range(5)]


def test_a_finished_run_is_not_taken_up() -> None:
    subject, asked = model()
    work(subject, 2)
    work(subject, 2)
    assert len(asked) == 4


def test_equal_requests_are_told_apart_by_their_order_also_when_taken_up() -> None:
    subject, asked = model()
    for stop in (True, False):
        try:
            with gt.run("same", resume=True):
                for _ in range(3):
                    gt.chat("again", model=subject)
                if stop:
                    raise Stopped
                gt.chat("again", model=subject)
        except Stopped:
            assert len(asked) == 3
    assert len(asked) == 4


def test_the_run_says_what_it_goes_on_with_and_each_attempt_has_its_own_totals() -> None:
    subject, _ = model()
    runs = []
    for stop in (True, True, False):
        try:
            with gt.run("chain", resume=True) as run:
                runs.append(run)
                gt.chat("first", model=subject)
                if stop:
                    raise Stopped
        except Stopped:
            pass
    first, second, third = runs
    assert (first.resumes, second.resumes, third.resumes) == (None, first.id, first.id)
    assert "resumes" in repr(third)
    assert [totals(open_database(), run.id).calls for run in runs] == [1, 0, 0]


def test_the_answers_of_an_unfinished_run_are_kept_until_it_is_finished() -> None:
    subject, asked = model()
    with pytest.raises(Stopped):
        work(subject, 3, stop_at=2)
    assert prune(open_database(), older_than=0.0).calls == 0
    work(subject, 3)
    assert len(asked) == 3
    assert prune(open_database(), older_than=0.0).calls == 3


def test_runs_of_other_names_and_runs_without_resume_are_left_alone() -> None:
    subject, asked = model()
    with pytest.raises(Stopped):
        work(subject, 5, stop_at=1)
    with gt.run("other", resume=True):
        gt.chat("item 0", model=subject)
    with gt.run("count"):
        gt.chat("item 0", model=subject)
    assert len(asked) == 3


def test_one_that_another_process_is_at_is_not_taken(workspace: Path) -> None:
    script = "import gen_toolkit as gt\nwith gt.run('count', resume=True):\n    print('in', flush=True)\n    input()\n"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=workspace
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with gt.run("count", resume=True) as mine:
            assert mine.resumes is None
        other.kill()
    with gt.run("count", resume=True) as next_one:
        assert next_one.resumes is not None


def test_in_a_job_the_job_is_what_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_RUN", "0192-job")
    monkeypatch.setenv("GEN_TOOLKIT_ROOT", "0192-root")
    subject, asked = model()
    with pytest.raises(Stopped):
        work(subject, 2, stop_at=1)
    with gt.run("count", resume=True) as run:
        assert run.resumes is None
    assert asked == ["item 0"]


def test_calls_can_be_said_otherwise_and_nonsense_is_refused_before_anything_is_recorded() -> None:
    subject, asked = model()
    with pytest.raises(Stopped):
        work(subject, 2, stop_at=1)
    with pytest.raises(InputError, match="no mode"), gt.run("count", resume=True, calls="sometimes"):  # type: ignore[arg-type]
        pass
    with gt.run("count", resume=True, calls="live"):
        gt.chat("item 0", model=subject)
    assert asked == ["item 0", "item 0"]
    assert count(open_database()) == 2
