"""What a reviewer reads before saying yes to a release, and where it is written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gen_toolkit.errors import GenToolkitError
from gen_toolkit.ipynb import write_text
from gen_toolkit.releases.finding import Finding
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promotion.evidence import Case
from gen_toolkit.releases.review.fires import UNSCHEDULED, Fires, fires_of
from gen_toolkit.releases.side import Side, side_of_release

HTML, MARKDOWN = "review.html", "review.md"


@dataclass(frozen=True)
class Page:
    """All that the page says. `facts` are the manifest's: `name`, `release`, `digest`, `notebook`, `promoted_at`,
    `promoted_by`, `commit`, `dirty`; of a notebook that was not promoted those are absent that it does not have."""

    facts: Mapping[str, Any]
    new: Side
    live: Side | None
    """What runs now; None: nothing does, or it cannot be read."""
    case: Case
    findings: Sequence[Finding] = ()
    """What check says and promotion allows."""
    fires: Fires = UNSCHEDULED
    live_problem: str = ""
    """Why the live release cannot be compared with."""
    decides: str = ""
    """The name of the evaluation that gates look at."""
    declares_gates: bool = False
    """Whether pipeline.toml asks for something, be it that no run was held to it."""

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        facts: Mapping[str, Any],
        new: Side,
        case: Case,
        findings: Sequence[Finding] = (),
        *,
        against: int | Literal["live"] | None = "live",
        at: float | None = None,
    ) -> Page:
        """The page of what may become a release, against the live one, or the one of a number, or none.

        `at`: from when on fire times are counted, seconds since 1970; by default now.
        """
        live, problem = None, ""
        number = pipeline.live if against == "live" else against
        if number is not None:
            try:
                live = side_of_release(pipeline, number)
            except GenToolkitError as error:  # a release that was changed must not keep a good one from coming
                problem = error.message
        fires = fires_of(pipeline, time.time() if at is None else at)
        gates = pipeline.settings().get("gates", {})
        decides = str(gates.get("evaluation") or (case.evidence.decides if case.evidence else ""))
        asked = bool(gates.keys() - {"evaluation"})
        return cls(facts, new, live, case, tuple(findings), fires, problem, decides, asked)


def write_review(folder: Path, page: Page, *, mode: int = 0o644) -> None:
    """Write `review.html` and `review.md` into the folder of a release; who may read that may read these."""
    from gen_toolkit.releases.review.contents import contents
    from gen_toolkit.releases.review.html import html_page
    from gen_toolkit.releases.review.markdown import markdown_page

    document = contents(page)
    write_text(folder / HTML, html_page(document), mode=mode)
    write_text(folder / MARKDOWN, markdown_page(document), mode=mode)
