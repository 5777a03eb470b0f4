"""What the figures of an execution say to the gates of its pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gen_toolkit import display
from gen_toolkit.evals.compare import verdict_of
from gen_toolkit.evals.verdict import Verdict
from gen_toolkit.releases.promotion.evidence import Evidence, Judged, Scored
from gen_toolkit.releases.promotion.gates import Gates, ScoreGate
from gen_toolkit.text import one_line

_OTHER_ROWS = "Evaluate the same rows as the live release, or say why it may pass: --override"
_ASKED = {
    "at_least": ("", "at least"),
    "at_most": ("", "at most"),
    "low_at_least": (".low", "lower limit at least"),
    "high_at_most": (".high", "upper limit at most"),
}
_CEILINGS = {
    "cost_usd_per_row": "cost per row",
    "cost_usd_per_run": "cost per run",
    "seconds_per_row": "seconds per row",
    "seconds_per_run": "seconds per run",
}


def judge(gates: Gates, evidence: Evidence, live: Evidence | None, live_title: str | None) -> tuple[Judged, ...]:
    """Each gate with what was found. `live` is what the live release rests on, `live_title` its name: None where
    nothing is live, and nothing there is to compare with."""
    return tuple(_judged(gates, evidence, live, live_title))


def _judged(gates: Gates, evidence: Evidence, live: Evidence | None, live_title: str | None) -> Iterator[Judged]:
    scored, problem = deciding(gates, evidence)
    if scored is None and gates.need_an_evaluation:
        yield Judged("an evaluation decides", False, problem, "an evaluation", "Name it: evaluation in [gates].")
        return
    if scored is not None:
        yield from _rows(gates, scored)
        for gate in gates.scores:
            yield from _bounds(gate, scored)
            if gate.against_live is not None:
                yield _against(gate, gates, scored, live, live_title)
        if gates.agreement is not None:
            yield from _agreement(gates.agreement, scored)
    for key, ceiling in gates.ceilings.items():
        yield _ceiling(key, ceiling, evidence, scored)


def deciding(gates: Gates, evidence: Evidence) -> tuple[Scored | None, str]:
    """The evaluation that decides, or why there is none: the one that is named, else the only one.

    Of several of a name the last one counts. A judge that is compared with people decides nothing.
    """
    found = {one.name: one for one in evidence.evaluations if not is_calibration(one)}
    wanted = gates.evaluation or evidence.decides
    if wanted:
        there = f"; there is {_listed(found)}" if found else ""
        return found.get(wanted), f"run {evidence.run[:13]} made no evaluation called {wanted!r}{there}"
    if len(found) == 1:
        return next(iter(found.values())), ""
    said = f"made {len(found)} evaluations, {_listed(found)}" if found else "made no evaluation"
    return None, f"run {evidence.run[:13]} {said}"


def _listed(found: Mapping[str, Scored]) -> str:
    return one_line(", ".join(repr(name) for name in found), 200)


def is_calibration(scored: Scored) -> bool:
    return scored.name in {f"calibration of {name}" for name in scored.names("judges")}


def _rows(gates: Gates, scored: Scored) -> Iterator[Judged]:
    rows = int(scored.metrics.get("rows", 0))
    failed = int(scored.metrics.get("rows_failed", 0))
    said = f"{rows - failed:,}" + (f" of {rows:,}" if failed else "")
    if gates.rows is not None:
        advice = f"Evaluate {gates.rows:,} rows or more."
        yield Judged(f"rows at least {gates.rows:,}", rows - failed >= gates.rows, said, "rows", advice)
    if gates.failed_rows is not None:
        advice = "Look at the rows that failed: result.failed."
        gate = f"failed rows at most {gates.failed_rows:,}"
        yield Judged(gate, failed <= gates.failed_rows, f"{failed:,} of {rows:,}", "failed rows", advice)


def _bounds(gate: ScoreGate, scored: Scored) -> Iterator[Judged]:
    said = _interval(gate.scorer, scored)
    for key, bound in gate.bounds.items():
        which, asked = _ASKED[key]
        value = scored.metrics.get(f"{gate.scorer}{which}")
        passed = value is not None and (value >= bound if key.endswith("least") else value <= bound)
        yield Judged(f"{gate.scorer} {asked} {bound:g}", passed, said, gate.scorer)


def _interval(scorer: str, scored: Scored) -> str:
    mean, low, high = (scored.metrics.get(f"{scorer}{which}") for which in ("", ".low", ".high"))
    if mean is None:
        return f"no row was scored by {scorer!r}"
    interval = f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ", its interval is unknown"
    return f"{mean:.3f}{interval}"


def _against(gate: ScoreGate, gates: Gates, scored: Scored, live: Evidence | None, live_title: str | None) -> Judged:
    asked = f"{gate.scorer} {gate.against_live} than {live_title or 'the live release'}"
    if live_title is None:
        return Judged(asked, True, "nothing is live yet", gate.scorer)
    other, problem = (None, "it rests on no evaluation that is known") if live is None else deciding(gates, live)
    if other is None:
        return Judged(asked, False, f"{live_title}: {problem}", gate.scorer, _OTHER_ROWS)
    if other.params.get("dataset_digest") != scored.params.get("dataset_digest"):
        said = f"{live_title} was scored on other rows ({_data(other)}; now {_data(scored)})"
        return Judged(asked, False, said, gate.scorer, _OTHER_ROWS)
    verdict = compared(gate.scorer, scored, other, live_title, detect=gate.detect)
    if not verdict.rows:
        said = f"no row was scored by {gate.scorer!r} on both sides"
        return Judged(asked, False, said, gate.scorer, _OTHER_ROWS)
    passes = {"better"} if gate.against_live == "better" else {"better", "no difference shown"}
    passed = verdict.finding in passes and not verdict.fails_more
    return Judged(asked, passed, str(verdict).removeprefix(f"{gate.scorer}: "), gate.scorer)


def compared(scorer: str, scored: Scored, other: Scored, title: str, *, detect: float | None = None) -> Verdict:
    """The paired verdict of one scorer on the rows of both sides."""
    both = [key for key in scored.scores if key in other.scores]
    less = {*scored.names("less_is_better"), *other.names("less_is_better")}
    return verdict_of(
        scorer,
        [(scored.scores[key].get(scorer), other.scores[key].get(scorer)) for key in both],
        title,
        groups=[scored.groups[key] for key in both] if scored.groups else None,
        detect=detect,
        higher_is_better=scorer not in less,
    )


def _data(scored: Scored) -> str:
    digest = scored.params.get("dataset_digest", "")
    return f"{one_line(scored.params.get('dataset', 'unnamed'), 40)} {digest[:8]}, {len(scored.scores):,} rows"


def _agreement(least: float, scored: Scored) -> Iterator[Judged]:
    judges = scored.names("judges")
    if not judges:
        advice = "Have a judge score it, or take agreement out of [gates]."
        yield Judged(f"judge agreement at least {least:g}", False, "no judge scored", "judge", advice)
    for name in judges:
        kappa, low = scored.metrics.get(f"{name}.kappa"), scored.metrics.get(f"{name}.kappa.low")
        said = "never compared with people, or not as it is now"
        if kappa is not None:
            said = f"kappa {kappa:.2f}, lower limit {'unknown' if low is None else f'{low:.2f}'}"
        advice = f"Compare judge {name!r} with people: judge.calibrate(rows)."
        passed = low is not None and low >= least
        yield Judged(f"judge {name} agreement at least {least:g}", passed, said, f"judge {name}", advice)


def _ceiling(key: str, ceiling: float, evidence: Evidence, scored: Scored | None) -> Judged:
    what, of = key.rsplit("_per_", 1)
    took = evidence.took if scored is None or of == "run" else scored.took
    value = took.get(what)
    if value is not None and of == "row":
        value = value / max(1, len(scored.scores if scored else ()))
    is_money = what == "cost_usd"
    name, asked = _CEILINGS[key], f"{ceiling:g} USD" if is_money else f"{ceiling:g}"
    said = "unknown" if value is None else display.money(value, 6) if is_money else f"{value:.3g}"
    return Judged(f"{name} at most {asked}", value is not None and value <= ceiling, said, name)
