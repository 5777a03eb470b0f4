"""The journal: the intent is durable before a call, the answer before the caller sees it, and found again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import gen_toolkit as gt
from gen_toolkit import scope, text
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import BadReply, ModelError, ModelRefused, ReplayMiss
from gen_toolkit.journal.store import count
from gen_toolkit.journal.totals import totals

Rows = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _either(either_database: str) -> None:
    """Everything here holds on both kinds of database."""


@pytest.fixture
def calls(workspace: Path, either_database: str) -> Rows:
    """What stands in the database, read without our own code."""

    def from_file() -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(workspace / "mlruns" / "gen_toolkit.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM calls ORDER BY asked_at")]

    def from_server() -> list[dict[str, Any]]:
        import psycopg
        from psycopg.rows import dict_row

        with psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row) as connection:
            return connection.execute("SELECT * FROM gen_toolkit.calls ORDER BY asked_at").fetchall()

    return from_server if either_database == "postgres" else from_file


@contextlib.contextmanager
def place(mode: str, row: str = "1") -> Iterator[None]:
    """The first request of a row is the same call each time."""
    with scope.inside(mode=mode, row=scope.Row(row)):
        yield


def counting() -> tuple[gt.ScriptedModel, Callable[[], int]]:
    """A model that answers with how often it was asked."""
    asked: list[object] = []

    def answer(messages: object) -> str:
        asked.append(messages)
        return f"answer {len(asked)}"

    return gt.ScriptedModel(answer), lambda: len(asked)


def test_the_intent_is_durable_before_the_call_and_the_answer_before_the_caller_sees_it(calls: Rows) -> None:
    seen: list[dict[str, Any]] = []

    def look(messages: object) -> str:
        seen.extend(calls())
        return "hello"

    reply = gt.chat("hi", model=gt.ScriptedModel(look))
    assert [(row["state"], row["attempts"], row["reply"]) for row in seen] == [("asked", 0, None)]
    (after,) = calls()
    assert (after["id"], after["state"], after["attempts"]) == (reply.id, "answered", 1)
    assert json.loads(after["reply"])["text"] == "hello"
    assert json.loads(after["request"]) == [{"role": "user", "content": "hi"}]
    assert after["run"] == scope.session()
    assert after["asked_at"] <= after["answered_at"]


def test_live_calls_again_and_again(calls: Rows) -> None:
    model, asked = counting()
    for _ in range(2):
        with place("live"):
            assert gt.chat("hi", model=model).source == "live"
    assert asked() == 2
    assert len({row["key"] for row in calls()}) == 1


def test_reuse_calls_once_and_gives_the_same_reply(calls: Rows) -> None:
    model, asked = counting()
    replies = []
    for _ in range(2):
        with place("reuse"):
            replies.append(gt.chat("hi", model=model))
    first, second = replies
    assert asked() == len(calls()) == 1
    assert (second.text, second.usage, second.cost, second.id) == (first.text, first.usage, first.cost, first.id)
    assert (first.source, second.source, second.attempts) == ("live", "reuse", 0)


def test_equal_requests_of_one_row_are_different_calls() -> None:
    model, asked = counting()
    for _ in range(2):
        with place("reuse"):
            assert [gt.chat("hi", model=model).text for _ in range(2)] == ["answer 1", "answer 2"]
    assert asked() == 2


@pytest.mark.parametrize(
    ("prompt", "row", "options"), [("ho", "1", {}), ("hi", "2", {}), ("hi", "1", {"temperature": 1})]
)
def test_another_request_or_place_is_not_reused(prompt: str, row: str, options: dict[str, Any]) -> None:
    model, asked = counting()
    with place("reuse"):
        gt.chat("hi", model=model)
    with place("reuse", row):
        gt.chat(prompt, model=model, **options)
    assert asked() == 2


def test_reuse_finds_what_another_process_paid_for(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_CALLS", "reuse")
    code = "import gen_toolkit as gt; print(gt.chat('hi', model=gt.ScriptedModel(['hello'])).source)"
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["live", "reuse"]


def test_replay_never_calls_and_says_what_to_do() -> None:
    model, asked = counting()
    with place("replay"), pytest.raises(ReplayMiss, match=r"'scripted' is not in the journal.*GEN_TOOLKIT_CALLS=reuse"):
        gt.chat("hi", model=model)
    with place("reuse"):
        recorded = gt.chat("hi", model=model)
    with place("replay"):
        replayed = gt.chat("hi", model=model)
    assert asked() == 1
    assert (replayed.text, replayed.source) == (recorded.text, "replay")


def test_a_replay_miss_writes_nothing(calls: Rows) -> None:
    with place("replay"), pytest.raises(ReplayMiss):
        gt.chat("hi", model=counting()[0])
    assert calls() == []


def test_choose_survives_the_journal() -> None:
    model = gt.ScriptedModel({"*": {"probabilities": {"b": 0.75, "a": 0.25}}})
    shown = []
    for mode in ("live", "replay"):
        with place(mode):
            reply = gt.choose("a or b?", ["a", "b"], model=model)
            shown.append((reply.value, list((reply.probabilities or {}).items())))
    assert shown == [("b", [("a", 0.25), ("b", 0.75)])] * 2


def test_a_failure_is_journaled_replayed_and_not_reused(calls: Rows) -> None:
    model = gt.ScriptedModel([ModelRefused("no such model", fix="Correct it.", status=404), "hello"])
    with place("live"), pytest.raises(ModelRefused):
        gt.chat("hi", model=model)
    (row,) = calls()
    assert (row["state"], row["attempts"], row["reply"]) == ("failed", 1, None)
    with place("replay"), pytest.raises(ModelRefused, match=r"no such model\. Correct it\.") as replayed:
        gt.chat("hi", model=model)
    assert replayed.value.status == 404  # type: ignore[attr-defined]
    with place("reuse"):
        assert gt.chat("hi", model=model).source == "live"
    with place("replay"):
        assert gt.chat("hi", model=model).text == "hello"


@pytest.mark.parametrize("error", [ValueError("odd"), gt.GenToolkitError("odd")])
def test_whatever_a_model_raises_is_the_callers_and_leaves_no_open_intent(calls: Rows, error: Exception) -> None:
    with pytest.raises(type(error), match="odd"):
        gt.chat("hi", model=gt.ScriptedModel([error]))
    assert [row["state"] for row in calls()] == ["failed"]


def test_a_cancelled_call_is_journaled_as_failed(calls: Rows) -> None:
    begun = threading.Event()

    async def hang(messages: object) -> str:
        begun.set()
        await asyncio.sleep(60)
        return "never"

    async def impatient() -> None:
        task = asyncio.create_task(gt.achat("hi", model=gt.ScriptedModel(lambda m: hang(m))))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(impatient())
    for _ in range(100):
        if [row["state"] for row in calls()] == ["failed"]:
            break
        threading.Event().wait(0.02)
    assert [(row["state"], "cancelled" in row["error"]) for row in calls()] == [("failed", True)]


def test_secrets_are_masked_in_what_is_stored(workspace: Path, calls: Rows) -> None:
    secrets = {"journal-0123456789", 'journal-"quoted"-é'}
    for secret in secrets:
        text.remember_secret(secret)
    said = " ".join(secrets)
    gt.chat(f"the key is {said}", model=gt.ScriptedModel(f"you said {said}"))
    with pytest.raises(BadReply):
        gt.chat("again", model=gt.ScriptedModel([BadReply(f"not {said}")]))
    stored = b"".join(path.read_bytes() for path in (workspace / "mlruns").iterdir()) + str(calls()).encode()
    assert b"you said" in stored
    assert b"0123456789" not in stored
    assert b"quoted" not in stored


@pytest.mark.parametrize("odd", ["\ud800 half a character", "\u2028\x85\x00\x1b", "日本語 🎬", '"\\n'])
def test_any_text_survives_the_journal(odd: str) -> None:
    with place("live"):
        gt.chat(odd, model=gt.ScriptedModel(lambda messages: odd))
    with place("replay"):
        assert gt.chat(odd, model=gt.ScriptedModel(lambda messages: odd)).text == odd


def test_many_calls_at_once_are_all_recorded(calls: Rows) -> None:
    async def many() -> list[gt.Reply]:
        model = gt.ScriptedModel(lambda messages: messages[0]["content"])
        return await asyncio.gather(*(gt.achat(f"{n}", model=model) for n in range(50)))

    replies = asyncio.run(many())
    assert [reply.text for reply in replies] == [str(n) for n in range(50)]
    assert {row["id"] for row in calls()} == {reply.id for reply in replies}


def test_totals_add_up_and_an_unknown_cost_stays_unknown() -> None:
    database = open_database()
    with scope.inside(run="run-1"):
        gt.chat("one two", model=gt.ScriptedModel("three"))
        gt.chat("one", model=gt.ScriptedModel("two three", name="other"))
    made = totals(database, "run-1")
    assert (made.calls, made.cost, made.models) == (2, Decimal(0), ("other", "scripted"))
    assert (made.usage.input_tokens, made.usage.output_tokens) == (3, 3)
    with scope.inside(run="run-1"), pytest.raises(ModelError):
        gt.chat("one", model=gt.ScriptedModel([ModelError("no")]))
    assert totals(database, "run-1").cost is None
    assert count(database) == 3
