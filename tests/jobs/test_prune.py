"""What old runs leave can be let go, and nothing else: open runs, evidence, labels and what MLflow has not got stay."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ended_runs import DAY, aged, begun, ended, tell
from hostile import CORPUS

from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import func, select
from gen_toolkit.database.tables import attempts, spool
from gen_toolkit.events import Reviewed, RunEnded, RunStarted, ValueKept
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.old_runs import Old, find_old
from gen_toolkit.jobs.prune import prune
from gen_toolkit.jobs.rows import FAN_OUT
from gen_toolkit.journal.holds import hold
from gen_toolkit.tracking.spool import events_of_kind
from gen_toolkit.workspace import find_workspace


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(open_database())


def old(days: float = 30, **asked: Any) -> Old:
    return find_old(open_database(), find_workspace(), days * DAY, **asked)


def left() -> set[str]:
    return {row.id for row in Ledger(open_database()).list(limit=1000)}


def count(table: Any) -> int:
    with open_database().read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_old_runs_go_with_rows_folders_and_events_and_what_was_said_before_is_what_went(ledger: Ledger) -> None:
    gone, folder = ended()
    recent, recent_folder = ended(days=3)
    found = old()
    assert found.runs == (gone,)
    assert {part.what: (part.count, part.size > 0) for part in found.parts} == {
        "runs": (1, True), "events": (5, True), "folders of runs": (1, True), "folders left behind": (0, False)
    }  # fmt: skip
    assert count(spool) == 10
    assert folder.exists()
    assert list(prune(open_database(), found)) == []
    assert left() == {recent}
    assert ledger.attempts(gone) == []
    assert (folder.exists(), recent_folder.exists()) == (False, True)
    assert count(spool) == 5
    assert old().parts[0].count == 0


@pytest.mark.parametrize(
    "spare",
    [
        lambda run, attempt: {"needed": {run}},
        lambda run, attempt: {"needed": {attempt}},
        lambda run, attempt: hold(open_database(), run, "release") or {},
        lambda run, attempt: tell(ValueKept(run=attempt, name="late", value=1)) or {},
        lambda run, attempt: _untold(attempt) or {},
    ],
    ids=["evidence", "evidence by attempt", "held", "not delivered", "not told"],
)
def test_what_somebody_needs_or_mlflow_has_not_got_stays(
    ledger: Ledger, spare: Callable[[str, str], dict[str, Any]]
) -> None:
    run, folder = ended()
    found = old(**spare(run, ledger.attempts(run)[0].id))
    assert (found.runs, found.folders, found.spared) == ((), (), 1)
    list(prune(open_database(), found))
    assert folder.exists()
    assert left() == {run}


def _untold(attempt: str) -> None:
    with open_database().write() as connection:
        connection.execute(attempts.update().where(attempts.c.id == attempt).values(told=0))


def test_open_runs_and_what_was_taken_up_meanwhile_stay_whole(ledger: Ledger) -> None:
    open_run, _ = begun()
    again, folder = ended(state="failed")
    found = old()
    assert found.runs == (again,)
    events = count(spool)
    ledger.resume(again)
    assert list(prune(open_database(), found)) == []
    assert left() == {open_run.run, again}
    assert folder.exists()
    assert count(spool) == events


def test_the_newest_of_each_pipeline_can_be_kept_and_a_state_chosen() -> None:
    first, _ = ended("a")
    second, _ = ended("a", state="failed")
    other, _ = ended("b")
    assert set(old(keep=1).runs) == {first}
    assert old(keep=2).runs == ()
    assert old(state="failed").runs == (second,)
    ended("a", days=1)
    assert set(old(keep=1).runs) == {first, second}  # the recent one is the newest
    assert set(old().runs) == {first, second, other}


def test_parts_stay_and_go_with_their_run() -> None:
    parent, _ = ended(kind=FAN_OUT, state="failed")
    parts = [ended(parent=parent)[0] for _ in range(2)]
    assert set(old().runs) == {parent, *parts}
    assert set(old(state="failed").runs) == {parent, *parts}
    assert old(state="succeeded").runs == ()
    assert old(needed={parts[0]}).runs == ()
    late, _ = ended(parent=parent, days=1)
    assert old().runs == ()
    aged(late, 40)
    assert set(old().runs) == {parent, *parts, late}


def test_old_sessions_go_but_labels_of_reviewers_never() -> None:
    session, inside, other = (scope.new_id() for _ in range(3))
    label = Reviewed(
        run=inside, review="r", reviewer="me", scale=["a"], row="1", repeat=1, subject="s", label="a"
    )  # fmt: skip
    tell(
        RunStarted(run=session, name="n", run_kind="session"),
        RunStarted(run=inside, name="e", run_kind="evaluation", parent=session),
        label,
        RunEnded(run=inside, state="succeeded"),
        RunEnded(run=session, state="succeeded"),
        RunStarted(run=other, name="n", run_kind="session"),
    )
    at = time.time() - 40 * DAY
    with open_database().write() as connection:
        connection.execute(spool.update().values(delivered_at=at))
    folders = [find_workspace().records / "sessions" / one for one in (session, other, "no-id", scope.new_id())]
    for folder in folders:
        folder.mkdir(parents=True)
        os.utime(folder, (at, at))
    os.utime(folders[-1])
    assert set(old(needed={inside}).events_of) == set()
    found = old(needed={other})
    assert set(found.events_of) == {session, inside}
    list(prune(open_database(), found))
    assert count(spool) == 2  # of the session that goes on
    assert events_of_kind(open_database(), Reviewed) == [label]
    assert [folder.exists() for folder in folders] == [False, True, True, True]


def test_folders_that_no_record_knows_go_and_links_and_other_places_stay(tmp_path: Path) -> None:
    run, folder = ended()
    lone, link, away = (find_workspace().runs / scope.new_id() for _ in range(3))
    lone.mkdir()
    precious = tmp_path / "precious"
    precious.mkdir()
    link.symlink_to(precious)
    at = time.time() - 40 * DAY
    os.utime(lone, (at, at))
    with open_database().write() as connection:
        connection.execute(attempts.update().where(attempts.c.run == run).values(folder=str(precious)))
    found = old()
    assert set(found.folders) == {lone}
    list(prune(open_database(), found))
    assert (lone.exists(), precious.exists(), folder.exists(), away.exists()) == (False, True, True, False)


def test_what_cannot_be_removed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _, folder = ended()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", refuse)
    assert list(prune(open_database(), old())) == [f"{folder}: Permission denied"]


def test_more_than_a_statement_takes_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen_toolkit.tracking.forget._AT_ONCE", 2)
    for _ in range(5):
        ended()
    list(prune(open_database(), old()))
    assert (left(), count(spool)) == (set(), 0)


def test_names_from_notebooks_are_no_paths() -> None:
    for words in CORPUS:
        ended(words)
    list(prune(open_database(), old()))
    assert left() == set()
