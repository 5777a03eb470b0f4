"""Where code runs: the place of a call, its mode, and ids that sort by time."""

from __future__ import annotations

import asyncio
import time
import uuid
from pathlib import Path

import pytest

from gen_toolkit import scope
from gen_toolkit.amount import Amount
from gen_toolkit.errors import InputError
from gen_toolkit.settings import load_settings


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> str:
    """A request hash that no other test counts."""
    return f"hash of {request.node.nodeid}"


def numbers(asked: str, times: int) -> list[str]:
    return [scope.place(asked)[1] for _ in range(times)]


def test_equal_requests_are_counted_in_the_process(asked: str) -> None:
    assert numbers(asked, 3) == ["n 0", "n 1", "n 2"]
    assert numbers(asked + " other", 1) == ["n 0"]


def test_equal_requests_are_counted_in_a_row_and_repeat(asked: str) -> None:
    for row, repeat in (("1", 0), ("1", 1), ("2", 0)):
        with scope.inside(row=scope.Row(row, repeat)):
            assert numbers(asked, 2) == [f"row {row} repeat {repeat} n {n}" for n in (0, 1)]


def test_equal_requests_are_counted_for_an_owner_across_blocks(asked: str) -> None:
    for expected in ("n 0", "n 1"):
        with scope.inside(owner=f"job of {asked}"):
            assert numbers(asked, 1) == [expected]
    assert numbers(asked, 1) == ["n 0"]


def test_the_owner_is_part_of_the_place_but_not_of_the_local_one(asked: str) -> None:
    places = []
    for owner in ("job 1", "job 2"):
        with scope.inside(owner=owner + asked, row=scope.Row("1")):
            places.append(scope.place(asked))
    (first, local), (second, local_again) = places
    assert first != second
    assert local == local_again


def test_a_job_is_known_by_its_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(scope.RUN_MARK, "run-1")
    monkeypatch.setenv(scope.ROOT_MARK, "root-1")
    monkeypatch.setenv(scope.RELEASE_MARK, str(tmp_path))
    now = scope.current()
    assert (now.run, now.owner, now.release) == ("run-1", "root-1", tmp_path)
    assert scope.run_or_session() == "run-1"


@pytest.mark.parametrize("mark", [scope.ROOT_MARK, scope.SESSION_MARK])
def test_where_all_cells_are_executed_once_equal_requests_are_counted_over_all_of_them(
    monkeypatch: pytest.MonkeyPatch, asked: str, mark: str
) -> None:
    """So a job finds in a cassette what a session recorded there."""
    monkeypatch.setenv(mark, f"execution of {asked}")
    monkeypatch.setenv(scope.SHARED_MARK, "1")
    locals_ = []
    for cell in ("cell 1", "cell 2"):
        monkeypatch.setattr(scope, "cell", lambda cell=cell: cell)
        locals_.append(scope.place(asked))
    assert locals_ == [(" n 0", "n 0"), (" n 1", "n 1")]  # without an owner


def test_outside_a_run_everything_belongs_to_one_session() -> None:
    assert scope.run_or_session() == scope.session() == scope.session()


def test_scopes_nest_and_end() -> None:
    with scope.inside(run="a", mode="reuse"):
        with scope.inside(run="b"):
            assert (scope.current().run, scope.current().mode) == ("b", "reuse")
        assert scope.current().run == "a"
    assert scope.current().run is None


def test_concurrent_tasks_have_scopes_of_their_own() -> None:
    async def work(name: str) -> str | None:
        with scope.inside(run=name):
            await asyncio.sleep(0)
            return scope.current().run

    async def both() -> list[str | None]:
        return await asyncio.gather(work("a"), work("b"))

    assert asyncio.run(both()) == ["a", "b"]


@pytest.mark.parametrize(
    ("environment", "inside", "file", "default", "mode"),
    [
        (None, None, None, "live", "live"),
        (None, None, None, "reuse", "reuse"),
        (None, None, "replay", "reuse", "replay"),
        ("live", None, "replay", "reuse", "live"),
        ("live", "reuse", "replay", "live", "reuse"),
        ("replay", "live", "live", "live", "replay"),
    ],
)
def test_replay_in_the_environment_wins_then_the_block_the_environment_the_file_and_the_default(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: str | None,
    inside: str | None,
    file: str | None,
    default: str,
    mode: str,
) -> None:
    if environment:
        monkeypatch.setenv("GEN_TOOLKIT_CALLS", environment)
    if file:
        (workspace / "gen_toolkit.toml").write_text(f'calls = "{file}"')
    with scope.inside(mode=inside, default_mode=default):
        assert scope.call_mode(load_settings().settings.calls) == mode


def test_ids_are_valid_sort_by_time_and_differ() -> None:
    ids = []
    for _ in range(5):
        ids.append(scope.new_id())
        time.sleep(0.002)
    assert ids == sorted(ids)
    for one in map(uuid.UUID, ids):
        assert (one.version, one.variant) == (7, uuid.RFC_4122)
        assert abs((one.int >> 80) / 1000 - time.time()) < 5
    assert len({scope.new_id() for _ in range(1000)}) == 1000


# budgets


def test_a_budget_reaches_a_process_through_its_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    given = (
        scope.Budget("run:root", Amount.of("0.000001 USD, 200000 tokens"), "run 'a \"b\" ü'"),
        scope.Budget("pipeline:labels", Amount.of("5 USD"), "pipeline 'labels'", daily=True),
    )
    monkeypatch.setenv(scope.BUDGETS_MARK, scope.written(given))
    assert scope.current().budgets == given
    with scope.inside(row=scope.Row("1")):
        assert scope.current().budgets == given


def test_a_budget_of_a_day_is_counted_by_the_day_and_another_is_not() -> None:
    daily, other = (scope.Budget("k", Amount.of("1 USD"), "n", daily=daily) for daily in (True, False))
    assert (daily.on("2026-11-27").key, daily.on("2026-11-27").name) == ("k:2026-11-27", "n on 2026-11-27")
    assert other.on("2026-11-27") is other


def limits_inside(given: str | None) -> list[str]:
    return [str(budget.limit) for budget in scope.with_run_budget("root", "name", given)]


def test_inside_a_run_all_budgets_around_it_hold_and_its_own() -> None:
    with scope.inside(budgets=scope.with_run_budget("outer", "outer", "1 USD")):
        assert limits_inside("5 USD") == ["1 USD", "5 USD"]
    assert limits_inside("5 USD") == ["5 USD"]
    assert limits_inside(None) == []


def test_a_run_without_a_budget_has_that_of_the_settings_unless_it_is_inside_one_that_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_BUDGETS", '{"run": "3 USD"}')
    assert (limits_inside(None), limits_inside("5 USD")) == (["3 USD"], ["5 USD"])
    with scope.inside(budgets=scope.with_run_budget("outer", "outer", "7 USD")):
        assert limits_inside(None) == ["7 USD"]


def test_what_is_no_amount_is_no_budget() -> None:
    with pytest.raises(InputError, match="'a lot' is no amount"):
        limits_inside("a lot")
