"""Looking at calls: the newest first, all that is known of one, and sums that tell what is not known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from journal_rows import DAY, asked, failed, insert, row
from sqlalchemy.dialects import sqlite

from gen_toolkit import scope
from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.database.sql import select
from gen_toolkit.database.sqlite import SQLite
from gen_toolkit.database.tables import calls
from gen_toolkit.errors import NotFound
from gen_toolkit.journal.costs import GROUPS, Cost, cost_query, costs
from gen_toolkit.journal.report import find_call, list_calls, list_query, shortest

DEAD, ELSEWHERE = "gone 1 1", "another-host 1 1"


@pytest.fixture(autouse=True)
def _dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of this host that is gone."""
    import socket

    monkeypatch.setattr("test_report.DEAD", f"{socket.gethostname()} 999999999 1")


# --- which there are -------------------------------------------------------------------------------------------


def test_the_newest_calls_come_first_and_can_be_narrowed(either_database: str) -> None:
    run = scope.new_id()
    old, broken, other, version = insert(
        row(days=3), failed(days=2, run=run), row(days=1, alias="local", prompt="ask#1a2b"), row(prompt="label@2")
    )
    database = open_database()

    def found(**filters: Any) -> list[str]:
        return [call.id for call in list_calls(database, **filters)]

    assert found() == [version, other, broken, old]
    assert found(limit=2) == [version, other]
    assert found(run=run) == found(run=run[:13]) == found(state="failed") == [broken]
    assert found(alias="local") == found(prompt="ask") == [other]
    assert found(prompt="label") == [version, broken, old]
    assert found(prompt="label@2") == [version]
    assert found(since=time.time() - 1.5 * DAY) == [version, other]
    assert found(prompt="lab") == found(prompt="label_") == found(run="run-9") == []


def test_a_call_tells_what_it_took_and_unknown_stays_unknown(either_database: str) -> None:
    insert(row(cost=1_500_000_000), row(cost=None, output_tokens=None))
    unknown, known = list_calls(open_database())
    assert (known.cost, known.seconds, known.status) == (Decimal("0.0015"), pytest.approx(0.5), "answered")
    assert (unknown.cost, unknown.output_tokens) == (None, None)
    assert (known.to_json()["cost"], unknown.to_json()["cost"]) == ("0.0015", None)


def test_a_call_without_an_end_is_in_flight_while_its_process_may_answer_and_then_lost(either_database: str) -> None:
    insert(asked(), asked(process=DEAD), asked(process=ELSEWHERE), asked(days=1, process=ELSEWHERE), asked(process=""))
    status = {(call.process, call.status) for call in list_calls(open_database())}
    assert {said for process, said in status if process == ELSEWHERE} == {"in flight", "lost"}
    assert (DEAD, "lost") in status
    assert ("", "lost") in status
    assert [said for process, said in status if process not in {DEAD, ELSEWHERE, ""}] == ["in flight"]


# --- one of them -----------------------------------------------------------------------------------------------


def test_a_call_is_shown_with_what_was_said_and_what_it_stands_in_for(either_database: str) -> None:
    (first,) = insert(failed(alias="fast"))
    (second,) = insert(row(alias="local", instead_of=first))
    shown = find_call(open_database(), second[:-3])
    assert shown.request == [{"role": "user", "content": "a good film"}]
    assert (shown.reply or {})["text"] == "positive"
    assert shown.stands_in_for is not None
    assert (shown.stands_in_for.id, shown.stands_in_for.alias) == (first, "fast")
    other = find_call(open_database(), first)
    assert [call.id for call in other.stood_in_by] == [second]
    assert ((other.error or {})["code"], other.reply) == ("model-overloaded", None)
    assert other.to_json()["stood_in_by"][0]["alias"] == "local"


def test_a_prefix_that_names_none_or_several_is_refused(either_database: str) -> None:
    (first,) = insert(row(id="0197abcd-1234-7000-8000-000000000001"))
    insert(row(id="0197abcd-1234-7000-8000-000000000002"))
    database = open_database()
    assert find_call(database, first.upper()).call.id == first
    for prefix, says in [
        ("0197abcd", "more than one call begins"),
        ("0197abce", "no call begins"),
        ("0197abc", "8 characters are needed"),
        ("%%%%%%%%", "beginning of no id"),
        (first + "0", "beginning of no id"),
    ]:
        with pytest.raises(NotFound, match=says):
            find_call(database, prefix)


def test_a_short_id_tells_a_call_from_the_others_listed() -> None:
    ids = ["0197abcd-1234-7000-8000-000000000001", "0197abcd-1234-7010-8000-000000000002", "0197abce-0000-7000-8000-0"]
    assert [shortest(each, ids) for each in ids] == ["0197abcd-1234-700", "0197abcd-1234-701", "0197abce-0000"]
    assert shortest(ids[0], [ids[0]] * 2) == ids[0]


# --- what they cost --------------------------------------------------------------------------------------------


def test_costs_are_summed_exactly_and_what_is_unknown_is_counted(either_database: str) -> None:
    insert(
        *(row(cost=1) for _ in range(3)),
        row(cost=2 * 10**18, input_tokens=2**31 - 1),  # near the most that a sum can hold
        row(cost=2 * 10**18, input_tokens=2**31 - 1),
        row(cost=None, input_tokens=None, unanswered=2),
        failed(cost=0, input_tokens=0, output_tokens=0),
        failed(unanswered=1, input_tokens=None),
        asked(),
        asked(process=DEAD),
        row(alias="other"),
    )
    found = costs(open_database(), "alias")
    assert list(found) == ["fast", "other"]
    assert found["fast"] == Cost(
        calls=10, failed=2, cost=Decimal(4_000_000) + 3 * Decimal("1e-12"), unknown=2,
        input_tokens=2 * (2**31 - 1) + 30, output_tokens=14, tokens_unknown=2, unanswered=3, in_flight=1, lost=1,
    )  # fmt: skip
    assert not found["fast"].is_exact
    assert found["other"] == Cost(1, cost=Decimal("0.003"), input_tokens=10, output_tokens=2)
    assert found["other"].is_exact
    total = sum(found.values(), Cost())
    assert (total.calls, total.cost) == (11, Decimal("4000000.003000000003"))
    assert found["other"].to_json()["cost"] == "0.003"


@pytest.mark.parametrize("missing", ["unknown", "unanswered", "in_flight", "lost"])
def test_a_sum_is_exact_only_where_nothing_more_can_be_on_the_bill(missing: str) -> None:
    assert Cost(calls=3, failed=1, tokens_unknown=1).is_exact
    assert not Cost(calls=3, **{missing: 1}).is_exact


@pytest.mark.parametrize(
    ("by", "groups"),
    [("run", ["a", "b"]), ("prompt", ["label@1", None]), ("alias", ["fast", "slow"]),
     ("day", ["2026-03-02", "2026-03-01"])],
)  # fmt: skip
def test_calls_are_grouped(either_database: str, by: str, groups: list[str | None]) -> None:
    last_second_of_march_1 = 1772409599.9
    insert(
        row(run="a", asked_at=last_second_of_march_1, cost=5),
        row(run="b", alias="slow", prompt=None, asked_at=last_second_of_march_1 + 0.2, cost=4),
    )
    found = costs(open_database(), by)
    assert list(found) == groups
    assert {cost.calls for cost in found.values()} == {1}
    assert list(costs(open_database(), by, since=last_second_of_march_1 + 0.1)) == [groups[0 if by == "day" else 1]]


def test_where_there_are_no_calls_there_are_no_groups(either_database: str) -> None:
    assert costs(open_database(), "run") == {}


# --- many ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A journal of 100,000 calls with bodies."""
    database = Database(SQLite(Path(tmp_path_factory.mktemp("many")) / "many.db"))
    like = row()
    with database.write() as connection:
        made = "printf('%08x-0000-7000-8000-000000000000', n)"
        others = {
            "id": made,
            "run": "printf('run-%d', n / 1000)",
            "alias": "'alias-' || (n % 10)",
            "asked_at": "1e9 + n",
        }
        values = ", ".join(others.get(column.name, f":{column.name}") for column in calls.c)
        connection.exec_driver_sql(
            "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < 99999) "
            f"INSERT INTO calls ({', '.join(column.name for column in calls.c)}) SELECT {values} FROM counted",
            like,
        )
    yield database
    database.engine.dispose()


def plan(database: Database, query: Any) -> str:
    written = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with database.read() as connection:
        steps = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + written.replace("%", "%%")).all()
    return "; ".join(step[3] for step in steps)


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("since", [None, 1e9 + 50_000])
def test_sums_over_many_calls_read_an_index_and_no_bodies(many: Database, by: str, since: float | None) -> None:
    assert "USING COVERING INDEX calls_by_time" in plan(many, cost_query(by, since))


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "INDEX calls_by_time"),
        ({"since": 1e9 + 50_000}, "INDEX calls_by_time (asked_at>?)"),
        ({"run": "run-7"}, "INDEX calls_by_run (run=?)"),
        ({"run": "0197abcd"}, "INDEX calls_by_run (run>? AND run<?)"),
        ({"alias": "alias-3", "prompt": "label", "state": "answered"}, "INDEX calls_by_time"),
    ],
    ids=str,
)
def test_the_list_of_many_calls_is_read_from_an_index(many: Database, filters: dict[str, Any], index: str) -> None:
    said = plan(many, list_query(**filters))
    assert index in said
    assert "SCAN calls;" not in said + ";"


def test_a_call_of_many_is_found_by_the_index_of_ids(many: Database) -> None:
    assert find_call(many, "0000ffff").call.run == "run-65"
    bounds = ("0000ffff-0000", "0000ffff-ffff")
    assert "SEARCH calls USING INDEX" in plan(many, select(calls).where(calls.c.id.between(*bounds)))


def test_sums_over_many_calls_are_right(many: Database) -> None:
    found = costs(many, "alias")
    assert len(found) == 10
    assert set(found.values()) == {Cost(10_000, cost=Decimal(30), input_tokens=100_000, output_tokens=20_000)}
    assert costs(many, "run", since=1e9 + 98_500)["run-98"].calls == 500
