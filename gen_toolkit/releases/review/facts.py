"""Who, when, from what: what a reader needs to find it all again."""

from __future__ import annotations

import time
from collections.abc import Iterator

from gen_toolkit.releases.review.document import Said, Section, Table, Value
from gen_toolkit.releases.review.page import Page


def facts(page: Page) -> Section:
    return Section("Facts", (Table(("", ""), tuple(_rows(page))),))


def under(page: Page) -> Said:
    """The line below the title."""
    made = page.facts
    said: Said = (Value(made.get("notebook", ""), True),)
    said += (f", compared with {page.live.title}, which is live",) if page.live else ()
    if made.get("promoted_by"):
        said += ("; promoted by ", Value(made["promoted_by"]), " on ", Value(_moment(str(made.get("promoted_at")))))
    return said


def _moment(said: str) -> str:
    """`2026-11-30T06:07:42Z` as people write it."""
    return said.replace("T", " ", 1).replace("Z", " UTC", 1)


def _rows(page: Page) -> Iterator[tuple[Said, ...]]:
    made, evidence = page.facts, page.case.evidence
    yield ("digest",), (Value(made.get("digest", ""), True),)
    commit = made.get("commit")
    if commit is None:
        yield ("commit",), ("not in git",)
    else:
        dirty = ", with changes that were not committed" if made.get("dirty") else ""
        yield ("commit",), (Value(commit, True), dirty)
    if evidence is None:
        return
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(evidence.at))
    how = "every cell from top to bottom in a fresh kernel" if evidence.executed else "cells as they were run by hand"
    yield ("run",), (Value(evidence.run, True), f", {began}: {how}")
    given = ", ".join(f"{name} = {value}" for name, value in evidence.parameters.items())
    yield ("parameters of the run",), (Value(given, True) if given else "none but the defaults",)
    kept = ", ".join(f"{name} = {value}" for name, value in evidence.kept.items())
    yield ("kept",), (Value(_short(kept), True) if kept else "nothing",)
    for scored in evidence.evaluations:
        yield ("evaluation",), (Value(scored.run, True), " ", Value(scored.name))


def _short(said: str, most: int = 400) -> str:
    return said if len(said) <= most else f"{said[:most]}… ({len(said) - most:,} characters more)"
