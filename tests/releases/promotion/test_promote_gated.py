"""The whole way of a notebook through its gates: refused, overridden, let through, and executed again offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import furnish, written
from released import promoted

from gen_toolkit.cli.promote import promote as promote_command
from gen_toolkit.database.engine import open_database
from gen_toolkit.datasets.read import dataset
from gen_toolkit.errors import CheckFailed, GateRefused
from gen_toolkit.journal.store import count
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promotion.evidence import Evidence, Scored
from gen_toolkit.releases.promotion.make import EVIDENCE
from gen_toolkit.releases.promotion.promote import Wanted, promote
from gen_toolkit.releases.reproduction.tested import release_tested
from gen_toolkit.releases.seal import seal, verify

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(600)]

_GATES = """live = 1
[gates]
rows = 20
[gates.scores.accuracy]
low_at_least = 0.5
against_live = "not worse"
"""
ROWS = [
    {"text": f"{said} film {number}", "label": label}
    for number in range(20)
    for said, label in (("good", "positive"), ("bad", "negative"))
]
_CELL = """
import gen_toolkit as gt
label = gt.Prompt("label", user="WORDING {{ text }}")
result = gt.evaluate(label, ROWS, model="dry", scorer=gt.scorers.exact("label", name="accuracy"), name="wording")
greeting = [gt.chat("hello", model="dry").text, gt.chat("hello", model="dry").text]
"""
_LAST = "greeting.append(gt.chat('hello', model='dry').text)\ngt.keep('accuracy', result.mean())"
_REPLIES = {"always no": "negative", "good": "positive", "bad": "negative", "*": "positive"}


def wording(workspace: Path, text: str) -> Path:
    return written(
        workspace / "notebooks/label.ipynb", _CELL.replace("WORDING", text).replace("ROWS", repr(ROWS)), _LAST
    )


@pytest.fixture
def pipeline(workspace: Path) -> Pipeline:
    """Its live release got three in four of the rows right."""
    furnish(workspace)
    (workspace / "replies.json").write_text(json.dumps(_REPLIES))
    made = promoted(wording(workspace, "Well:"), "label").pipeline
    folder = made.release_folder()
    scores = {row.id: {"accuracy": float(number % 4 != 0)} for number, row in enumerate(dataset(ROWS))}
    params = {"dataset_digest": dataset(ROWS).digest, "scorers": "accuracy"}
    live = Evidence("0199", 0.0, True, {}, {}, (Scored("0199", "wording", params, {}, {}, scores),), {})
    (folder / EVIDENCE).write_text(json.dumps(live.to_json()))
    manifest = json.loads((folder / "manifest.json").read_text())
    seal(folder, {key: value for key, value in manifest.items() if key not in ("seal", "files")})
    made.file.write_text(_GATES)
    return made


def command(path: Path, **given: Any) -> None:
    """As `gen promote` is called."""
    wanted = {"run": "", "evaluate": False, "override": "", "as_json": False, **given}
    promote_command(path, name="label", **wanted)


def test_a_worse_prompt_is_refused_with_the_table_and_overridden_with_a_reason(
    pipeline: Pipeline, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = wording(workspace, "always no")
    with pytest.raises(GateRefused, match="no run is of this very code") as refused:
        command(path)
    assert "--evaluate" in refused.value.fix

    with pytest.raises(GateRefused, match="2 of 3 gates say no") as refused:
        command(path, evaluate=True)
    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines[3:]]
    assert lines[1].split() == ["gate", "asked", "found", "verdict"]
    assert [(line[0], line[-1]) for line in table] == [("rows", "yes"), ("accuracy", "NO"), ("accuracy", "NO")]
    assert "0.500 [0.352, 0.648]" in lines[4]
    assert "worse than release 1 (-0.250" in lines[5]
    assert [gate["passed"] for gate in refused.value.to_json()["gates"]] == [True, False, False]
    assert (pipeline.numbers(), pipeline.live) == ([1], 1)

    calls = count(open_database())
    done = promote(path, "label", Wanted(evaluate=True), override="the shop is closed")
    assert (done.number, done.executed, pipeline.live) == (2, True, 2)
    assert count(open_database()) == calls  # all answers were known
    release = pipeline.release_folder()
    override = verify(release)["override"]
    assert (override["reason"], len(override["failed"])) == ("the shop is closed", 2)
    assert "the shop is closed" in (release / "review.md").read_text()

    (workspace / "replies.json").write_text(json.dumps({"*": "never asked"}))
    again = release_tested("label")
    assert str(again) == "identical: 3 cells, 1 kept value, 43 calls"


def test_a_better_prompt_passes_and_its_run_is_named_for_other_code_in_vain(
    pipeline: Pipeline, workspace: Path
) -> None:
    better = promote(wording(workspace, "Better:"), "label", Wanted(evaluate=True))
    assert (better.number, [gate.passed for gate in better.case.gates]) == (2, [True, True, True])
    assert "better than release 1 (+0.250" in better.case.gates[-1].said
    again = promote(wording(workspace, "Better:"), "label")
    assert (again.number, again.made, pipeline.numbers()) == (2, False, [1, 2])
    evidence = better.case.evidence
    assert evidence is not None
    with pytest.raises(GateRefused, match=r"is of other code than label\.ipynb has now: cell 2 differs"):
        promote(wording(workspace, "Other:"), "label", Wanted(run=evidence.run[:23]))


def test_a_notebook_that_does_not_run_through_becomes_no_release(workspace: Path) -> None:
    furnish(workspace)
    path = written(workspace / "notebooks/label.ipynb", "import gen_toolkit as gt\ngt.keep('n', limit)", "1 / 0")
    with pytest.raises(CheckFailed, match=r"cell 4 of label\.ipynb, run from top to bottom in a fresh kernel"):
        promote(path, "label")
    assert not (workspace / "pipelines").exists()
