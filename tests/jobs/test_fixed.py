"""Due time and seed: the same in all attempts of a run, one a session in a notebook."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import InputError
from gen_toolkit.jobs.fixed import DUE_MARK, fixed_environment
from gen_toolkit.jobs.rows import RunRow

NOON = 1_700_000_000.25


def run(**facts: object) -> RunRow:
    return RunRow("r", "job", "label", "x.ipynb", {}, "running", created_at=NOON, **facts)  # type: ignore[arg-type]


def test_a_run_is_due_when_its_schedule_meant_it_else_when_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fixed_environment(run())[DUE_MARK] == repr(NOON)
    for name, value in fixed_environment(run(due=NOON - 60)).items():
        monkeypatch.setenv(name, value)
    assert gt.due() == datetime.fromtimestamp(NOON - 60, UTC)
    there = gt.due("Asia/Kolkata")
    assert (there, there.utcoffset()) == (gt.due(), timedelta(hours=5, minutes=30))


def test_a_zone_that_is_none_is_refused_in_one_line() -> None:
    for zone in ("Nowhere/At_All", "../../etc/passwd", ""):
        with pytest.raises(InputError, match="there is no time zone"):
            gt.due(zone)


def test_in_a_session_both_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    first, seed = gt.due(), gt.seed()
    assert (gt.due(), gt.seed()) == (first, seed)
    assert abs(first - datetime.now(UTC)) < timedelta(minutes=5)
    monkeypatch.setenv(scope.SESSION_MARK, "another session")
    assert gt.due() > first
    assert gt.seed() != seed


def test_a_seed_is_that_of_the_run_and_fits_every_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []
    for root in ("r1", "r1", "r2"):
        monkeypatch.setenv(scope.ROOT_MARK, root)
        seeds.append(gt.seed())
    assert seeds[0] == seeds[1] != seeds[2]
    assert all(0 <= seed < 2**32 for seed in seeds)
