"""The ledger: one holder at a time, by the database's clock; how an attempt ended is written once."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest

from gen_toolkit import scope, text
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import runs
from gen_toolkit.errors import NotFound, ResumeRefused
from gen_toolkit.jobs.ledger import Again, Filter, Ledger, Reason
from gen_toolkit.jobs.ledger_looks import page
from gen_toolkit.jobs.rows import FAN_OUT, Ended, Lease, NewRun, short

TERMINAL = get_args(Ended)
NOON = 1_700_000_000.0


@pytest.fixture
def ledger(either_database: str) -> Ledger:
    return Ledger(open_database())


def new(name: str = "label", **facts: object) -> NewRun:
    time.sleep(0.001)  # ids of one millisecond have no order
    return NewRun(name, "job", "notebooks/label.ipynb", {"limit": 3}, **facts)  # type: ignore[arg-type]


def begun(ledger: Ledger, **facts: object) -> Lease:
    lease = ledger.begin(new(**facts))  # type: ignore[arg-type]
    assert lease is not None
    return lease


def moved(lease: Lease, **columns: object) -> None:
    """Change a run behind the ledger's back, as time would."""
    with open_database().write() as connection:
        connection.execute(runs.update().where(runs.c.id == lease.run).values(columns))


def run_out(lease: Lease) -> None:
    moved(lease, lease_until=1.0)


# --- asking for a run, and getting it ---------------------------------------------------------------------------


def test_a_run_waits_until_somebody_claims_it(ledger: Ledger) -> None:
    run = new()
    assert ledger.submit(run)
    row = ledger.find(run.id)
    assert (row.state, row.attempts, row.parameters, row.seconds) == ("queued", 0, {"limit": 3}, 0.0)
    (lease,) = ledger.claim("me", 5)
    assert (lease.run, lease.number, lease.token) == (run.id, 1, 1)
    row = ledger.find(run.id)
    assert (row.state, row.worker, row.attempt, row.started_at is None) == ("running", "me", lease.attempt, False)
    assert ledger.claim("me", 5) == []


def test_an_instant_of_a_name_is_submitted_once_whoever_asks(ledger: Ledger) -> None:
    assert ledger.submit(new(due=NOON))
    assert not ledger.submit(new(due=NOON))
    assert ledger.begin(new(due=NOON)) is None
    assert not ledger.skip(new(due=NOON), Reason("missed"))
    assert ledger.submit(new(due=NOON + 1))
    assert ledger.submit(new(name="other", due=NOON))
    assert ledger.submit(new())
    assert ledger.submit(new())
    assert len(ledger.list()) == 5


def test_of_many_who_submit_the_same_instant_at_once_one_does(ledger: Ledger) -> None:
    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(lambda _: ledger.submit(new(due=NOON)), range(12))) == 1


def test_an_instant_that_was_skipped_is_never_run(ledger: Ledger) -> None:
    assert ledger.skip(new(due=NOON), Reason("the run before is not finished"))
    assert not ledger.submit(new(due=NOON))
    assert ledger.claim("me", 5) == []
    (row,) = ledger.list()
    assert (row.state, row.reason, row.ended_at is None) == (
        "skipped", Reason("the run before is not finished"), False
    )  # fmt: skip
    with pytest.raises(ResumeRefused, match="was skipped"):
        ledger.resume(row.id)


def test_claimers_at_once_share_what_waits_and_nobody_gets_what_another_has(ledger: Ledger) -> None:
    for _ in range(20):
        ledger.submit(new())
    with ThreadPoolExecutor(4) as threads:
        shares = list(threads.map(lambda number: ledger.claim(f"worker {number}", 6), range(4)))
    taken = [lease.run for share in shares for lease in share]
    assert sorted(len(share) for share in shares) == [2, 6, 6, 6]
    assert len(set(taken)) == 20


CLAIMER = """
import sys
from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.ledger import Ledger
ledger, mine = Ledger(open_database()), []
print("ready", flush=True)
sys.stdin.readline()
while leases := ledger.claim(sys.argv[1], 3):
    mine += leases
for lease in mine:
    assert ledger.finish(lease, "succeeded")
print(*(lease.run for lease in mine))
"""


def test_processes_that_claim_at_once_execute_each_run_once(ledger: Ledger) -> None:
    asked = {run.id for run in (new() for _ in range(30)) if ledger.submit(run)}
    processes = [
        subprocess.Popen([sys.executable, "-c", CLAIMER, f"worker {n}"], stdin=-1, stdout=subprocess.PIPE, text=True)
        for n in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    told = [process.communicate("go\n", timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(told[0] + told[1]) == sorted(asked)
    assert {row.state for row in ledger.list(limit=100)} == {"succeeded"}
    assert all(row.attempts == 1 for row in ledger.list(limit=100))


def test_those_first_that_were_asked_for_first_and_no_more_than_there_is_room_for(ledger: Ledger) -> None:
    asked = [run.id for run in (new(name=name) for name in "abc") if ledger.submit(run)]
    assert ledger.claim("me", 0) == []
    assert [lease.run for lease in ledger.claim("me", 2)] == asked[:2]


def test_of_a_name_that_is_kept_apart_one_run_is_under_way_at_a_time(ledger: Ledger) -> None:
    for name in ("a", "a", "b", "b"):
        ledger.submit(new(name=name))
    (first, *others) = ledger.claim("me", 4, apart={"a"})
    assert ledger.find(first.run).name == "a"
    assert [ledger.find(lease.run).name for lease in others] == ["b", "b"]
    assert ledger.claim("me", 4, apart={"a"}) == []
    ledger.finish(first, "failed")
    assert [ledger.find(lease.run).name for lease in ledger.claim("me", 4, apart={"a"})] == ["a"]


def test_the_parts_of_a_run_can_be_claimed_by_themselves(ledger: Ledger) -> None:
    parent = begun(ledger)
    ledger.submit(new(name="other"))
    ledger.submit(new(parent=parent.run))
    (part,) = ledger.claim("me", 5, parent=parent.run)
    assert ledger.find(part.run).parent == parent.run
    assert [row.id for row in ledger.list(Filter(parent=parent.run))] == [part.run]


# --- holding it --------------------------------------------------------------------------------------------------


def test_a_lease_is_renewed_by_the_databases_clock_whatever_this_machines_says(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    lease = begun(ledger)
    first = ledger.find(lease.run).lease_until
    assert first == pytest.approx(ledger.now() + 60, abs=20)
    run_out(lease)
    assert ledger.beat(lease) == "ok"
    assert (ledger.find(lease.run).lease_until or 0) >= first  # type: ignore[operator]


def test_whoever_lost_its_lease_changes_nothing_any_more(ledger: Ledger, tmp_path: Path) -> None:
    old = begun(ledger)
    run_out(old)
    assert ledger.finish(old, "lost", Reason("gone"), again=Again(0.0))
    (newer,) = ledger.claim("another", 1)
    before = ledger.find(old.run)
    assert ledger.beat(old) == "lost"
    assert not ledger.record(old, folder=tmp_path, process="p")
    assert not ledger.finish(old, "succeeded", None, {"kept": {"a": 1}})
    assert ledger.find(old.run) == before
    assert [attempt.state for attempt in ledger.attempts(old.run)] == ["lost", "running"]
    assert ledger.finish(newer, "succeeded")


def test_a_lease_that_was_renewed_since_somebody_looked_is_not_taken_away(ledger: Ledger) -> None:
    lease = begun(ledger)
    run_out(lease)
    seen = ledger.find(lease.run).lease_until
    assert ledger.beat(lease) == "ok"
    assert not ledger.finish(lease, "lost", Reason("gone"), seen=seen)
    assert ledger.find(lease.run).state == "running"
    assert ledger.finish(lease, "lost", Reason("gone"), seen=ledger.find(lease.run).lease_until)


def test_an_attempt_tells_its_folder_and_its_process(ledger: Ledger, tmp_path: Path) -> None:
    lease = begun(ledger)
    assert ledger.record(lease, folder=tmp_path, process="host 1 2")
    (attempt,) = ledger.attempts(lease.run)
    assert (attempt.folder, attempt.process, ledger.find(lease.run).folder) == (tmp_path, "host 1 2", tmp_path)


# --- ending it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", TERMINAL)
def test_how_an_attempt_ended_is_never_overwritten(ledger: Ledger, state: Ended) -> None:
    lease = begun(ledger)
    reason = Reason("first", 3, "ValueError", "…", 9)
    assert ledger.finish(lease, state, reason, {"kept": {"a": 1}}, total={"calls": 7})
    before = ledger.find(lease.run)
    for other in set(TERMINAL) - {state}:
        assert not ledger.finish(lease, other, Reason("second"))
    assert ledger.finish(lease, state, Reason("said again: nobody knew whether it was heard"))
    assert ledger.find(lease.run) == before
    assert (before.state, before.reason, before.outcome) == (state, reason, {"calls": 7})
    (attempt,) = ledger.attempts(lease.run)
    assert (attempt.state, attempt.reason, attempt.outcome) == (state, reason, {"kept": {"a": 1}})


def test_of_two_that_finish_an_attempt_at_once_one_wins(ledger: Ledger) -> None:
    lease = begun(ledger)
    with ThreadPoolExecutor(6) as threads:
        won = list(threads.map(lambda state: ledger.finish(lease, state), TERMINAL))
    assert sum(won) == 1
    assert ledger.find(lease.run).state == TERMINAL[won.index(True)]


def test_a_run_that_is_tried_again_waits_its_time(ledger: Ledger) -> None:
    lease = begun(ledger)
    assert ledger.finish(lease, "failed", Reason("busy"), again=Again(3600.0))
    row = ledger.find(lease.run)
    assert (row.state, row.reason, row.lease_until) == ("queued", Reason("busy"), None)
    assert ledger.claim("me", 1) == []
    moved(lease, not_before=1.0)
    (second,) = ledger.claim("me", 1)
    assert (second.run, second.number, second.token) == (lease.run, 2, 2)
    assert second.attempt != lease.attempt


def test_who_keeps_a_run_for_its_next_attempt_gets_it_and_when_it_is_gone_another_does(ledger: Ledger) -> None:
    lease = begun(ledger, name="mine")
    ledger.finish(lease, "failed", again=Again(0.0, keep=True))
    assert ledger.claim("another", 1) == []
    assert ledger.take(lease.run, worker="another") is None
    with pytest.raises(ResumeRefused, match="about to be tried again"):
        ledger.resume(lease.run, worker="another")
    second = ledger.take(lease.run)
    assert second is not None
    assert second.number == 2
    ledger.finish(second, "failed", again=Again(0.0, keep=True))
    run_out(lease)
    assert [found.number for found in ledger.claim("another", 1)] == [3]


# --- stopping it and taking it up --------------------------------------------------------------------------------


def test_what_waits_is_cancelled_at_once_and_what_runs_is_asked_to_stop(ledger: Ledger) -> None:
    waiting = new(name="waiting")
    ledger.submit(waiting)
    assert ledger.cancel(waiting.id) == "cancelled"
    assert ledger.claim("me", 1) == []
    lease = begun(ledger)
    assert ledger.cancel(lease.run) == "running"
    assert ledger.beat(lease) == "cancel"
    assert ledger.finish(lease, "failed", again=Again(0.0))  # it ended by itself: it is not tried again
    assert ledger.find(lease.run).state == "failed"
    assert ledger.cancel(lease.run) == "failed"
    with pytest.raises(NotFound):
        ledger.cancel("no such run")


def test_the_parts_that_wait_end_with_the_run_they_are_parts_of(ledger: Ledger) -> None:
    parent = ledger.begin(NewRun("label", FAN_OUT, "notebooks/label.ipynb", {}))
    assert parent is not None
    for _ in range(2):
        ledger.submit(new(parent=parent.run))
    (under_way,) = ledger.claim("w", 1, parent=parent.run)
    assert ledger.finish(parent, "lost")
    parts = {row.id: row for row in ledger.list(Filter(parent=parent.run))}
    assert parts.pop(under_way.run).state == "running"  # its worker goes on
    ((_, waited),) = parts.items()
    assert (waited.state, waited.reason) == ("cancelled", Reason("the run that it is a part of ended"))
    assert ledger.resume(waited.id).number == 1


def test_the_parts_of_a_run_are_cancelled_with_it(ledger: Ledger) -> None:
    parent = begun(ledger)
    ledger.submit(new(parent=parent.run))
    assert ledger.cancel(parent.run) == "running"
    assert [row.state for row in ledger.list(Filter(parent=parent.run))] == ["cancelled"]


@pytest.mark.parametrize("state", sorted(set(TERMINAL) - {"succeeded"}))
def test_a_run_that_did_not_succeed_is_resumed_as_its_next_attempt(ledger: Ledger, state: Ended) -> None:
    lease = begun(ledger)
    ledger.finish(lease, state, Reason("it broke"))
    second = ledger.resume(lease.run)
    assert (second.number, second.token, second.run) == (2, 2, lease.run)
    row = ledger.find(lease.run)
    assert (row.state, row.reason, row.ended_at, row.attempts) == ("running", None, None, 2)
    assert [attempt.state for attempt in ledger.attempts(lease.run)] == [state, "running"]


def test_a_run_under_way_or_done_is_not_resumed(ledger: Ledger) -> None:
    lease = begun(ledger)
    with pytest.raises(ResumeRefused, match="is under way") as caught:
        ledger.resume(lease.run)
    assert caught.value.state == "running"
    ledger.finish(lease, "succeeded")
    with pytest.raises(ResumeRefused, match="succeeded: there is nothing left to do"):
        ledger.resume(lease.run)
    with pytest.raises(NotFound):
        ledger.resume("no such run")


def test_of_many_who_resume_at_once_one_does_and_the_others_are_told(ledger: Ledger) -> None:
    lease = begun(ledger)
    ledger.finish(lease, "killed")

    def resumed(_: int) -> bool:
        try:
            return bool(ledger.resume(lease.run))
        except ResumeRefused:
            return False

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(resumed, range(8))) == 1
    assert ledger.find(lease.run).attempts == 2


# --- looking -----------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_any_prefix_of_8_characters_that_names_one_also_of_an_attempt(ledger: Ledger) -> None:
    lease = begun(ledger)
    assert ledger.find(lease.run[:8]).id == lease.run
    assert ledger.find(lease.attempt).id == lease.run


def test_a_prefix_that_names_none_or_several_is_refused(ledger: Ledger) -> None:
    run = new()
    twin = new(id=run.id[:-4] + ("ffff" if run.id[-4:] != "ffff" else "0000"))
    assert ledger.submit(run)
    assert ledger.submit(twin)
    for prefix, says in [
        (run.id[:12], "more than one run"),
        ("ffffffff", "no run begins"),
        ("%%%%%%%%", "no run begins"),
        ("________", "no run begins"),
        (run.id[:7], "8 characters"),
        ("", "8 characters"),
    ]:
        with pytest.raises(NotFound, match=says):
            ledger.find(prefix)
    assert short(run.id, [run.id, twin.id]) not in twin.id
    assert len(short(run.id, [run.id])) == 8


def test_the_list_shows_the_newest_first_by_pages_and_can_be_narrowed(ledger: Ledger) -> None:
    leases = [begun(ledger, name=name) for name in ("a", "b", "A%")]
    ids = [lease.run for lease in leases]
    ledger.finish(leases[0], "failed", Reason("the Disk is full"))
    moved(leases[0], created_at=NOON)

    def listed(limit: int = 20, **which: object) -> list[str]:
        return [row.id for row in ledger.list(Filter(**which), limit=limit)]  # type: ignore[arg-type]

    assert listed() == ids[::-1]
    assert listed(limit=2) == ids[:0:-1]
    assert listed(before=ids[1]) == ids[:1]
    assert listed(state="failed") == listed(text="disk") == listed(name="a") == ids[:1]
    assert listed(since=NOON + 1) == ids[:0:-1]
    assert listed(since=4e9) == listed(name="other") == listed(text="nowhere") == []
    assert listed(text="%") == ids[2:]
    assert listed(text="limit", state="running") == ids[:0:-1]


def test_a_secret_that_was_read_is_never_written(ledger: Ledger) -> None:
    text.remember_secret("hunter2-hunter2")
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {"key": "hunter2-hunter2"}))
    assert lease is not None
    ledger.finish(lease, "failed", Reason("hunter2-hunter2 refused"), {"kept": {"a": "hunter2-hunter2"}})
    row = ledger.find(lease.run)
    assert row.reason == Reason("[secret] refused")
    assert (row.outcome, row.parameters) == ({"kept": {"a": "[secret]"}}, {"key": "[secret]"})


def test_runs_that_ended_long_ago_can_be_forgotten_and_no_others(ledger: Ledger, tmp_path: Path) -> None:
    old, recent, under_way = begun(ledger), begun(ledger), begun(ledger)
    ledger.record(old, folder=tmp_path)
    for lease in (old, recent):
        ledger.finish(lease, "succeeded")
    for lease in (old, under_way):
        moved(lease, ended_at=NOON)
    everything = [lease.run for lease in (old, recent, under_way)]
    assert [row.id for row in ledger.ended(NOON + 1)] == [old.run]
    assert ledger.purge(everything, NOON + 1) == {old.run: [tmp_path]}
    assert [row.id for row in ledger.list()] == [under_way.run, recent.run]
    assert ledger.attempts(old.run) == []


# --- many --------------------------------------------------------------------------------------------------------

MANY = 100_000


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with 100,000 runs."""
    root = tmp_path_factory.mktemp("many")
    (root / "gen_toolkit.toml").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        database = open_database()
        row = {"kind": "job", "notebook": "n.ipynb", "parameters": "{}", "token": 1, "attempts": 1}
        with database.write() as connection:
            connection.execute(
                runs.insert(),
                [
                    {**row, "id": scope.new_id(), "name": f"p{n % 50}", "state": "succeeded" if n % 100 else "failed",
                     "parent": None if n % 2 else "parent", "created_at": NOON + n}
                    for n in range(MANY)
                ],
            )  # fmt: skip
        database.engine.dispose()
    return root


@pytest.mark.parametrize(
    ("which", "index"),
    [
        (Filter(), "sqlite_autoindex_runs_1"),
        (Filter(since=NOON + MANY - 10), "sqlite_autoindex_runs_1"),
        (Filter(name="p7"), "runs_by_name"),
        (Filter(state="failed"), "runs_by_state"),
        (Filter(parent="parent"), "runs_by_parent"),
        (Filter(text="p7"), "runs_by_text"),
    ],
    ids=str,
)
def test_of_100_000_runs_every_page_is_read_from_an_index_and_nothing_is_sorted(
    crowd: Path, monkeypatch: pytest.MonkeyPatch, which: Filter, index: str
) -> None:
    monkeypatch.chdir(crowd)
    ledger, seen, last = Ledger(open_database()), 0, None
    for _ in range(3):
        here = Filter(**{**vars(which), "before": last})
        with open_database().read() as connection:
            query = page(here, 100).compile(connection.engine, compile_kwargs={"literal_binds": True})
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
        assert any(index in step for step in plan), plan
        assert all("INDEX" in step or step == "LIST SUBQUERY 1" for step in plan), plan
        assert not any("TEMP B-TREE" in step for step in plan), plan
        found = ledger.list(here, limit=100)
        seen += len(found)
        last = found[-1].id if found else last
    assert seen == (10 if which.since else 300)
