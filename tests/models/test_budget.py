"""Budgets: the call that might cross one is not sent, from however many tasks and processes it comes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hostile import CORPUS
from openai_server import Answer, OpenAIServer, error

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.amount import Amount, from_pico
from gen_toolkit.errors import BudgetExceeded, DeadlineExceeded, InputError, ModelOverloaded, ModelRefused
from gen_toolkit.messages.request import Request
from gen_toolkit.models.bounds import input_bound

Alias = Callable[..., None]
Books = Callable[[str], dict[str, int]]

PRICE = "{ input = 1.0, output = 10.0 }"
LONGEST = 20
ONE = Decimal(12 * 1 + 3 * 10) / 10**6  # USD of a call that takes 12 and 3 tokens


def answer(input_tokens: int = 12, output_tokens: int = 3, **more: Any) -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    return Answer({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}, **more)


def most(text: str = "hi") -> Decimal:
    """USD that a call of this text may take."""
    asked = Request(({"role": "user", "content": text},), options={"max_tokens": LONGEST})
    return Decimal(input_bound(asked) + LONGEST * 10) / 10**6


@pytest.fixture(autouse=True)
def priced(alias: Alias) -> None:
    alias(price=PRICE, options=f"{{ max_tokens = {LONGEST} }}")


@pytest.fixture
def books(workspace: Path) -> Books:
    """What is booked under a key, read without our own code."""

    def read(key: str) -> dict[str, int]:
        with contextlib.closing(sqlite3.connect(workspace / "mlruns" / "gen_toolkit.db")) as connection:
            connection.row_factory = sqlite3.Row
            return dict(connection.execute("SELECT * FROM budgets WHERE key = ?", (key,)).fetchone())

    return read


@contextlib.contextmanager
def held_to(*limits: str) -> Iterator[None]:
    """Inside runs 1, 2, … with these budgets, outermost first."""
    made = tuple(scope.Budget(f"run:{n}", Amount.of(limit), f"run {n}") for n, limit in enumerate(limits, 1))
    with scope.inside(budgets=made):
        yield


def outcomes(calls: int, **options: Any) -> list[gt.Reply | BudgetExceeded]:
    """Of so many calls at once: the reply, or that there was no room for it."""

    async def one(number: int) -> gt.Reply | BudgetExceeded:
        try:
            return await gt.achat(f"{number:04}", **options)
        except BudgetExceeded as refused:
            return refused

    async def all_of_them() -> list[gt.Reply | BudgetExceeded]:
        return await asyncio.gather(*map(one, range(calls)))

    return asyncio.run(all_of_them())


# the call that would cross


@pytest.mark.parametrize("dear", [False, True], ids=["calls that take little", "calls that take all they may"])
def test_with_64_in_flight_the_server_never_sees_the_call_that_would_cross_one_cent(
    server: OpenAIServer, books: Books, dear: bool
) -> None:
    bill: list[Decimal] = []

    def take(body: dict[str, Any]) -> Answer:
        input_tokens = len(body["messages"][0]["content"].encode()) + 250 if dear else 100
        output_tokens = body["max_tokens"] if dear else 5
        bill.append(Decimal(input_tokens + output_tokens * 10) / 10**6)
        return answer(input_tokens, output_tokens, delay=0.02)

    server.say(take)
    limit = Decimal("0.01")
    with held_to("0.01 USD"):
        done = [one for _ in range(2) for one in outcomes(64)]
    replies = [one for one in done if isinstance(one, gt.Reply)]
    refused = [one for one in done if isinstance(one, BudgetExceeded)]
    assert len(replies) == len(server.seen) == len(bill)
    assert len(refused) == 128 - len(replies) > 0
    assert limit - most("0000") < sum(bill) <= limit  # all that was safe was made
    assert {(one.exit_code, one.limit, one.budget) for one in refused} == {(4, "0.01 USD", "run 1")}
    assert all(Amount.of(one.needed).usd == most("0000") for one in refused)
    booked = books("run:1")
    assert from_pico(booked["spent_money"]) == sum(bill) == sum(reply.cost or 0 for reply in replies)
    assert booked["reserved_money"] == 0


ASK = """
import asyncio, sys, gen_toolkit as gt
from gen_toolkit.models.links import budget

budget._clock = lambda: 1_795_780_800.0  # one day, also when a real one ends meanwhile

async def say(hang):
    print("asked", flush=True)
    await asyncio.sleep(60 * hang)
    return "yes"

sys.stdin.readline()
model = gt.ScriptedModel(lambda messages: say("hang" in sys.argv))
try:
    while True:
        gt.chat("hi", model=model, max_tokens=20)
except gt.GenToolkitError as error:
    print(error.code)
"""
SMALL = 2  # tokens of a call that such a child makes


@contextlib.contextmanager
def children(many: int, *arguments: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that ask until they are refused, all from the same moment on."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([sys.executable, "-c", ASK, *arguments], **pipes) for _ in range(many)]
    try:
        for one in started:
            one.stdin.write("go\n")  # type: ignore[union-attr]
            one.stdin.flush()  # type: ignore[union-attr]
        yield started
    finally:
        for one in started:
            one.kill()
            one.communicate()


def test_processes_share_the_budget_of_the_day(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_BUDGETS", '{"day": "400 tokens"}')
    with children(3) as started:
        said = [one.communicate(timeout=60)[0].split() for one in started]
    assert [lines[-1] for lines in said] == ["budget"] * 3
    made = sum(lines.count("asked") for lines in said)
    need = input_bound(Request(({"role": "user", "content": "hi"},), options={"max_tokens": 20})) + 20
    assert 400 - 3 * need < made * SMALL <= 400 - need + SMALL
    booked = books("day:2026-11-27")
    assert (booked["spent_tokens"], booked["reserved_tokens"]) == (made * SMALL, 0)


@pytest.mark.chaos
def test_a_process_killed_in_flight_leaves_what_it_held_in_place(
    books: Books, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call may be on the bill."""
    monkeypatch.setenv(scope.BUDGETS_MARK, scope.written((scope.Budget("run:1", Amount.of("500 tokens"), "run 1"),)))
    with children(1, "hang") as (killed,):
        assert killed.stdout is not None
        assert killed.stdout.readline() == "asked\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
    held = books("run:1")["reserved_tokens"]
    assert 300 < held < 400
    with pytest.raises(BudgetExceeded, match=f"{held} tokens are held for calls on their way"):
        gt.chat("hi")
    assert server.seen == []


# what an attempt takes


def test_an_attempt_that_may_be_billed_counts_and_so_does_the_next(server: OpenAIServer, books: Books) -> None:
    server.say(error(500), answer())
    with held_to("1 USD"):
        assert gt.chat("hi").attempts == 2
    assert from_pico(books("run:1")["spent_money"]) == most() + ONE


def test_a_retry_that_might_cross_is_not_made_and_the_journal_says_what_was(
    server: OpenAIServer, workspace: Path
) -> None:
    server.say(error(500))
    with held_to(f"{most() * 2 - Decimal('0.000001')} USD"), pytest.raises(BudgetExceeded) as caught:
        gt.chat("hi")
    assert len(server.seen) == 1
    assert (caught.value.data["attempts"], caught.value.data["unanswered"]) == (1, 1)
    with contextlib.closing(sqlite3.connect(workspace / "mlruns" / "gen_toolkit.db")) as connection:
        assert connection.execute("SELECT state, attempts, unanswered, cost FROM calls").fetchall() == [
            ("failed", 1, 1, None)
        ]


def test_an_attempt_that_is_surely_on_no_bill_is_free(server: OpenAIServer, books: Books) -> None:
    server.say(error(400))
    with held_to("1 USD, 10000 tokens"), pytest.raises(ModelRefused):
        gt.chat("hi")
    booked = books("run:1")
    assert {booked[name] for name in booked if name != "key"} == {0}


def test_an_attempt_that_the_deadline_cut_off_counts_as_all_it_might_have_taken(
    server: OpenAIServer, books: Books, alias: Alias
) -> None:
    alias(price=PRICE, options=f"{{ max_tokens = {LONGEST} }}", deadline_s="0.5")
    server.say(answer(delay=30))
    with held_to("1 USD"), pytest.raises(DeadlineExceeded):
        gt.chat("hi")
    gt.chat("a call whose record is written after it", model=gt.ScriptedModel("yes"))
    assert from_pico(books("run:1")["spent_money"]) == most()


def test_a_stream_is_held_and_counted_like_any_call(server: OpenAIServer, books: Books) -> None:
    server.say(answer())
    with held_to("1 USD, 10000 tokens"):
        assert "".join(piece.text for piece in gt.stream("hi")) == "yes"
    booked = books("run:1")
    assert (from_pico(booked["spent_money"]), booked["spent_tokens"]) == (ONE, 15)
    assert (booked["reserved_money"], booked["reserved_tokens"]) == (0, 0)
    with held_to(f"{most()} USD"), pytest.raises(BudgetExceeded):
        list(gt.stream("hi"))
    assert len(server.seen) == 1


def test_an_answer_that_does_not_say_what_it_took_counts_as_all_it_might_have_taken(
    server: OpenAIServer, books: Books
) -> None:
    silent = answer()
    server.say(Answer({**silent.body, "usage": None}))
    with held_to("1 USD"):
        assert gt.chat("hi").cost is None
    assert from_pico(books("run:1")["spent_money"]) == most()
    assert books("run:1")["unknown_tokens"] == 1


def test_waiting_for_room_is_not_the_providers_time(server: OpenAIServer, alias: Alias) -> None:
    alias(price=PRICE, options=f"{{ max_tokens = {LONGEST} }}", deadline_s="3.2")
    gt.chat("hi")  # connections and libraries are there
    server.say(answer(1, 1, delay=0.3))
    before = time.monotonic()
    with held_to(f"{most('0000') + 12 * Decimal('0.000011')} USD"):  # one after the other
        done = outcomes(12)
    assert all(isinstance(one, gt.Reply) for one in done)
    assert time.monotonic() - before > 12 * 0.3 > 3.2


# which budgets hold


def test_a_budget_of_tokens_needs_no_price(server: OpenAIServer, alias: Alias, books: Books) -> None:
    alias(options=f"{{ max_tokens = {LONGEST} }}")
    server.say(answer())
    with held_to("400 tokens"):
        assert gt.chat("hi").cost is None
        with pytest.raises(BudgetExceeded, match="is 400 tokens: 15 tokens are spent, and this call may take 4"):
            gt.chat("hi" * 40)
    assert books("run:1")["spent_tokens"] == 15


@pytest.mark.parametrize(("limits", "by"), [(("0.0001 USD", "1 USD"), "run 1"), (("1 USD", "0.0001 USD"), "run 2")])
def test_of_nested_budgets_each_holds(server: OpenAIServer, books: Books, limits: tuple[str, str], by: str) -> None:
    with held_to(*limits), pytest.raises(BudgetExceeded) as caught:
        gt.chat("hi")
    assert caught.value.budget == by
    assert server.seen == []
    assert books("run:1")["reserved_money"] == books("run:2")["reserved_money"] == 0


def test_a_day_ends_at_midnight_utc(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, books: Books) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_BUDGETS", f'{{"day": "{most()} USD"}}')
    now = [1_795_780_800.0 + 12 * 3600 - 1]  # 2026-11-27 23:59:59 UTC
    monkeypatch.setattr("gen_toolkit.models.links.budget._clock", lambda: now[0])
    server.say(answer())
    gt.chat("hi")
    with pytest.raises(BudgetExceeded, match="the workspace on 2026-11-27"):
        gt.chat("hi")
    now[0] += 1
    gt.chat("hi")
    assert [from_pico(books(f"day:2026-11-{day}")["spent_money"]) for day in (27, 28)] == [ONE, ONE]


def test_a_budget_declared_at_noon_knows_the_morning(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.say(answer())
    gt.chat("hi")
    monkeypatch.setenv("GEN_TOOLKIT_BUDGETS", f'{{"day": "{most()} USD"}}')
    with pytest.raises(BudgetExceeded) as caught:
        gt.chat("hi")
    assert Amount.of(caught.value.spent).usd == ONE
    assert "budgets.day" in caught.value.fix


def test_without_a_budget_nothing_is_booked(server: OpenAIServer, workspace: Path) -> None:
    gt.chat([{"role": "user", "content": [{"type": "file", "file": {"file_id": "1"}}]}], max_tokens=None)
    with contextlib.closing(sqlite3.connect(workspace / "mlruns" / "gen_toolkit.db")) as connection:
        assert connection.execute("SELECT count(*) FROM budgets").fetchone() == (0,)


@pytest.mark.parametrize("mode", ["reuse", "replay"])
def test_an_answer_that_is_known_needs_no_budget(server: OpenAIServer, mode: str) -> None:
    server.say(answer())
    with scope.inside(mode="live", row=scope.Row("1")):
        gt.chat("hi")
    with scope.inside(mode=mode, row=scope.Row("1")), held_to("0 USD, 0 tokens"):
        assert gt.chat("hi").source == mode
    assert len(server.seen) == 1


# what no budget can hold


def refused(limit: str, *advice: str, **options: Any) -> None:
    with held_to(limit), pytest.raises(InputError, match="a budget") as caught:
        gt.chat("hi", **options)
    assert caught.value.exit_code == 2
    for words in advice:
        assert words in caught.value.fix


@pytest.mark.parametrize("limit", ["1 USD", "1000 tokens"])
def test_a_call_that_does_not_bound_its_answer_is_refused_with_advice(
    server: OpenAIServer, alias: Alias, limit: str
) -> None:
    alias(price=PRICE)
    refused(limit, "max_tokens=…", "options = { max_tokens = … } into alias 'fast'")
    assert server.seen == []


def test_money_cannot_hold_an_alias_whose_price_is_not_known(server: OpenAIServer, alias: Alias) -> None:
    alias()
    refused("1 USD", "price = { input = …, output = … }", "'fast'", max_tokens=5)
    assert server.seen == []


def test_a_free_answer_needs_no_bound_under_money_and_one_under_tokens(server: OpenAIServer, alias: Alias) -> None:
    alias(price="{ input = 1.0, output = 0 }")
    server.say(answer())
    with held_to("1 USD"):
        assert gt.chat("hi").text == "yes"
    refused("1000 tokens")
    model = gt.ScriptedModel({"*": "yes"})
    with held_to("0 USD"):
        assert gt.chat("hi", model=model).text == "yes"
    refused("1000 tokens", model=model)
    with held_to("1000 tokens"):
        assert gt.chat("hi", model=model, max_tokens=1).text == "yes"


def test_a_choice_bounds_itself(books: Books) -> None:
    with held_to("1000 tokens"):
        assert gt.choose("a or b?", ["a", "b"], model=gt.ScriptedModel("a")).value == "a"


def test_an_overload_that_lasts_is_told_as_such_and_not_as_a_budget(server: OpenAIServer, alias: Alias) -> None:
    alias(price=PRICE, options=f"{{ max_tokens = {LONGEST} }}", max_attempts="2")
    server.say(error(503))
    with held_to("1 USD"), pytest.raises(ModelOverloaded):
        gt.chat("hi")


@pytest.mark.model
def test_a_real_tokenizer_makes_fewer_tokens_than_the_bound(workspace: Path) -> None:
    text = "\n".join([*CORPUS[5:], "🎬" * 8, " " * 40, "0" * 20, "日本語の映画"])
    asked = Request(({"role": "user", "content": text},), options={"max_tokens": 1})
    taken = gt.chat(text, model="local", max_tokens=1).usage.input_tokens
    assert taken is not None
    assert 100 < taken < input_bound(asked) - 256  # also without what is added for a server's own texts
