"""Pages as a promotion would make them, of plain data: one function, whose texts a test may choose."""

from __future__ import annotations

from typing import Any

from gen_toolkit.releases.finding import Finding
from gen_toolkit.releases.promotion.evidence import Case, Evidence, Judged, Scored
from gen_toolkit.releases.review.fires import Fires
from gen_toolkit.releases.review.page import Page
from gen_toolkit.releases.side import Side


def side(number: int, *cells: str, said: str = "Is it good?", name: str = "label@live", **parts: Any) -> Side:
    """A release whose prompt says `said`; its version is the release's number."""
    content = {"messages": [{"role": "user", "content": said}]}
    whole = {
        "code": [{"source": cell, "tags": []} for cell in cells],
        "parameters": {"properties": {"limit": {"type": "integer", "default": 3}}},
        "prompts": {name: {"version": number, "hash": said, "content": content}},
        "models": {"local": {"provider": "embedded", "model": "small", "options": "ab"}},
        "include": {},
    }
    environment = {"python": "3.11.7", "packages": {"mlflow": "3.17.0"}}
    return Side(f"release {number}", {**whole, **parts}, environment)


def scored(right: int, rows: int = 100, **params: str) -> Scored:
    """An evaluation that got the first so many rows right."""
    mean = right / rows
    metrics = {"accuracy": mean, "accuracy.low": mean - 0.1, "accuracy.high": min(1.0, mean + 0.1), "rows": rows}
    named = {"prompt": "label@6", "model": "local", "dataset": "reviews", "dataset_digest": "d1", "scorers": "accuracy"}
    scores = {str(row): {"accuracy": float(row < right)} for row in range(rows)}
    return Scored("0199aaaa", "wording", {**named, **params}, metrics, {}, scores)


def evidence(*evaluations: Scored, usd: float | None = 0.02, **given: Any) -> Evidence:
    took = {"calls": 100, "cost_usd": usd, "seconds": 12.0, "input_tokens": 9000, "output_tokens": None}
    return Evidence("0199bbbb", 0.0, True, {"limit": 3, **given}, {"accuracy": 0.7}, evaluations, took)


PASSED, FAILED = (Judged("accuracy at least 0.6", passed, "0.700, 100 rows") for passed in (True, False))
OLD, NEW = side(4, "x = 1"), side(5, "x = 2", said="Is it bad?")
BETTER = Case(evidence(scored(70)), (PASSED,), evidence(scored(50), usd=0.01))
FACTS = {
    "name": "label",
    "release": 5,
    "digest": "ab" * 32,
    "notebook": "notebooks/label.ipynb",
    "promoted_at": "2026-11-30T05:00:00Z",
    "promoted_by": "ada",
    "commit": "cd" * 20,
    "dirty": False,
}


def page(case: Case = BETTER, new: Side = NEW, live: Side | None = OLD, **parts: Any) -> Page:
    return Page(parts.pop("facts", FACTS), new, live, case, **parts)


def hostile(said: str) -> Page:
    """Every text on the page is `said`, beside what tells them apart."""
    old = side(4, f"{said}\n1", said=f"{said} a {said}", name=said, include={said: "a"})
    new = side(
        5,
        f"{said}\n2",
        f"# {said}\ny = 3",
        said=f"{said} b {said}",
        name=said,
        include={said: "b", f"{said}2": said},
        parameters={"properties": {said: {"default": said, "type": said}}},
        models={said: {"provider": said, "model": said, "options": {said: said}}},
    )
    params = dict.fromkeys(("prompt", "model", "method", "dataset"), said)
    one = scored(70, **params)
    found = Scored(said, said, one.params, one.metrics | {said: 0.5}, {said: said}, one.scores)
    spoken = Evidence(said, 0.0, True, {said: said}, {said: said}, (found,), {"cost_usd": None})
    case = Case(spoken, (Judged(said, False, said),), evidence(scored(50)), reason=said, warnings=(said,))
    facts = {**FACTS, **dict.fromkeys(("name", "digest", "notebook", "promoted_by", "promoted_at", "commit"), said)}
    finding = Finding(said, said, said, 1, "warning")
    return Page(facts, new, old, case, (finding,), Fires(3, said, {said: said}), live_problem=said)
