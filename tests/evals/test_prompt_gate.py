"""The gate before `live`: what an evaluation must say, and what a person may say instead."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit.errors import GateRefused, PromptError, PromptNotFound
from gen_toolkit.evals.prompt_gate import look, promote
from gen_toolkit.prompts.registry import find_version
from gen_toolkit.tracking import evaluations
from gen_toolkit.tracking.aliases import move, moves
from gen_toolkit.tracking.evaluations import Evaluation
from gen_toolkit.tracking.registry import Version, entry

RIGHT = gt.scorers.exact("label", name="accuracy")
ROWS = [{"text": f"n{n}", "label": "good"} for n in range(30)]
GOOD, BAD, SAME = "good {{ text }}", "bad {{ text }}", "also good {{ text }}"


def prompt(text: str) -> gt.Prompt:
    return gt.Prompt("label", user=text, output=Literal["good", "bad"])


def evaluated(subject: gt.Prompt, rows: int = 10, **more: Any) -> gt.evals.result.Result:  # type: ignore[name-defined]
    model = gt.ScriptedModel({"good": "good", "*": "bad"})
    return gt.evaluate(subject, ROWS[:rows], scorer=RIGHT, model=model, **more)


def test_the_first_version_goes_live_with_an_evaluation_of_enough_rows(store: Store) -> None:
    saved = prompt(GOOD).save()
    with pytest.raises(GateRefused, match="label@1 does not go live: no evaluation of it is known") as raised:
        promote("label", "1", "live")
    assert raised.value.exit_code == 1
    assert 'gt.evaluate(gt.load_prompt("label@1"), rows, scorer=…); ' in raised.value.fix
    assert 'gen prompts promote label 1 live --reason "…"' in raised.value.fix
    evaluated(saved, rows=29)
    with pytest.raises(GateRefused, match="scored 29 rows at most, and 30 are asked for"):
        promote("label", "1", "live")
    evaluated(saved, rows=30)
    version, moved, gate = promote("label", "1", "live")
    assert gate is not None
    assert (version, gate.passed) == (1, True)
    assert moved is not None
    assert "nothing was live to compare with (run " in moved.gate
    assert gt.load_prompt("label@live").version == 1


def go(which: str) -> tuple[int, Any, Any]:
    return promote("label", which, "live", rows=10)


@pytest.fixture
def live(store: Store) -> Store:
    """Version 1 is live, version 2 is the candidate."""
    prompt(SAME).save()
    move("label", "live", 1, "promote")
    return store


def test_a_version_that_is_not_worse_than_the_live_one_goes_live(live: Store) -> None:
    evaluated(prompt(GOOD).save(), baseline="label@live")
    _, moved, gate = go("2")
    assert moved is not None
    assert gate is not None
    assert gate.evaluation is not None
    assert "accuracy: no difference shown to label@1" in moved.gate
    assert "10 rows" in moved.gate
    assert gt.load_prompt("label@live").version == 2


def test_a_better_one_goes_live_and_a_worse_one_does_not(store: Store) -> None:
    prompt(BAD).save()
    move("label", "live", 1, "promote")
    evaluated(prompt(GOOD).save(), baseline="label@live")
    assert go("2")[2].said.startswith("accuracy: better than label@1")
    evaluated(gt.load_prompt("label@1"), baseline="label@live")
    with pytest.raises(GateRefused, match=r"label@1 does not go live: accuracy: worse than label@2 .*10 rows"):
        go("1")
    assert gt.load_prompt("label@live").version == 2


def test_an_evaluation_before_the_save_counts_because_it_was_of_this_text(live: Store) -> None:
    evaluated(prompt(GOOD), baseline="label@live")
    prompt(GOOD).save()
    assert go("2")[1] is not None


def test_a_result_given_as_baseline_counts_as_its_prompt(live: Store) -> None:
    evaluated(prompt(GOOD).save(), baseline=evaluated(gt.load_prompt("label@live")))
    assert go("2")[1] is not None


def test_an_evaluation_without_the_live_version_is_no_evidence(live: Store) -> None:
    prompt(BAD).save()
    candidate = prompt(GOOD).save()
    evaluated(candidate)
    evaluated(candidate, baseline="label@2")
    with pytest.raises(GateRefused, match="none of its evaluations is compared with label@1, which is live") as raised:
        go("3")
    assert 'baseline="label@live"' in raised.value.fix


def test_an_evaluation_against_what_was_live_before_is_no_evidence_any_more(live: Store) -> None:
    evaluated(prompt(GOOD).save(), baseline="label@live")
    prompt("good? {{ text }}").save()
    move("label", "live", 3, "promote")
    with pytest.raises(GateRefused, match="compared with label@3"):
        go("2")


def test_the_newest_that_can_be_judged_by_decides(live: Store) -> None:
    candidate = prompt(GOOD).save()
    evaluated(candidate, baseline="label@live")
    worse = gt.ScriptedModel({"also": "good", "*": "bad"})
    gt.evaluate(candidate, ROWS[:10], scorer=RIGHT, model=worse, baseline="label@live")
    with pytest.raises(GateRefused, match="worse than label@1"):
        go("2")
    evaluated(candidate, rows=5, baseline="label@live")  # too small to be judged by
    with pytest.raises(GateRefused, match="worse than label@1"):
        go("2")
    evaluated(candidate, baseline="label@live")
    assert go("2")[1] is not None


def test_every_cell_of_a_grid_must_not_be_worse_whatever_their_order(live: Store) -> None:
    candidate = prompt(GOOD).save()
    worse = gt.ScriptedModel({"also": "good", "*": "bad"}, name="worse")
    alike = gt.ScriptedModel({"*": "good"}, name="alike")
    for models in ([worse, alike], [alike, worse]):
        gt.evaluate(candidate, ROWS[:10], scorer=RIGHT, model=models, baseline="label@live")
        with pytest.raises(GateRefused, match="label@2 does not go live: accuracy: worse than label@1"):
            go("2")
    also = gt.ScriptedModel({"*": "good"}, name="also")
    grid = gt.evaluate(candidate, ROWS[:10], scorer=RIGHT, model=[alike, also], baseline="label@live")
    said = go("2")[2].said
    assert all(cell.run[:13] in said for cell in grid)


def test_evaluations_of_one_run_that_are_no_grid_stand_each_for_itself(live: Store) -> None:
    candidate = prompt(GOOD).save()
    worse = gt.ScriptedModel({"also": "good", "*": "bad"})
    with gt.run("an evening"):
        gt.evaluate(candidate, ROWS[:10], scorer=RIGHT, model=worse, baseline="label@live")
        evaluated(candidate, baseline="label@live")
    assert go("2")[1] is not None


def test_neither_the_repeats_of_a_row_nor_the_cells_of_a_grid_are_further_rows(store: Store) -> None:
    candidate = prompt(GOOD).save()
    evaluated(candidate, rows=1, repeats=30)
    with pytest.raises(GateRefused, match="its evaluations scored 1 rows at most, and 30 are asked for"):
        promote("label", "1", "live")
    models = [gt.ScriptedModel({"*": "good"}, name=name) for name in ("a", "b", "c")]
    gt.evaluate(candidate, ROWS[:10], scorer=RIGHT, model=models)
    with pytest.raises(GateRefused, match="its evaluations scored 10 rows at most, and 30 are asked for"):
        promote("label", "1", "live")


def test_a_verdict_on_repeats_rests_on_as_many_rows_as_there_are(live: Store) -> None:
    evaluated(prompt(GOOD).save(), rows=6, repeats=5, baseline="label@live")
    assert not look(find_version("label", "2"), find_version("label", "1"), rows=7).passed
    assert look(find_version("label", "2"), find_version("label", "1"), rows=6).passed


def test_a_version_of_which_more_rows_fail_does_not_go_live_however_good_the_others_are(live: Store) -> None:
    model = gt.ScriptedModel({"also": "good", **{f"n{n}": "neither" for n in range(20, 30)}, "*": "good"})
    gt.evaluate(prompt(GOOD).save(), ROWS, scorer=RIGHT, model=model, baseline="label@live")
    with pytest.raises(GateRefused, match=r"more of its rows fail: accuracy: no difference shown .*10 only here"):
        go("2")


def test_rows_without_a_score_do_not_count(live: Store) -> None:
    def fails(value: Any, row: Any) -> bool:
        if row["text"] == "n7":
            raise ValueError("no")
        return True

    model = gt.ScriptedModel({"*": "good"})
    gt.evaluate(prompt(GOOD).save(), ROWS[:10], scorer=fails, model=model, baseline="label@live")
    with pytest.raises(GateRefused, match="scored 9 rows at most"):
        go("2")
    assert promote("label", "2", "live", rows=9)[1] is not None


def test_a_run_that_broke_off_is_no_evaluation(live: Store) -> None:
    candidate = prompt(GOOD).save()
    with pytest.raises(gt.GenToolkitError):
        gt.evaluate(candidate, ROWS[:10], scorer=RIGHT, model=gt.ScriptedModel([]), baseline="label@live")
    with pytest.raises(GateRefused, match="no evaluation of it is known"):
        go("2")


def test_a_reason_opens_the_gate_and_is_recorded_with_what_the_gate_said(live: Store) -> None:
    prompt(BAD).save()
    _, moved, gate = promote("label", "2", "live", reason="the provider switches the old model off")
    assert gate is not None
    assert not gate.passed
    found = entry("label")
    assert found is not None
    assert moves(found)[-1] == moved
    assert moved is not None
    assert moved.why == "the provider switches the old model off"
    assert moved.gate == "overridden: no evaluation of it is known"
    with pytest.raises(GateRefused):
        promote("label", "1", "live", reason="  ")


def test_other_aliases_move_freely_and_a_version_may_be_named_by_one(live: Store) -> None:
    prompt(GOOD).save()
    assert promote("label", "2", "staging")[::2] == (2, None)
    assert promote("label", "staging", "canary")[0] == 2
    assert promote("label", "2", "staging")[1] is None
    with pytest.raises(GateRefused):
        go("staging")


def test_what_is_live_already_needs_no_gate(live: Store) -> None:
    assert go("1") == (1, None, None)


@pytest.mark.parametrize(
    ("name", "version", "alias", "kind"),
    [
        ("label", "9", "live", PromptNotFound),
        ("nobody", "1", "staging", PromptNotFound),
        ("a/b", "1", "staging", PromptError),
        ("a b", "1", "staging", PromptError),
        ("label", "1", "7", PromptError),
        ("label", "1", "a b", PromptError),
        ("label", "1 or 2", "live", PromptError),
    ],
)
def test_what_does_not_exist_or_cannot_be_named_is_refused(
    live: Store, name: str, version: str, alias: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        promote(name, version, alias)


COUNTS = "; 3 rows won, 1 lost of 40; p = 0.6, exact McNemar)"


@pytest.mark.parametrize(
    ("verdicts", "passes"),
    [
        ({"acc": f"acc: better than label@1 (+0.100{COUNTS}"}, True),
        ({"acc": f"acc: better than label@1 · generate (+0.100 [+0.010, +0.190]{COUNTS}"}, True),
        ({"acc": f"acc: no difference shown to label#0123abcd (-0.010{COUNTS}"}, True),
        ({"acc": f"acc: worse than label@1 (-0.100{COUNTS}"}, False),
        ({"acc": f"acc: too few rows to compare with label@1 (+0.100{COUNTS}"}, False),
        ({"acc": f"acc: better than label@1 (+nan{COUNTS}"}, False),
        ({"acc": "acc: better than label@1 (+0.100; 3 rows won, 1 lost of 29; p = 0.6, exact McNemar)"}, False),
        ({"acc": f"acc: better than label@11 (+0.100{COUNTS}"}, False),
        ({"acc": f"acc: better than other-label@1 (+0.100{COUNTS}"}, False),
        ({"acc": f"acc: as good as label@1 (+0.100{COUNTS}"}, False),
        ({"a": f"a: better than label@1 (+0.1{COUNTS}", "b": f"b: worse than label@1 (-0.1{COUNTS}"}, False),
        ({"a": f"a: better than label@1 (+0.1{COUNTS}", "b": f"b: worse than label@7 (-0.1{COUNTS}"}, True),
        ({"better than label@1 (+1": f"better than label@1 (+1: worse than label@1 (-0.1{COUNTS}"}, False),
        ({}, False),
    ],
)
def test_verdicts_are_read_as_they_stand_in_mlflow(
    monkeypatch: pytest.MonkeyPatch, verdicts: dict[str, str], passes: bool
) -> None:
    known = [Evaluation("run-1", "name", 1.0, rows=40, failed=0, verdicts=verdicts)]
    monkeypatch.setattr("gen_toolkit.evals.prompt_gate.evaluations_of", lambda names: known)
    live = Version("label", 1, {}, "0123abcd" * 8)
    assert look(Version("label", 2, {}, "f" * 64), live).passed is passes


def test_what_mlflow_does_not_say_is_unknown_and_no_number(live: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [Evaluation("run-1", "name", 1.0, rows=None, failed=None, verdicts={})]
    monkeypatch.setattr("gen_toolkit.evals.prompt_gate.evaluations_of", lambda names: known)
    assert not look(find_version("label", "1"), None).passed


def test_evaluations_are_found_by_prompt_the_newest_first(live: Store) -> None:
    candidate = prompt(GOOD).save()
    first, second = evaluated(candidate, baseline="label@live"), evaluated(candidate, rows=3)
    evaluated(gt.load_prompt("label@1"))
    found = evaluations.evaluations_of(["label@2", "label#00000000"])
    assert [(e.run, e.rows, e.failed) for e in found] == [(second.run, 3, 0), (first.run, 10, 0)]
    assert found[1].verdicts == {"accuracy": str(first.verdicts[0])}
