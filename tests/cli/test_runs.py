"""gen runs list and gen runs show: pages, filters, attempts, and JSON for scripts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import notebook_cells
import pytest
from typer.testing import CliRunner

from gen_toolkit.cli.app import app
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError, NotFound
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.jobs.rows import Ended, NewRun

DIFFERS = {
    "before": "b", "now": "n", "prompt": "label@4", "row": "7", "cause": "the time: use gt.due() in place of now()",
    "was": "it is 2026-11-24", "is": "it is 2026-11-25",
}  # fmt: skip


def run(name: str, state: Ended, reason: Reason | None = None, **facts: Any) -> str:
    ledger = Ledger(open_database())
    time.sleep(0.001)  # ids of one millisecond have no order
    lease = ledger.begin(NewRun(name, "job", "x.ipynb", {"limit": 3}, **facts))
    assert lease is not None
    ledger.finish(lease, state, reason, {"kept": {"accuracy": 0.75}, "calls": 1, "cost_usd": "0"})
    ledger.told(lease.attempt)
    return lease.run


def gen(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def listed(*arguments: str) -> list[str]:
    return [row["id"] for row in json.loads(gen("runs", "list", "--json", *arguments))]


def test_runs_are_listed_by_pages_and_narrowed() -> None:
    a, b, c = (
        run("labels", "succeeded"),
        run("other", "failed", Reason("no such file", 3, "OSError")),
        run("labels", "lost"),
    )
    part = run("labels", "succeeded", parent=a)
    assert listed() == [part, c, b, a]
    assert listed("--limit", "2") == [part, c]
    assert listed("--before", c) == [b, a]
    assert listed("--name", "labels", "--state", "succeeded") == [part, a]
    assert listed("--parent", a[:30]) == [part]
    assert listed("--text", "NO SUCH") == [b]
    assert listed("--since", "1h") == [part, c, b, a]
    assert listed("--since", "2100-01-01") == []
    shown = gen("runs", "list", "--limit", "2")
    assert f"older ones: --before {c}" in shown
    assert "accuracy 0.75" in shown
    assert "OSError: no such file" in gen("runs", "list", "--before", c)
    assert "older" not in gen("runs", "list")
    assert gen("runs", "list", "--name", "nobody") == "no such runs\n"


def test_half_a_character_in_what_a_run_kept_is_printed_as_json_has_it(workspace: Path) -> None:
    ledger = Ledger(open_database())
    lease = ledger.begin(NewRun("labels", "job", "x.ipynb", {}))
    assert lease is not None
    ledger.finish(lease, "succeeded", None, {"kept": {"reply": "good \ud83d", "é": "é"}})
    ledger.told(lease.attempt)
    for arguments in (("list",), ("show", lease.run), ("show", lease.run, "--follow")):
        done = notebook_cells.gen("runs", *arguments, "--json", cwd=workspace)
        assert (done.returncode, done.stderr) == (0, "")
        assert "good \\ud83d" in done.stdout
        assert "é" in done.stdout
    assert notebook_cells.gen("runs", "show", lease.run, cwd=workspace).returncode == 0


def test_an_empty_list_says_how_to_begin() -> None:
    assert gen("runs", "list") == "no runs yet; start one with: gen run NAME\n"


def test_what_names_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"'succeded' is no state. Did you mean 'succeeded'\?"):
        gen("runs", "list", "--state", "succeded")
    with pytest.raises(NotFound):
        gen("runs", "list", "--before", "ffffffff")


def test_a_run_is_shown_with_its_attempts_and_with_what_the_last_one_reused() -> None:
    ledger = Ledger(open_database())
    first = run("labels", "failed", Reason("no answer", 5, "ConnectionError"))
    assert "attempt" not in gen("runs", "show", first)
    lease = ledger.resume(first)
    last = {"calls": 3, "reused": 412, "differ": 1, "differences": [DIFFERS]}
    ledger.finish(lease, "succeeded", None, {"calls": 3}, total={"calls": 415, "last_attempt": last})
    shown = gen("runs", "show", first)
    assert "reused 412, new 3, of these 1 in place of requests of an attempt before" in shown
    assert "label@4 row 7: the time: use gt.due() in place of now()" in shown
    assert "was  …it is 2026-11-24" in shown
    for attempt in ledger.attempts(first):
        assert attempt.id[:13] in shown
        assert gen("runs", "show", attempt.id) == shown
    told = json.loads(gen("runs", "show", first, "--json"))
    assert [(one["number"], one["state"]) for one in told["history"]] == [(1, "failed"), (2, "succeeded")]
    assert told["history"][0]["reason"]["error"] == "ConnectionError"
    assert told["attempts"] == 2


def test_what_waits_is_cancelled_and_what_has_ended_stays_as_it_was() -> None:
    ledger = Ledger(open_database())
    waiting = NewRun("labels", "job", "x.ipynb", {})
    ledger.submit(waiting)
    assert gen("cancel", waiting.id) == f"run {waiting.id[:13]} is cancelled\n"
    assert gen("cancel", waiting.id) == f"run {waiting.id[:13]} had ended already: cancelled\n"
    assert json.loads(gen("cancel", waiting.id, "--json"))["state"] == "cancelled"
    lease = ledger.begin(NewRun("labels", "job", "x.ipynb", {}))
    assert lease is not None
    assert "is asked to stop" in gen("cancel", lease.run, "--no-wait")
    assert ledger.beat(lease) == "cancel"
