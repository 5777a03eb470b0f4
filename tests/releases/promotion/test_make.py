"""What a release holds beside what runs: the evidence, the calls, the reference, the page, the uncommitted change."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import KEEPS, code, furnish, notebook, written

from gen_toolkit import Prompt
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import CheckFailed
from gen_toolkit.ipynb import write_notebook
from gen_toolkit.jobs.once import take_as_done
from gen_toolkit.journal.asked import Asked
from gen_toolkit.journal.cassette import Cassette
from gen_toolkit.releases.check import checked
from gen_toolkit.releases.freeze import freeze
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promotion.evidence import Case, Evidence, Judged, Scored
from gen_toolkit.releases.promotion.make import make, read_evidence
from gen_toolkit.releases.seal import verify

KEY = "sk-" + "a1" * 12
FILES = {"cassette.jsonl", "evidence.json", "reference.ipynb", "reference.json", "review.html", "review.md"}


def answer(text: str | None, key: str = "k1", **more: Any) -> Asked:
    reply = None if text is None else {"text": text, "seconds": 0.1}
    return Asked("run", "r1", key, "dry", "label@1", reply, more.get("error"), 1, 1, Decimal(0), 0.1)


@pytest.fixture
def case(workspace: Path) -> Case:
    furnish(workspace, mlflow=False)
    output = {"output_type": "stream", "name": "stdout", "text": "3 films\n"}
    executed = workspace / "executed.ipynb"
    write_notebook(executed, notebook(code("print(3)", outputs=[output])))
    scored = Scored("0199", "wording", {"scorers": "accuracy"}, {"accuracy": 1.0}, {}, {"r1": {"accuracy": 1.0}})
    took = {"calls": 1, "cost_usd": 0.0, "seconds": 1.0, "input_tokens": 1, "output_tokens": 1}
    return Case(Evidence("01990000", 5.0, True, {}, {"n": 1}, (scored,), took, executed))


def made(case: Case, *answers: Asked, **more: Any) -> Path:
    root = Path.cwd()
    subject = checked(written(root / "notebooks/label.ipynb", KEEPS))
    pipeline = Pipeline("label", root / "pipelines/label")
    return pipeline.releases / str(make(pipeline, freeze(subject), subject, case, answers, **more))


def test_all_of_it_is_there_and_sealed(case: Case) -> None:
    folder = made(case, answer("positive"), answer("negative", "k2"))
    assert verify(folder)["files"].keys() == FILES
    assert {path.name for path in folder.iterdir()} == {*FILES, "manifest.json", "notebook.ipynb"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    assert read_evidence(folder) == replace(case.evidence, notebook=None)  # type: ignore[type-var]  # it has evidence
    assert "01990000" in json.dumps(verify(folder)["evidence"])


def test_a_file_that_is_saved_after_it_was_frozen_is_released_as_it_was(case: Case) -> None:
    helpers, root = Path("helpers.py"), Path.cwd()
    helpers.write_text("x = 'as frozen'\n")
    subject = checked(written(root / "notebooks/label.ipynb", KEEPS, "import helpers"), ("helpers.py",))
    helpers.write_text("x = 'saved while it was checked'\n")
    frozen = freeze(subject)
    helpers.write_text("x = 'saved while it was executed'\n")
    pipeline = Pipeline("label", root / "pipelines/label")
    folder = pipeline.releases / str(make(pipeline, frozen, subject, case))
    assert verify(folder)["release"] == 1
    assert (folder / "include/helpers.py").read_text() == "x = 'as frozen'\n"
    assert "as frozen" in (folder / "review.md").read_text()


def test_the_cassette_holds_the_newest_reply_of_each_call(case: Case) -> None:
    error = {"code": "model", "message": "no answer"}
    answers = [
        answer("old"),
        answer(None, error=error),
        answer("new"),
        answer(None, "k2", error=error),
        answer(None, "k3"),
    ]
    cassette = Cassette(made(case, *answers) / "cassette.jsonl")
    assert [cassette.find(key) for key in ("k1", "k2", "k3")] == [
        {"key": "k1", "reply": {"text": "new", "seconds": 0.1}},
        {"key": "k2", "error": error},
        None,
    ]


def test_an_override_is_on_record_with_what_it_overrides(case: Case) -> None:
    gates = (Judged("rows at least 9", False, "1"), Judged("cost per run at most 1 USD", True, "0"))
    manifest = verify(made(replace(case, gates=gates, reason="the shop is closed")))
    assert manifest["override"]["reason"] == "the shop is closed"
    assert manifest["override"]["failed"] == ["rows at least 9: 1"]
    assert manifest["override"]["by"]
    assert [gate["passed"] for gate in manifest["evidence"]["gates"]] == [False, True]


@pytest.mark.parametrize(
    ("leak", "says"),
    [
        ({"text": "mail ada@example.com"}, "the reply of 'dry' to label@1, row r1 holds an e-mail address"),
        ({"text": KEY}, "the reply of 'dry' to label@1, row r1 holds what looks like a secret"),
    ],
)
def test_what_must_not_be_in_a_repository_makes_no_release(case: Case, leak: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckFailed, match=f"release 1 of label is not made: {says}"):
        made(case, answer(leak["text"]))
    assert list(Path("pipelines/label/releases").iterdir()) == []


@pytest.mark.parametrize(
    ("part", "holds", "says"),
    [
        ("prompts", {"a@live": {"version": 4, "content": Prompt("a", user=KEY).content()}}, "the prompt a@live"),
        ("prompt_files", {"a.md": {"name": "a", "content": Prompt("a", user=KEY).content()}}, "the prompt file a.md"),
        ("fragments", {"tone": f"kind {KEY}"}, "the fragment tone"),
    ],
)
def test_a_secret_in_what_it_asks_makes_no_release(case: Case, part: str, holds: dict[str, Any], says: str) -> None:
    root = Path.cwd()
    subject = checked(written(root / "notebooks/label.ipynb", KEEPS))
    frozen = freeze(subject)
    pipeline = Pipeline("label", root / "pipelines/label")
    with pytest.raises(CheckFailed, match=f"release 1 of label is not made: {says} holds what looks like a secret"):
        make(pipeline, replace(frozen, content={**frozen.content, part: holds}), subject, case)
    assert pipeline.numbers() == []


@pytest.mark.parametrize("place", ["output", "kept", "parameter", "row", "effect"])
def test_personal_data_is_found_wherever_it_would_be_written(case: Case, place: str) -> None:
    mail, evidence = "ada@example.com", case.evidence
    assert evidence is not None
    if place == "output":
        assert evidence.notebook is not None
        evidence.notebook.write_text(evidence.notebook.read_text().replace("3 films", mail))
    elif place == "effect":
        take_as_done(open_database(), evidence.run, {"order": {"sent to": mail}})
    elif place == "row":
        evidence = replace(evidence, evaluations=(replace(evidence.evaluations[0], scores={mail: {"accuracy": 1.0}}),))
    else:
        evidence = replace(evidence, **{"kept" if place == "kept" else "parameters": {"to": mail}})
    with pytest.raises(CheckFailed, match="holds an e-mail address"):
        made(replace(case, evidence=evidence))
    assert verify(made(replace(case, evidence=evidence), personal=False))["release"] == 1


def test_an_uncommitted_change_stands_beside_it_without_notebooks(case: Case) -> None:
    def git(*arguments: str) -> None:
        name = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
        subprocess.run(["git", *name, *arguments], check=True, capture_output=True)

    git("init")
    Path("helpers.py").write_text("x = 1\n")
    written(Path("notebooks/label.ipynb"), "old = 1")
    git("add", "helpers.py", "notebooks")
    git("commit", "-m", "first")
    Path("helpers.py").write_text("x = 2\n")
    folder = made(case)
    diff = (folder / "dirty.diff").read_text()
    assert ("+x = 2" in diff, "ipynb" in diff) == (True, False)
    assert (verify(folder)["dirty"], "dirty.diff" in verify(folder)["files"]) == (True, True)
    Path("helpers.py").write_text(f"key = '{KEY}'\n")
    with pytest.raises(CheckFailed, match=r"the uncommitted change \(dirty\.diff\) holds what looks like a secret"):
        made(case)
