"""Gates as pipeline.toml declares them, and what figures say to them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from notebook_cells import furnish

from gen_toolkit.errors import SettingError
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promotion.evidence import Evidence, Judged, Scored
from gen_toolkit.releases.promotion.gates import Gates, read_gates
from gen_toolkit.releases.promotion.judge import judge

DIGEST = "d" * 64


def gates(declared: str) -> Gates:
    found = read_gates(tomllib.loads(declared)["gates"], "pipeline.toml")
    assert found is not None
    return found


def scored(right: str, *, name: str = "wording", digest: str = DIGEST, scorer: str = "accuracy", **more: Any) -> Scored:
    """One row a letter: `1` right, `0` wrong, `x` failed."""
    scores = {f"r{n}": {scorer: None if mark == "x" else float(mark)} for n, mark in enumerate(right)}
    counted = [float(mark) for mark in right if mark != "x"]
    mean = sum(counted) / max(1, len(counted))
    metrics = {"rows": len(right), "rows_failed": right.count("x"), scorer: mean, f"{scorer}.low": mean - 0.1}
    metrics |= {f"{scorer}.high": mean + 0.1, **more.pop("metrics", {})}
    params = {"dataset": "reviews", "dataset_digest": digest, "scorers": scorer, **more.pop("params", {})}
    took = more.pop("took", {"cost_usd": 0.02, "seconds": 5.0})
    return Scored("0199", name, params, metrics, {}, scores, more.pop("groups", {}), took)


def evidence(*evaluations: Scored, cost: float | None = 0.05, decides: str = "") -> Evidence:
    took = {"calls": 10, "cost_usd": cost, "seconds": 12.0, "input_tokens": 1, "output_tokens": 1}
    return Evidence("01990000-0000", 0.0, True, {}, {}, evaluations, took, decides=decides)


def judged(declared: str, now: Evidence, live: Evidence | None = None, title: str | None = None) -> list[Judged]:
    return list(judge(gates(declared), now, live, title))


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ("[gates]\nrow = 3", r"gates\.row is not known\. Did you mean 'rows'"),
        ("[gates]\nrows = 0", r"gates\.rows is 0\. It must be a whole number, 1 or more"),
        ("[gates]\nrows = true", r"gates\.rows is True"),
        ("[gates]\nfailed_rows = 1.5", r"gates\.failed_rows is 1\.5"),
        ("[gates]\ncost_usd_per_row = '1 USD'", r"gates\.cost_usd_per_row is '1 USD'\. It must be a number"),
        ("[gates]\nseconds_per_run = -1", r"gates\.seconds_per_run is -1"),
        ("[gates]\nseconds_per_run = nan", r"gates\.seconds_per_run is nan"),
        ("[gates]\nagreement = 2", r"gates\.agreement is 2\.0"),
        ("[gates]\nevaluation = ''", r"gates\.evaluation is ''"),
        ("[gates]\nscores = 3", r"gates\.scores is 3"),
        ("[gates.scores]\naccuracy = 0.7", r"gates\.scores is .*a table for each scorer"),
        ("[gates.scores.accuracy]\nleast = 0.7", r"gates\.scores\.accuracy\.least is not known"),
        ("[gates.scores.accuracy]\nat_least = 'x'", r"gates\.scores\.accuracy\.at_least is 'x'"),
        ("[gates.scores.accuracy]\nagainst_live = 'same'", r'against_live is .same.\. It must be "better" or "not wo'),
        ("[gates.scores.accuracy]\nat_least = 1\ndetect = 0.1", r"detect is 0\.1.*beside against_live"),
        ("[gates.scores.accuracy]", r"gates\.scores\.accuracy is .*asks for something"),
    ],
)
def test_what_no_gate_can_be_is_refused_by_file_and_key(workspace: Any, declared: str, says: str) -> None:
    furnish(workspace, mlflow=False)
    pipeline = Pipeline("label", workspace / "pipelines/label")
    pipeline.folder.mkdir(parents=True)
    pipeline.file.write_text(declared, encoding="utf-8")
    with pytest.raises(SettingError, match=rf"pipeline\.toml: .*{says}"):
        pipeline.settings()


@pytest.mark.parametrize(
    ("declared", "passed", "said"),
    [
        ("[gates.scores.accuracy]\nat_least = 0.75", True, "0.750 [0.650, 0.850]"),
        ("[gates.scores.accuracy]\nat_least = 0.76", False, "0.750 [0.650, 0.850]"),
        ("[gates.scores.accuracy]\nat_most = 0.74", False, "0.750 [0.650, 0.850]"),
        ("[gates.scores.accuracy]\nlow_at_least = 0.65", True, "0.750 [0.650, 0.850]"),
        ("[gates.scores.accuracy]\nlow_at_least = 0.66", False, "0.750 [0.650, 0.850]"),
        ("[gates.scores.accuracy]\nhigh_at_most = 0.84", False, "0.750 [0.650, 0.850]"),
        ("[gates.scores.style]\nat_least = 0", False, "no row was scored by 'style'"),
        ("[gates]\nrows = 4", True, "4 of 5"),
        ("[gates]\nrows = 5", False, "4 of 5"),
        ("[gates]\nfailed_rows = 0", False, "1 of 5"),
        ("[gates]\nfailed_rows = 1", True, "1 of 5"),
        ("[gates]\ncost_usd_per_row = 0.004", True, "$0.004000"),
        ("[gates]\ncost_usd_per_row = 0.0039", False, "$0.004000"),
        ("[gates]\ncost_usd_per_run = 0.05", True, "$0.050000"),
        ("[gates]\nseconds_per_row = 0.9", False, "1"),
        ("[gates]\nseconds_per_run = 12", True, "12"),
    ],
)
def test_a_gate_passes_where_the_figure_is_within_its_bound(declared: str, passed: bool, said: str) -> None:
    (found,) = judged(declared, evidence(scored("1110x")))
    assert (found.passed, found.said) == (passed, said)
    assert f"{found.about} {found.asked}" == found.gate


def test_an_unknown_cost_passes_no_ceiling() -> None:
    (found,) = judged("[gates]\ncost_usd_per_run = 1000", evidence(cost=None))
    assert (found.passed, found.said) == (False, "unknown")


def test_a_score_without_an_interval_passes_no_bound_of_it() -> None:
    one = scored("1111")
    one = replace(one, metrics={"rows": 4, "rows_failed": 0, "accuracy": 1.0})
    (found,) = judged("[gates.scores.accuracy]\nlow_at_least = 0.1", evidence(one))
    assert (found.passed, found.said) == (False, "1.000, its interval is unknown")


OLD = "1" * 20 + "0" * 20
AGAINST = '[gates.scores.accuracy]\nagainst_live = "{}"'


@pytest.mark.parametrize(
    ("new", "asked", "passed", "says"),
    [
        ("1" * 30 + "0" * 10, "better", True, "better than release 3 (+0.250"),
        ("1" * 30 + "0" * 10, "not worse", True, "better than release 3"),
        ("1" * 21 + "0" * 19, "better", False, "no difference shown to release 3"),
        ("1" * 21 + "0" * 19, "not worse", True, "no difference shown to release 3"),
        ("1" * 10 + "0" * 30, "not worse", False, "worse than release 3 (-0.250"),
        ("1" * 10 + "0" * 30, "better", False, "0 rows won, 10 lost of 40"),
        ("x" * 36 + "1100", "not worse", False, "too few rows"),
        ("x" * 5 + "1" * 15 + "0" * 20, "not worse", True, "; failed: 5 only here, 0 only there"),
        ("x" * 6 + "1" * 14 + "0" * 20, "not worse", False, "more rows fail: 6 only here, 0 only there, p = 0.0312"),
        ("x" * 6 + "1" * 34, "better", False, "better than release 3"),
    ],
)
def test_against_the_live_release_the_rows_decide_in_pairs(new: str, asked: str, passed: bool, says: str) -> None:
    live = evidence(scored(OLD))
    (found,) = judged(AGAINST.format(asked), evidence(scored(new)), live, "release 3")
    assert found.passed is passed
    assert says in found.said
    assert found.gate == f"accuracy {asked} than release 3"


def test_with_a_difference_that_matters_too_few_rows_do_not_pass() -> None:
    declared = AGAINST.format("not worse") + "\ndetect = 0.02"
    (found,) = judged(declared, evidence(scored(OLD)), evidence(scored(OLD[::-1])), "release 3")
    assert not found.passed
    assert "a difference of 0.02 needs about" in found.said


def test_of_what_should_be_small_less_is_better() -> None:
    params = {"less_is_better": "accuracy"}
    live = evidence(scored(OLD, params=params))
    (found,) = judged(AGAINST.format("better"), evidence(scored("1" * 10 + "0" * 30, params=params)), live, "release 3")
    assert found.passed


def test_rows_that_belong_together_count_together() -> None:
    groups = {f"r{n}": f"g{n // 20}" for n in range(40)}
    live = evidence(scored(OLD, groups=groups))
    (found,) = judged(AGAINST.format("better"), evidence(scored("1" * 30 + "0" * 10, groups=groups)), live, "release 3")
    assert not found.passed
    assert "in 2 groups" in found.said


@pytest.mark.parametrize(
    ("live", "title", "passed", "says"),
    [
        (None, None, True, "nothing is live yet"),
        (None, "release 1", False, "rests on no evaluation that is known"),
        (evidence(), "release 1", False, "made no evaluation"),
        (
            evidence(scored(OLD, digest="e" * 64)),
            "release 1",
            False,
            "was scored on other rows (reviews eeeeeeee, 40 rows",
        ),
        (evidence(scored(OLD, scorer="style")), "release 1", False, "no row was scored by 'accuracy' on both sides"),
    ],
)
def test_what_cannot_be_compared_with_what_is_live_says_so(
    live: Evidence | None, title: str | None, passed: bool, says: str
) -> None:
    (found,) = judged(AGAINST.format("not worse"), evidence(scored(OLD)), live, title)
    assert (found.passed, says in found.said) == (passed, True)
    assert passed or "--override" in found.advice


def test_of_several_evaluations_the_one_that_is_named_decides() -> None:
    both = (scored("1111", name="A"), scored("0000", name="B, chosen"))
    declared = "[gates.scores.accuracy]\nat_least = 0.5"
    (found,) = judged(declared, evidence(*both))
    assert (found.passed, "made 2 evaluations, 'A', 'B, chosen'" in found.said) == (False, True)
    assert "evaluation in [gates]" in found.advice
    assert judged(f'[gates]\nevaluation = "A"\n{declared}', evidence(*both))[0].passed
    assert not judged(declared, evidence(*both, decides="B, chosen"))[0].passed
    assert judged(f'[gates]\nevaluation = "A"\n{declared}', evidence(*both, decides="B, chosen"))[0].passed
    (found,) = judged(f'[gates]\nevaluation = "C"\n{declared}', evidence(*both))
    assert "no evaluation called 'C'; there is 'A', 'B, chosen'" in found.said
    assert judged(declared, evidence(scored("0000", name="A"), scored("1111", name="A")))[0].passed


def test_a_run_is_held_to_its_ceilings_also_without_an_evaluation() -> None:
    (found,) = judged("[gates]\nseconds_per_run = 60", evidence())
    assert found.passed
    (found,) = judged("[gates]\nseconds_per_run = 60\nrows = 1", evidence())
    assert (found.passed, "made no evaluation" in found.said) == (False, True)


@pytest.mark.parametrize("asked", ["rows = 1", "failed_rows = 0", "agreement = 0.6", "seconds_per_row = 60"])
def test_what_only_an_evaluation_can_answer_does_not_pass_where_none_decides(asked: str) -> None:
    both = evidence(scored("x", name="A"), scored("x", name="B"))
    for found in (both, evidence()):
        assert [gate.passed for gate in judged(f"[gates]\n{asked}", found)] == [False]


@pytest.mark.parametrize(
    ("metrics", "passed", "says"),
    [
        ({}, False, "never compared with people"),
        ({"polite.kappa": 0.8, "polite.kappa.low": 0.61}, True, "kappa 0.80, lower limit 0.61"),
        ({"polite.kappa": 0.8, "polite.kappa.low": 0.59}, False, "kappa 0.80, lower limit 0.59"),
        ({"polite.kappa": 0.0}, False, "kappa 0.00, lower limit unknown"),
    ],
)
def test_a_judge_decides_only_where_it_agrees_with_people(metrics: dict[str, float], passed: bool, says: str) -> None:
    one = scored("1111", metrics=metrics, params={"judges": "polite"})
    calibration = scored("11", name="calibration of polite", scorer="polite", params={"judges": "polite"})
    (found,) = judged("[gates]\nagreement = 0.6", evidence(calibration, one))
    assert (found.passed, says in found.said) == (passed, True)


def test_agreement_is_not_shown_where_no_judge_scored() -> None:
    (found,) = judged("[gates]\nagreement = 0.6", evidence(scored("1111")))
    assert (found.passed, found.gate) == (False, "judge agreement at least 0.6")
    assert found.said == "no judge scored"


def test_evidence_comes_back_from_a_file_as_it_was() -> None:
    before = evidence(scored("110x", groups={"r0": "a"}), decides="wording")
    assert Evidence.from_json(before.to_json()) == before
