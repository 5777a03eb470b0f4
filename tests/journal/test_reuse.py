"""What a later attempt took from the journal, and what it asked anew in place of what it had an answer to."""

from __future__ import annotations

import pytest

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.journal.reuse import count_reused, differences
from gen_toolkit.models.scripted import ScriptedModel

pytestmark = pytest.mark.usefixtures("either_database")


@pytest.fixture
def model() -> ScriptedModel:
    return gt.ScriptedModel({"*": "yes"})


def attempt(model: ScriptedModel, number: int, *texts: str) -> None:
    """Ask as attempt `number` of one job would."""
    scope.count_anew("root")
    with scope.inside(run=f"attempt {number}", owner="root", default_mode="reuse" if number > 1 else "live"):
        for text in texts:
            gt.chat(text, model=model)


def differing(number: int) -> tuple[int, list[tuple[str, str, str | None]]]:
    before = [f"attempt {earlier}" for earlier in range(1, number)]
    count, shown = differences(open_database(), before, [f"attempt {number}"])
    return count, [(one.was, one.is_, one.cause) for one in shown]


def test_an_attempt_that_asks_the_same_reuses_all_and_differs_in_nothing(model: ScriptedModel) -> None:
    attempt(model, 1, "a", "b", "b")
    attempt(model, 2, "a", "b", "b", "c")
    assert count_reused(open_database(), ["attempt 1"]) == 0
    assert count_reused(open_database(), ["attempt 2"]) == 3
    assert differing(2) == (0, [])


@pytest.mark.parametrize(
    ("was", "is_", "cause"),
    [
        ("it is 2026-11-24T10:11:12", "it is 2026-11-25T09:00:01", "the time"),
        ("at 10:11 the film", "at 11:12 the film", "the time"),
        ("id 8c6f2b1e-4f7a-4d55", "id 0a1b2c3d-4f7a-4d55", "a random number or id"),
        ("of red, green and blue", "of blue, red and green", "the same words in another order"),
        ("a short text", "something else", None),
    ],
)
def test_what_came_again_otherwise_is_named_with_its_usual_cause(
    model: ScriptedModel, was: str, is_: str, cause: str | None
) -> None:
    attempt(model, 1, "same", was, "not reached again")
    attempt(model, 2, "same", is_)
    count, ((old, new, found),) = differing(2)
    assert count == 1
    assert old != new
    assert found is None if cause is None else found is not None and found.startswith(cause)


def test_what_was_never_answered_is_no_difference_and_only_so_many_are_shown(model: ScriptedModel) -> None:
    attempt(model, 1, *(f"film {n} at 10:{n}" for n in range(10, 40)))
    attempt(model, 2, *(f"film {n} at 11:{n}" for n in range(10, 50)))
    count, shown = differing(2)
    assert (count, len(shown)) == (30, 20)
    attempt(model, 3, *(f"film {n} at 11:{n}" for n in range(10, 50)))
    assert differing(3) == (0, [])
