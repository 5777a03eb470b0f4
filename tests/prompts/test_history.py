"""Where aliases point, who moved them and why, and the way back."""

from __future__ import annotations

import json
import threading

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import PromptError, PromptNotFound
from gen_toolkit.prompts.history import log, rollback
from gen_toolkit.text import remember_secret
from gen_toolkit.tracking import registry
from gen_toolkit.tracking.aliases import Move, move, moves, positions
from gen_toolkit.tracking.registry import Entry


def entry() -> Entry:
    found = registry.entry("label")
    assert found is not None
    return found


def versions(count: int) -> None:
    for number in range(1, count + 1):
        gt.Prompt("label", user=f"text {number}").save(f"why {number}")


def moved(*versions_: int, how: str = "promote") -> None:
    for version in versions_:
        move("label", "live", version, how)  # type: ignore[arg-type]  # one of the three


def test_every_move_is_recorded_with_who_when_and_why(store: Store) -> None:
    versions(2)
    gt.Prompt("label", user="text 1").save("saved", alias="staging")
    made = move("label", "live", 2, "promote", why="better by 3 points", gate="accuracy: better")
    assert made is not None
    assert (made.before, made.after, made.by) == (None, 2, registry.author())
    assert moves(entry())[1] == made
    assert [(m.alias, m.how, m.why) for m in moves(entry())] == [
        ("staging", "save", "saved"),
        ("live", "promote", "better by 3 points"),
    ]
    assert entry().aliases == {"staging": 1, "live": 2}


def test_an_alias_that_points_there_already_is_no_move(store: Store) -> None:
    versions(1)
    moved(1, 1)
    assert gt.Prompt("label", user="text 1").save(alias="staging").save(alias="staging").version == 1
    assert len(moves(entry())) == 2


def test_moves_at_once_are_all_recorded(store: Store) -> None:
    versions(4)
    threads = [threading.Thread(target=moved, args=(number,)) for number in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = moves(entry())
    assert sorted(m.after for m in recorded) == [1, 2, 3, 4]
    assert [m.before for m in recorded] == [None, *[m.after for m in recorded[:-1]]]
    assert entry().aliases == {"live": recorded[-1].after}


def test_live_is_not_moved_by_a_save(store: Store) -> None:
    with pytest.raises(PromptError, match=r"'live' moves with an evaluation.*gen prompts promote label VERSION live"):
        gt.Prompt("label", user="text").save(alias="live")
    assert registry.entry("label") is None


def test_a_rollback_goes_to_where_the_alias_pointed_before_and_then_further(store: Store) -> None:
    versions(3)
    moved(1, 2, 3)
    assert rollback("label", "live", "worse in production").after == 2
    assert gt.load_prompt("label@live").version == 2
    assert rollback("label", "live").after == 1
    with pytest.raises(PromptError, match=r"has pointed only to 1, so there is no way back\. Name the version"):
        rollback("label", "live")
    moved(3)
    assert rollback("label", "live").after == 1
    assert [m.why for m in moves(entry()) if m.how == "rollback"] == ["worse in production", "", ""]


def test_a_rollback_after_somebody_else_moved_the_alias_undoes_that_move(store: Store) -> None:
    versions(3)
    moved(1, 2)
    store.mlflow.set_prompt_alias("label", "live", 3)
    assert log("label")[0].what == "live → 3"
    assert log("label")[0].by is None
    assert rollback("label", "live").after == 2
    assert rollback("label", "live").after == 1


@pytest.mark.parametrize(
    ("done", "now", "expected"),
    [
        ([], None, []),
        ([], 4, [4]),
        ([(None, 1, "save"), (1, 2, "promote")], 2, [1, 2]),
        ([(None, 1, "save"), (1, 2, "promote"), (2, 1, "rollback")], 1, [1]),
        ([(None, 1, "save"), (1, 2, "save"), (2, 1, "save")], 1, [1, 2, 1]),
        ([(None, 1, "save"), (5, 2, "promote")], 2, [1, 5, 2]),
        ([(None, 1, "save"), (1, 2, "promote")], 7, [1, 2, 7]),
        ([(None, 1, "save"), (1, 2, "save"), (2, 1, "save"), (1, 3, "save"), (3, 1, "rollback")], 1, [1, 2, 1]),
    ],
)
def test_the_way_of_an_alias_is_read_from_its_moves(
    done: list[tuple[int | None, int, str]], now: int | None, expected: list[int]
) -> None:
    told = [Move("live", before, after, how, 0.0, "ada") for before, after, how in done]  # type: ignore[arg-type]
    told.append(Move("staging", None, 9, "save", 0.0, "ada"))
    tags = {f"gen_toolkit.move.{number:04}": json.dumps(m.to_json()) for number, m in enumerate(told)}
    found = Entry("label", 9, {} if now is None else {"live": now}, tags)
    assert positions(found, "live") == expected


def test_the_log_tells_versions_and_moves_the_newest_first(store: Store) -> None:
    versions(2)
    moved(1)
    move("label", "live", 2, "promote", why="better", gate="overridden: no evaluation")
    assert [(line.what, line.why) for line in log("label")] == [
        ("live 1 → 2 (promote)", "better · overridden: no evaluation"),
        ("live → 1 (promote)", ""),
        ("version 2", "why 2"),
        ("version 1", "why 1"),
    ]
    store.mlflow.delete_prompt_alias("label", "live")
    assert log("label")[0].what == "live → nowhere"


def test_what_somebody_registered_by_hand_is_told_without_an_author(store: Store) -> None:
    store.mlflow.register_prompt("label", "Hello {{ name }}")
    (line,) = log("label")
    assert (line.what, line.by) == ("version 1", None)


def test_a_secret_in_a_reason_is_not_written_down(store: Store) -> None:
    remember_secret("correct-horse-battery")
    gt.Prompt("label", user="x").save("with correct-horse-battery", alias="staging")
    assert "correct-horse" not in str(registry.history("label")) + str(entry().tags)


def test_without_the_prompt_there_is_no_log_and_no_way_back(store: Store) -> None:
    for ask in (lambda: log("nobody"), lambda: rollback("nobody", "live")):
        with pytest.raises(PromptNotFound, match=r"no prompt 'nobody' in the registry.*gen prompts list"):
            ask()
    versions(1)
    with pytest.raises(PromptError, match="points nowhere"):
        rollback("label", "live")
