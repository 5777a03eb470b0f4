"""The sentence on top: what this is, whether it may run, and who says so."""

from __future__ import annotations

from collections.abc import Sequence

from gen_toolkit.releases.review.document import Level, Said, Value, joined, many
from gen_toolkit.releases.review.page import Page
from gen_toolkit.releases.review.scores import Pair, SideBySide

_ORDER = ("worse", "better", "no difference shown", "too few rows")


def title(page: Page) -> Said:
    name, number = page.facts.get("name", ""), page.facts.get("release")
    return (Value(name), f", release {number}") if number else (Value(name), ", as the notebook is now")


def verdict(page: Page, pairs: Sequence[Pair]) -> tuple[Level, Said]:
    """What a reviewer remembers when nothing else is read."""
    failed = [gate for gate in page.case.gates if not gate.passed]
    found = [score.verdict.finding for pair in pairs for score in pair.scores if score.verdict]
    level: Level = "bad" if failed else "good"
    if not failed and ("worse" in found or not page.case.gates or page.case.evidence is None):
        level = "note"
    said = joined([_scored(page, pairs), _gates(page)], "; ")
    return level, (*said, ".", *_decided(page, bool(failed)))


def _scored(page: Page, pairs: Sequence[Pair]) -> Said:
    scores = [score for pair in pairs for score in pair.scores]
    if page.case.evidence is None:
        return ("No run speaks for this notebook: nothing was measured",)
    if not scores:
        return ("Its run was not an evaluation: nothing was scored",)
    if page.live is None:
        first = "The live release cannot be read" if page.live_problem else "The first release: nothing runs yet"
        return (f"{first}; ", *_alone(scores[0], pairs[0]))
    compared = [score for score in scores if score.verdict]
    if not compared:
        return (*_alone(scores[0], pairs[0]), f", and {page.live.title} was not evaluated on the same rows")
    worst = min(compared, key=lambda score: _ORDER.index(score.verdict.finding if score.verdict else _ORDER[-1]))
    return joined([_told(score, page.live.title) for score in dict.fromkeys([compared[0], worst])], "; ")


def _told(score: SideBySide, baseline: str) -> Said:
    """`accuracy is better than release 4 (0.693 against 0.541)`."""
    finding = score.verdict.finding if score.verdict else ""
    numbers = f" ({score.new.mean:.3f} against {score.live.mean:.3f})" if score.live else ""
    how = {
        "better": f" is better than in {baseline}",
        "worse": f" is worse than in {baseline}",
        "no difference shown": f" shows no difference to {baseline}",
    }.get(finding, f" has too few rows to compare with {baseline}")
    return (Value(score.scorer), how, numbers)


def _alone(score: SideBySide, pair: Pair) -> Said:
    rows = pair.new.metrics.get("rows")
    return (Value(score.scorer), f" is {score.new}", f" on {many(int(rows), 'row')}" if rows else "")


def _gates(page: Page) -> Said:
    case = page.case
    if not case.gates:
        none = "no run was held to the gates of pipeline.toml"
        return (none if page.declares_gates else "pipeline.toml declares no gates",)
    failed = [gate for gate in case.gates if not gate.passed]
    if not failed:
        return ({1: "the gate", 2: "both gates"}.get(len(case.gates), f"all {len(case.gates)} gates"), " passed")
    names = joined([(Value(gate.gate),) for gate in failed[:3]])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    said = "the gate" if len(case.gates) == 1 else f"{len(failed)} of {len(case.gates)} gates"
    return (f"{said} failed: ", *names, more)


def _decided(page: Page, failed: bool) -> Said:
    by = page.facts.get("promoted_by")
    if not failed:
        return ()
    if not page.case.reason:
        return (" It would be refused.",)
    return (" Promoted all the same by ", Value(by or "somebody unknown"), ": “", Value(page.case.reason), "”.")
