"""gen runs show --follow, --html and gen runs peek, as they are printed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Gen, gen
from hostile import CORPUS, strange_characters
from typer.testing import CliRunner

from gen_toolkit.cli.app import app
from gen_toolkit.cli.follow import print_lines
from gen_toolkit.cli.show_peek import peek_text
from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.ledger import Ledger, Reason
from gen_toolkit.jobs.peek import Peeked
from gen_toolkit.jobs.rows import Ended, NewRun

__all__ = ["gen"]
WORDS = "\n".join(CORPUS)


def ended(state: Ended, reason: Reason | None = None, folder: Path | None = None) -> str:
    ledger = Ledger(open_database())
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {"limit": 3}), folder=folder)
    assert lease is not None
    ledger.finish(lease, state, reason, {"kept": {"n": 1}})
    ledger.told(lease.attempt)
    return lease.run


def events(*told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from ({"at": 1000.0, **one} for one in told)


def test_a_run_that_has_ended_prints_its_outcome_and_the_exit_code_says_how(gen: Gen) -> None:
    assert "label  succeeded" in gen("runs", "show", ended("succeeded"), "--follow")
    run = ended("failed", Reason("no", 3, "ValueError"))
    done = CliRunner().invoke(app, ["runs", "show", run, "--follow"])
    assert done.exit_code == 1  # no error of the command: its output is there
    assert "cell 3: ValueError: no" in done.stdout
    (line,) = gen("runs", "show", run, "--follow", "--json", code=1).splitlines()
    assert json.loads(line)["event"] == "ended"
    assert json.loads(line)["run"]["state"] == "failed"


def test_in_a_log_each_thing_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    told = events(
        {"event": "waits", "not_before": None, "why": None},
        {"event": "attempt", "number": 1, "id": "a", "folder": "/not/here"},
        {"event": "cell", "cell": 4, "of": 9, "line": "label(rows)"},
        {"event": "output", "cell": 4, "text": "one\ntw"},
        {"event": "still"},
        {"event": "output", "cell": 4, "text": "o"},
        {"event": "progress", "line": "10/100"},
        {"event": "progress", "line": "11/100"},
        {"event": "kept", "name": "n", "value": 1},
        {"event": "spent", "calls": 3, "cost_usd": "0.0012"},
        {"event": "ran", "cell": 4, "seconds": 12.3},
        {"event": "attempt-ended", "number": 1, "state": "failed", "reason": {"message": "no answer"}, "seconds": 1},
        {"event": "waits", "not_before": time.mktime((2026, 11, 24, 9, 30, 0, 0, 0, -1)), "why": "no answer"},
        {"event": "parts", "ended": 2, "of": 40},
        {"event": "ended", "run": {}},
    )
    assert print_lines(told, "label") == {"at": 1000.0, "event": "ended", "run": {}}
    assert capsys.readouterr().out.splitlines() == [
        "it waits",
        "attempt 1 is under way (its files are not on this machine: what it prints is not seen here)",
        "cell 4/9  label(rows)",
        "one",
        "two",
        "  10/100",
        "  cell 4 took 12.3 s, 3 calls, $0.0012 so far",
        "attempt 1  failed: no answer",
        "it waits until 09:30:00: the last attempt ended, no answer",
        "2 of 40 parts have ended",
    ]


def test_in_a_terminal_a_line_below_says_where_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    at = time.time() - 90
    print_lines(
        events(
            {"event": "cell", "cell": 4, "of": 9, "line": "x", "at": at},
            {"event": "spent", "calls": 3, "cost_usd": None},
            {"event": "progress", "line": "10/100"},
            {"event": "output", "cell": 4, "text": "half a line"},
            {"event": "ended", "run": {}},
        ),
        "label",
    )
    said = capsys.readouterr()
    assert said.out == "cell 4/9  x\nhalf a line\n"
    *_, last, end = said.err.split("\r\x1b[2K")
    assert last.startswith("label · cell 4/9 for 9")
    assert last.endswith(" s · 3 calls, unknown · 10/100")
    assert end == ""  # and nothing over a line that is not finished


def test_hostile_output_drives_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines(
        events(
            {"event": "attempt", "number": 1, "id": "a", "folder": None},
            {"event": "cell", "cell": 1, "of": 1, "line": WORDS},
            {"event": "output", "cell": 1, "text": WORDS},
            {"event": "progress", "line": WORDS},
            {"event": "attempt-ended", "number": 1, "state": "failed", "reason": {"message": WORDS}, "seconds": 1},
            {"event": "waits", "not_before": None, "why": WORDS},
            {"event": "ended", "run": {}},
        ),
        "label",
    )
    said = capsys.readouterr()
    assert strange_characters(said.out + said.err) == []


def test_a_page_is_written_and_its_path_printed(gen: Gen, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    run = ended("succeeded", folder=folder)
    assert gen("runs", "show", run, "--html") == f"{folder / 'run.html'}\n"
    named = tmp_path / "page.html"
    assert json.loads(gen("runs", "show", run, "--html", str(named), "--json")) == {"run": run, "file": str(named)}
    assert named.read_text().startswith("<!DOCTYPE html>")
    assert "Add --html" in gen("runs", "show", run, str(named), code=2)
    assert "two things" in gen("runs", "show", run, "--html", "--follow", code=2)


def test_what_is_seen_of_a_run_under_way_is_told_in_lines() -> None:
    ledger = Ledger(open_database())
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}))
    assert lease is not None
    run = ledger.find(lease.run)
    variables = ({"name": "rows", "type": "list", "value": "[1, 2]"}, {"name": WORDS, "type": WORDS, "value": WORDS})
    seen = Peeked(run.id, 2, 61.0, 4, 9, WORDS, 12.3, "10/100", 3, "0.0012", 93.4, variables)
    told = peek_text(run, seen)
    for part in (
        "label  running for 61.0 s",
        "attempt 2",
        "cell 4/9 for 12.3 s",
        "10/100",
        "3 calls, $0.0012",
        "93 MB",
    ):
        assert part in told
    assert "rows" in told
    assert strange_characters(told) == []
    blind = Peeked(run.id, 1, 61.0, None, 9, "", None, "", 0, "0", None, None, "its kernel is xeus-r")
    assert "variables   not known: its kernel is xeus-r" in peek_text(run, blind)
    assert "between two cells" in peek_text(run, blind)


def test_what_does_not_run_cannot_be_looked_into(gen: Gen) -> None:
    run = ended("succeeded")
    assert f"gen runs show {run[:13]}" in gen("runs", "peek", run, code=2)
