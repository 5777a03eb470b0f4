"""Which failures are tried again, how often, and after how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gen_toolkit.errors import SettingError
from gen_toolkit.jobs.ledger import Reason
from gen_toolkit.jobs.retries import CLASSES, LOST_ATTEMPTS, NEVER, Retries, class_of


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        ("lost", None, "lost"),
        ("killed", None, "killed"),
        ("timed out", None, "timed out"),
        ("failed", "ModelUnreachable", "model"),
        ("failed", "ModelOverloaded", "model"),
        ("failed", "BadReply", "model"),
        ("failed", "DeadlineExceeded", "model"),
        ("failed", "DatabaseError", "environment"),
        ("failed", "ConnectionResetError", "environment"),
        ("failed", "TimeoutError", "environment"),
        ("failed", "NotSaved", "environment"),
        ("failed", "RuntimeError", "error"),
        ("failed", "SomethingOfTheirOwn", "error"),
        *(("failed", name, None) for name in (
            "ValidationError", "ParameterError", "KeepError", "MissingVariable", "ValueError", "KeyError",
            "AssertionError", "NameError", "SyntaxError", "IndentationError", "ModuleNotFoundError", "TypeError",
            "FileNotFoundError", "PermissionError", "BudgetExceeded", "ModelRefused", "QuotaExhausted",
            "OutputMismatch", "GuardRefused", "ReplayMiss", "MissingSecret", "EffectUnknown", "Stopped", "SystemExit",
            None,
        )),
        ("cancelled", None, None),
        ("succeeded", None, None),
    ],
)  # fmt: skip
def test_a_failure_has_a_class_or_would_fail_alike(state: str, error: str | None, expected: str | None) -> None:
    assert class_of(state, Reason("it broke", error=error)) == expected
    assert expected is None or expected in CLASSES


def test_the_wait_doubles_up_to_the_longest_and_ends_with_the_attempts() -> None:
    retries = Retries(attempts=6, wait_s=10, longest_wait_s=50)
    reason = Reason("busy", error="ModelOverloaded")
    waits = [retries.wait("failed", reason, number) for number in range(1, 7)]
    assert waits == [10, 20, 40, 50, 50, None]


def test_where_nobody_asks_for_it_nothing_is_tried_again_but_what_the_queue_lost() -> None:
    assert NEVER.wait("failed", Reason("busy", error="ModelOverloaded"), 1) is None
    assert NEVER.wait("lost", None, 1) is None
    queued = Retries(queued=True)
    assert queued.wait("killed", None, 1) is None
    waits = [queued.wait("lost", None, number) for number in range(1, LOST_ATTEMPTS + 1)]
    assert waits == [0.0, 4.0, 8.0, 16.0, None]


def test_only_the_classes_that_are_named_are_tried_again() -> None:
    retries = Retries.of({"attempts": 2, "on": ["error"]}, "pipeline.toml")
    assert retries.wait("failed", Reason("it broke", error="RuntimeError"), 1) == 30
    assert retries.wait("killed", None, 1) is None


def test_they_come_back_from_the_ledger_as_they_were() -> None:
    for retries in (NEVER, Retries(attempts=3, wait_s=0.5, on=("lost", "error"), queued=True)):
        assert Retries.from_json(json.loads(json.dumps(retries.to_json()))) == retries
    assert Retries.from_json(None) == NEVER


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"atempts": 3}, r"p: retries.atempts is not known. Did you mean 'attempts'\?"),
        ({"attempts": 0}, "p: retries.attempts is 0. It must be a whole number"),
        ({"attempts": True}, "retries.attempts is True"),
        ({"attempts": 1.5}, "retries.attempts is 1.5"),
        ({"wait_s": -1}, "retries.wait_s is -1. It must be a number of seconds"),
        ({"on": "lost"}, 'retries.on is \'lost\'. It must be a list of "lost", "killed"'),
        ({"on": ["losst"]}, r"retries.on is \['losst'\]"),
        ({"queued": True}, "retries.queued is not known"),
    ],
)
def test_what_is_wrong_in_the_table_is_refused_in_one_line(table: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        Retries.of(table, "p")
