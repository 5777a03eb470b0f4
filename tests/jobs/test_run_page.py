"""The page of a run: what happened in a sentence, why, what was kept and spent; one file that loads nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hostile import CORPUS, strange_characters
from notebook_cells import code, written
from test_executed_html import dangers

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import SetupError
from gen_toolkit.jobs.attempt_log import LOG
from gen_toolkit.jobs.ledger import Ledger, Reason, RunRow
from gen_toolkit.jobs.rows import Ended, NewRun
from gen_toolkit.jobs.run_page import page, write_page
from gen_toolkit.jobs.steps import FILE

OUTCOME = {
    "kept": {"accuracy": 0.71234, "label": "positive", "rows": [{"text": "a", "n": 1}, {"text": "b", "n": 2}]},
    "calls": 3, "reused": 412, "cost_usd": "0.01", "input_tokens": 10, "output_tokens": 2, "peak_memory_mb": 93.4,
    "cells": [{"cell": 1, "seconds": 0.01}, {"cell": 2, "seconds": 12.5}],
}  # fmt: skip
WHY = Reason("no such row", 2, "KeyError", "Traceback\n  line 1\nKeyError: no such row")


def ended(folder: Path, state: Ended, reason: Reason | None = None, **facts: Any) -> RunRow:
    ledger = Ledger(open_database())
    folder.mkdir()
    printed = {"output_type": "stream", "name": "stdout", "text": "printed by the cell"}
    written(folder / "notebook.ipynb", code("rows['x']", outputs=[printed]))
    (folder / LOG).write_text("first\nlast words\n")
    run = NewRun(
        "label", "job", "notebooks/label.ipynb", facts.get("parameters", {"limit": 3}), release=4, digest="ab" * 32
    )
    lease = ledger.begin(run, folder=folder)
    assert lease is not None
    ledger.finish(lease, state, reason, facts.get("outcome", OUTCOME))
    return ledger.find(lease.run)


def shown(html: str) -> str:
    """The words on the page."""
    body = html.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_page_tells_state_why_parameters_kept_cells_and_log(tmp_path: Path) -> None:
    run = ended(tmp_path / "a", "failed", WHY)
    path = write_page(open_database(), run)
    assert path == tmp_path / "a" / "run.html"
    assert path.stat().st_mode & 0o777 == 0o600
    html = path.read_text()
    words = shown(html)
    for part in (
        "label · release 4", "It failed in cell 2 after", "KeyError: no such row", "rows[&#x27;x&#x27;]", "line 1",
        "limit 3", "accuracy 0.7123", "label positive", "rows 2 rows, 2 columns", "12.5 s", "412 answers",
        "last words", "printed by the cell", "93 MB", run.id,
    ):  # fmt: skip
        assert part in words, part
    assert [float(width) for width in re.findall(r'class="bar" style="width:([\d.]+)%', html)] == [0.1, 100.0]
    assert "default-src 'none'" in html
    assert dangers(html) == []


def test_a_run_that_succeeded_waits_or_runs_has_a_page_too(tmp_path: Path) -> None:
    ledger, database = Ledger(open_database()), open_database()
    good = shown(page(database, ended(tmp_path / "a", "succeeded")))
    assert "It succeeded after" in good
    assert " Why " not in good
    waiting = NewRun("label", "job", "x.ipynb", {})
    ledger.submit(waiting)
    assert "It waits." in shown(page(database, ledger.find(waiting.id)))
    lease = ledger.begin(NewRun("label", "job", "x.ipynb", {}), folder=tmp_path / "b")
    assert lease is not None
    (tmp_path / "b").mkdir()
    step = {"event": "ran", "cell": 1, "seconds": 3.5, "at": 1.0, "log": 0}
    (tmp_path / "b" / FILE).write_text(json.dumps(step) + "\n")
    words = shown(page(database, ledger.find(lease.run)))
    assert "It is running, as of this page," in words
    assert "3.5 s" in words


def test_hostile_texts_stay_texts_wherever_they_stand(tmp_path: Path) -> None:
    words = "\n".join(CORPUS)
    outcome = {**OUTCOME, "kept": {"text": words, "rows": [{words: words}], "deep": {words: [words]}}}
    outcome["last_attempt"] = {
        "calls": 1, "reused": 1, "differ": 1,
        "differences": [{"prompt": words, "row": words, "cause": words, "was": words, "is": words}],
    }  # fmt: skip
    run = ended(tmp_path / "a", "failed", Reason(words, 1, words, words), parameters={words: words}, outcome=outcome)
    written(tmp_path / "a" / "notebook.ipynb", words, parameters=words)
    (tmp_path / "a" / LOG).write_text(words)
    html = page(open_database(), run)
    assert dangers(html) == []
    assert strange_characters(html) == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_notebook_that_is_none_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    run = ended(tmp_path / "a", "failed", WHY)
    (tmp_path / "a" / "notebook.ipynb").write_text("torn {")
    words = shown(page(open_database(), run))
    assert "is not a notebook" in words
    assert "accuracy 0.7123" in words
    (tmp_path / "a" / "notebook.ipynb").unlink()
    assert "no executed notebook" in shown(page(open_database(), run))


def test_another_file_can_be_named_and_one_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    run = ended(tmp_path / "a", "succeeded")
    assert write_page(open_database(), run, tmp_path / "page.html") == tmp_path / "page.html"
    with pytest.raises(SetupError, match="cannot be written"):
        write_page(open_database(), run, tmp_path / "nowhere" / "page.html")
