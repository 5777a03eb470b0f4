"""What was asked of the release and what check has to say, and how to go back."""

from __future__ import annotations

from collections.abc import Iterator

from gen_toolkit.releases.promotion.evidence import Judged
from gen_toolkit.releases.review.document import Block, Command, Line, Mark, Said, Section, Table, Value
from gen_toolkit.releases.review.page import Page


def gates(page: Page) -> Section:
    """One line a gate, those that failed first."""
    if not page.case.gates:
        said = "pipeline.toml declares none: whoever promotes decides by what stands on this page."
        if page.declares_gates:
            said = "No run was held to those of pipeline.toml."
        return Section("Gates", (Line((said,)),))
    ordered = sorted(page.case.gates, key=lambda gate: gate.passed)
    return Section("Gates", (Table(("", "asked", "found"), tuple(map(_gate, ordered))),))


def _gate(gate: Judged) -> tuple[Said, ...]:
    mark = Mark("good", "passed") if gate.passed else Mark("bad", "failed")
    return ((mark,), (Value(gate.gate),), (Value(gate.said),))


def checks(page: Page) -> Section:
    return Section("Checks", tuple(_checks(page)))


def _checks(page: Page) -> Iterator[Block]:
    rows: list[tuple[Said, ...]] = [
        (
            (Mark("bad" if found.level == "error" else "note", found.level),),
            (f"cell {found.cell}" if found.cell else "notebook",),
            (Value(found.message), " [", Value(found.rule), "]. ", Value(found.fix)),
        )
        for found in page.findings
    ]
    rows += [((Mark("note", "warning"),), ("promotion",), (Value(said),)) for said in page.case.warnings]
    if rows:
        yield Table(("", "where", "what"), tuple(rows))
    else:
        yield Line(("gen check found nothing.",))
    if page.live_problem and not any(page.live_problem in said for said in page.case.warnings):
        yield Line((Mark("bad", "The live release cannot be compared with"), " ", Value(page.live_problem)))


def going_back(page: Page) -> Section:
    """Where there is something to go back to."""
    name = str(page.facts.get("name", "NAME"))
    if page.live is None:
        said = "No release comes before this one. Until the next one, a schedule is stopped with"
        return Section("Going back", (Line((said,)), Command(f"gen schedule pause {name}")))
    said = f"{page.live.title} stays as it is in the repository; this makes it live again at once:".capitalize()
    return Section("Going back", (Line((said,)), Command(f"gen release rollback {name}")))
