"""Retention: old requests and replies go, what was paid stays; a hold keeps them; nobody waits for it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from journal_rows import DAY, asked, failed, insert, row, stored

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import calls, marks
from gen_toolkit.errors import ReplayMiss
from gen_toolkit.journal import retention
from gen_toolkit.journal.holds import held, hold, release
from gen_toolkit.journal.retention import prune, prune_in_background, would_prune

MONTH = 30 * DAY


def bodies() -> list[bool]:
    """Of each call, the oldest first: whether it has a request or a reply."""
    oldest_first = sorted(stored().values(), key=lambda found: found.asked_at)
    return [found.request is not None or found.reply is not None for found in oldest_first]


def test_old_bodies_go_and_hash_usage_cost_and_error_stay(either_database: str) -> None:
    old, broken = insert(row(days=31), failed(days=31))
    insert(row(days=29))
    before = stored()
    pruned = prune(open_database(), MONTH)
    assert (pruned.calls, pruned.held, bodies()) == (2, 0, [False, False, True])
    after = stored()[old]
    assert time.time() - after.pruned_at < 60
    gone = {"request", "reply", "pruned_at"}
    kept = [column.name for column in calls.c if column.name not in gone]
    assert [getattr(after, name) for name in kept] == [getattr(before[old], name) for name in kept]
    error = json.loads(stored()[broken].error)
    assert error == {"code": "model-overloaded", "message": "not now", "fix": "Wait."}


def test_pruning_again_finds_nothing_and_changes_nothing(either_database: str) -> None:
    insert(*(row(days=40) for _ in range(3)))
    assert prune(open_database(), MONTH).calls == 3
    before = stored()
    assert prune(open_database(), MONTH).calls == 0
    assert stored() == before


def test_more_calls_than_a_batch_all_go_also_where_many_were_asked_at_one_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 7)
    moment = time.time() - 40 * DAY
    insert(*(row(asked_at=moment) for _ in range(20)), *(row(days=n) for n in range(31, 51)), row(days=1))
    hold(open_database(), "run-2", "release x/1")
    insert(*(row(asked_at=moment, run="run-2") for _ in range(10)))
    pruned = prune(open_database(), MONTH)
    assert (pruned.calls, pruned.held) == (40, 10)
    assert sum(bodies()) == 11


def test_a_dry_run_counts_the_same_and_removes_nothing() -> None:
    insert(row(days=31), row(days=31, run="run-2"), row(days=1))
    hold(open_database(), "run-2", "release x/1")
    would = would_prune(open_database(), MONTH)
    assert (would.calls, would.held, bodies()) == (1, 1, [True, True, True])
    done = prune(open_database(), MONTH)
    assert (done.calls, done.held) == (would.calls, would.held)


def test_what_was_removed_is_not_to_be_found_in_the_files(workspace: Path) -> None:
    insert(row(days=31, request=[{"role": "user", "content": "remember-me " * 2000}], reply={"text": "remember-me"}))

    def found() -> bool:
        return any(b"remember-me" in path.read_bytes() for path in (workspace / "mlruns").iterdir())

    assert found()
    prune(open_database(), MONTH)
    assert not found()


def test_a_call_without_an_end_may_be_under_way_for_a_day_and_is_then_old_like_any_other() -> None:
    insert(asked(days=0.5), asked(days=2))
    assert prune(open_database(), 0.0).calls == 1
    assert bodies() == [False, True]


# --- holds -----------------------------------------------------------------------------------------------------


def test_a_run_under_a_hold_keeps_its_bodies_until_the_last_holder_lets_go(either_database: str) -> None:
    insert(row(days=31))
    database = open_database()
    for holder in ("release x/1", "run abc"):
        hold(database, "run-1", holder)
        hold(database, "run-1", holder)  # held already
    assert [(found.run, found.holder) for found in held(database)] == [("run-1", "release x/1"), ("run-1", "run abc")]
    release(database, "release x/1")
    assert prune(database, 0.0).held == 1
    assert bodies() == [True]
    release(database, "run abc")
    release(database, "nobody")
    assert held(database) == []
    assert prune(database, 0.0).calls == 1


def test_a_holder_may_hold_many_runs_and_lets_go_of_all(either_database: str) -> None:
    database = open_database()
    for run in ("run-1", "run-2"):
        hold(database, run, "release x/1")
    hold(database, "run-1", "release y/1")
    release(database, "release x/1")
    assert [(found.run, found.holder) for found in held(database)] == [("run-1", "release y/1")]


# --- what it means for calls -----------------------------------------------------------------------------------


def ask(mode: str) -> gt.Reply:
    with scope.inside(mode=mode, row=scope.Row("1")):
        return gt.chat("hi", model=gt.ScriptedModel("hello"))


def test_a_removed_reply_is_a_replay_miss_that_says_when_and_is_asked_again_in_reuse(either_database: str) -> None:
    first = ask("live")
    before = time.strftime("%Y-%m-%d")
    prune(open_database(), 0.0)
    removed = f"({before}|{time.strftime('%Y-%m-%d')})"
    with pytest.raises(ReplayMiss, match=rf"was removed on {removed}.*GEN_TOOLKIT_CALLS=reuse.*bodies_days") as caught:
        ask("replay")
    assert caught.value.call == first.id
    assert ask("reuse").source == "live"
    assert ask("replay").source == "replay"


def test_a_removed_reply_does_not_bring_an_older_failure_back(either_database: str) -> None:
    failing = gt.ScriptedModel([gt.GenToolkitError("no")], name="m")
    with scope.inside(mode="live", row=scope.Row("1")), pytest.raises(gt.GenToolkitError):
        gt.chat("hi", model=failing)
    (key,) = {found.key for found in stored().values()}
    insert(row(key=key))
    prune(open_database(), 0.0)
    with scope.inside(mode="replay", row=scope.Row("1")), pytest.raises(ReplayMiss, match="was removed"):
        gt.chat("hi", model=failing)


def test_a_reply_that_was_never_kept_is_a_replay_miss_that_says_so(workspace: Path) -> None:
    (workspace / "replies.json").write_text('["hello"]')
    (workspace / "gen_toolkit.toml").write_text(
        '[models.m]\nprovider = "scripted"\nreplies = "replies.json"\nbodies = "hash"\n'
    )
    with scope.inside(mode="live", row=scope.Row("1")):
        gt.chat("hi", model="m")
    with scope.inside(mode="replay", row=scope.Row("1")), pytest.raises(ReplayMiss, match="keeps hashes only"):
        gt.chat("hi", model="m")


# --- once a day ------------------------------------------------------------------------------------------------


def background() -> None:
    prune_in_background(open_database(), 30).join(20)


def marked(ago: float) -> None:
    with open_database().write() as connection:
        connection.execute(marks.update().values(at=time.time() - ago))


def test_whoever_opens_the_journal_prunes_by_the_setting(workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text("bodies_days = 3")
    insert(row(days=4), row(days=2))
    gt.chat("hi", model=gt.ScriptedModel("hello"))
    until = time.monotonic() + 20
    while sum(bodies()) != 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert bodies() == [False, True, True]


def test_it_is_done_once_a_day(either_database: str) -> None:
    background()
    insert(row(days=31))
    background()
    assert bodies() == [True]
    marked(ago=DAY + 1)
    background()
    assert bodies() == [False]


def test_one_that_died_over_it_is_followed_by_another_within_the_hour() -> None:
    insert(row(days=31))
    assert retention._claim(open_database())
    background()
    assert bodies() == [True]  # somebody is at it
    marked(ago=DAY)  # what the claim says after ten minutes
    background()
    assert bodies() == [False]


def test_of_many_that_find_it_due_one_does_it(either_database: str) -> None:
    assert [retention._claim(open_database()) for _ in range(3)] == [True, False, False]
    marked(ago=DAY)
    assert [retention._claim(open_database()) for _ in range(3)] == [True, False, False]


def test_a_database_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database()
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE marks")
    background()
    assert ask("live").text == "hello"
