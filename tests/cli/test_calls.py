"""gen calls: what was asked, what it cost, what is kept; every refusal is one line."""

from __future__ import annotations

import json
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from commands import Gen, gen
from journal_rows import asked, failed, insert, row, stored

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.cli.show_costs import money
from gen_toolkit.database.engine import open_database
from gen_toolkit.events import RunStarted
from gen_toolkit.journal.costs import Cost
from gen_toolkit.journal.holds import hold
from gen_toolkit.tracking import spool

__all__ = ["gen"]
HASHES = dict.fromkeys(("key", "cassette_key", "request_hash"), "0123456789abcdef" * 4)
GONE = {"process": "another-host 1 1", "days": 1.0}


def _day(days: int) -> str:
    """The date so many days ago: to be asked before and after, as one may end meanwhile."""
    return time.strftime("%Y-%m-%d", time.localtime(time.time() - days * 86400))


def test_the_list_shows_the_newest_first_with_what_they_took(gen: Gen) -> None:
    days = {_day(3)}
    insert(row(days=3, prompt="old@1"), failed(days=2, alias="slow"), row(cost=None, output_tokens=None), asked(**GONE))
    head, _, *lines = gen("calls", "list").splitlines()
    assert head.split() == ["call", "asked", "prompt", "alias", "state", "took", "tokens", "cost"]
    assert [line.split()[5] for line in lines] == ["answered", "lost", "failed", "answered"]
    assert "10+?" in lines[0]
    assert lines[0].endswith("unknown")
    assert "$0.003000" in lines[3]
    assert any(day in lines[3] for day in days | {_day(3)})


def test_the_list_can_be_narrowed(gen: Gen) -> None:
    run = scope.new_id()
    insert(row(days=3, run=run), failed(days=2, alias="slow"), row(prompt="other@1"))

    def found(*arguments: str) -> list[str]:
        return [call["prompt"] for call in json.loads(gen("calls", "list", "--json", *arguments))]

    assert found() == ["other@1", "label@1", "label@1"]
    assert found("--prompt", "label", "--state", "failed", "--alias", "slow") == ["label@1"]
    assert found("--run", run[:10]) == ["label@1"]
    assert found("--since", "1d") == found("--limit", "1") == ["other@1"]
    assert found("--since", time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() - 86400))) == ["other@1"]
    assert found("--since", "2000-01-01", "--prompt", "nobody") == []
    assert gen("calls", "list", "--alias", "nobody") == "no such calls\n"


def test_where_nothing_was_called_that_is_said(gen: Gen) -> None:
    assert gen("calls", "list") == "no calls yet\n"
    assert gen("calls", "cost") == "no calls in this time\n"


def test_show_tells_what_was_asked_answered_and_paid(gen: Gen) -> None:
    reply = gt.chat([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi \x1b[2J"}],
                    model=gt.ScriptedModel("hello there"))  # fmt: skip
    said = gen("calls", "show", reply.id[:30])
    source = f"process {os.getpid()} on "
    spoken = ("[system]\nBe brief.", "[user]\nhi", "[reply]\nhello there")
    for piece in (reply.id, "answered", "scripted:", source, "4 in, 2 out", "$0.000000", *spoken):
        assert piece in said
    assert "\x1b" not in said
    assert json.loads(gen("calls", "show", reply.id, "--json"))["reply"]["text"] == "hello there"


def test_show_tells_what_a_call_stands_in_for_and_what_went_wrong(gen: Gen) -> None:
    (first,) = insert(failed(alias="fast", unanswered=2, attempts=3))
    (second,) = insert(row(alias="local", instead_of=first, reply={"text": "", "tool_calls": [{"name": "f"}]}))
    said = gen("calls", "show", first)
    assert "3, 2 without an answer that may be on the bill" in said
    assert "[error model-overloaded]\nnot now. Wait." in said
    assert f"instead      {second} (local, answered)" in said
    other = gen("calls", "show", second)
    assert f"in place of  {first} (fast, failed)" in other
    assert '{"name": "f"}' in other


def test_show_says_why_a_body_is_not_there(gen: Gen) -> None:
    days = {_day(0)}
    never, removed, lost = insert(
        row(request=None, reply=None), row(request=None, reply=None, pruned_at=time.time()), asked(**GONE)
    )
    assert gen("calls", "show", never).count("was not kept: its alias keeps hashes only") == 2
    said = gen("calls", "show", removed)
    assert any(said.count(f"was removed on {day}") == 2 for day in days | {_day(0)})
    assert "whether it was answered, and is on the bill, is not known" in gen("calls", "show", lost)


def test_costs_have_a_total_and_say_what_is_not_in_it(gen: Gen) -> None:
    insert(
        row(cost=2 * 10**12),
        row(cost=10**12, alias="slow"),
        row(cost=None),
        failed(unanswered=1),
        asked(**GONE),
        asked(),
    )
    _, _, fast, slow, total, *notes = gen("calls", "cost", "--by", "alias").splitlines()
    assert fast.split() == ["fast", "5", "1", "≥", "30", "≥", "6", "≥", "$2.000000", "(3", "unknown)"]
    assert slow.split() == ["slow", "1", "10", "2", "$1.000000"]
    assert total.endswith("≥ $3.000000 (3 unknown)")
    assert notes == [
        "calls that ended with an unknown cost (no price, no usage, or no answer): 2",
        "attempts without an answer, which may be on the bill: 1",
        "calls whose process went away before an answer, which may be on the bill: 1",
        "calls still under way: 1",
    ]
    told = json.loads(gen("calls", "cost", "--by", "alias", "--json"))
    assert [group["alias"] for group in told["groups"]] == ["fast", "slow"]
    assert (told["total"]["cost"], told["total"]["exact"], told["total"]["lost"]) == ("3", False, 1)


def test_costs_by_run_name_the_run_and_many_are_cut_but_not_the_total(gen: Gen) -> None:
    run = scope.new_id()
    spool.put(open_database(), RunStarted(run=run, name="shorter wording", run_kind="run"), "u", "e")
    insert(row(run=run, cost=9 * 10**12), *(row(run=scope.new_id(), cost=10**12) for _ in range(4)))
    _, _, first, _, rest, total = gen("calls", "cost", "--limit", "2").splitlines()
    assert first.startswith(f"{run[:13]} shorter wording")
    assert rest.startswith("3 others")
    assert total.split()[-1] == "$13.000000"


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (Cost(2), "$0.000000"),
        (Cost(2, cost=Decimal(1)), "$1.000000"),
        (Cost(2, unknown=2), "unknown (2)"),
        (Cost(2, unknown=1, lost=1), "unknown (2)"),
        (Cost(2, unanswered=1), "≥ $0.000000"),
    ],
)
def test_an_unknown_cost_is_never_nothing(cost: Cost, shown: str) -> None:
    assert money(cost) == shown


def test_prune_removes_what_is_old_by_the_setting_and_says_what_is_held(gen: Gen, workspace: Path) -> None:
    (workspace / "gen_toolkit.toml").write_text("bodies_days = 3")
    insert(row(days=4), row(days=4, run="held"), row(days=2))
    hold(open_database(), "held", "release x/1")
    would = gen("calls", "prune", "--dry-run")
    assert would.endswith(" to remove: 1\nkept, because of a hold: 1\n")
    assert all(call.request for call in stored().values())
    assert " removed: 1\n" in gen("calls", "prune")
    assert json.loads(gen("calls", "prune", "--older-than", "1h", "--json"))["calls"] == 1
    assert [call.run for call in stored().values() if call.request] == ["held"]


def test_calls_leave_and_enter_by_a_file(gen: Gen, workspace: Path) -> None:
    insert(row(**HASHES), row(**HASHES, run=(run := scope.new_id())))
    assert gen("calls", "export", "all.jsonl") == "calls written to all.jsonl: 2\n"
    assert gen("calls", "export", "one.jsonl", "--run", run[:9], "--json") == '{"calls": 1, "file": "one.jsonl"}\n'
    assert gen("calls", "import", "all.jsonl") == "calls added: 0, here already: 2\n"
    (workspace / "mlruns" / "gen_toolkit.db").unlink()
    assert json.loads(gen("calls", "import", "one.jsonl", "--json")) == {"added": 1, "known": 0}
    assert "imported from a file" in gen("calls", "show", json.loads(gen("calls", "list", "--json"))[0]["id"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "--state", "anwsered"], "Did you mean 'answered'?"),
        (["list", "--since", "soon"], "Write 7d"),
        (["list", "--since", "99999999999d"], "no length of time"),
        (["cost", "--by", "model"], "--by cannot be 'model'"),
        (["prune", "--older-than", "30"], "Write 45m, 12h, 30d or 2w"),
        (["show", "0197"], "8 characters"),
        (["show", "ffffffff"], "gen calls list"),
        (["import", "nowhere.jsonl"], "cannot be read"),
        (["import", "gen_toolkit.toml"], "line 1 is not a recorded call"),
        (["export", "nowhere/x.jsonl"], "cannot be written"),
        (["export", "x.jsonl", "--run", "nobody"], "no calls of run 'nobody'"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_in_one_line(gen: Gen, workspace: Path, arguments: list[str], says: str) -> None:
    (workspace / "gen_toolkit.toml").write_text('experiment = "x"\n')
    assert says in gen("calls", *arguments, code=2)
    error: dict[str, Any] = json.loads(gen("calls", *arguments, "--json", code=2))["error"]
    assert error["fix"]
