"""The page from top to bottom: what matters most comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gen_toolkit.releases.review.changes import changes
from gen_toolkit.releases.review.cost import cost
from gen_toolkit.releases.review.document import Block, Document, Level, Line, Mark, Plot, Said, Section, Table, Value
from gen_toolkit.releases.review.facts import facts, under
from gen_toolkit.releases.review.gates import checks, gates, going_back
from gen_toolkit.releases.review.page import Page
from gen_toolkit.releases.review.scores import Pair, SideBySide, side_by_side
from gen_toolkit.releases.review.verdict import title, verdict

_MOST = 12  # evaluations; a grid has many
_ALONE = ("scorer", "new", "95 % interval")
_COMPARED = ("scorer", "live", "new", "95 % intervals, live above", "verdict")
_LEVELS: dict[str, Level] = {"better": "good", "worse": "bad"}


def contents(page: Page) -> Document:
    baseline = page.live.title if page.live else ""
    pairs = side_by_side(page.case.evidence, page.case.live, baseline, page.decides)
    level, said = verdict(page, pairs)
    scores = Section("Scores", tuple(_scores(page, pairs)))
    sections = (scores, gates(page), changes(page.live, page.new), cost(page), checks(page), going_back(page))
    return Document(title(page), under(page), level, said, (*sections, facts(page)))


def _scores(page: Page, pairs: Sequence[Pair]) -> Iterator[Block]:
    if not pairs:
        yield Line(("The run that speaks for it scored nothing." if page.case.evidence else "Nothing was measured.",))
    for pair in pairs[:_MOST]:
        yield Line(_about(pair))
        columns = _COMPARED if pair.live else _ALONE
        yield Table(columns, tuple(_row(score, pair) for score in pair.scores))
    if len(pairs) > _MOST:
        yield Line((f"{len(pairs) - _MOST} more evaluations of the run are not shown.",))


def _about(pair: Pair) -> Said:
    """What was asked whom on which rows."""
    params, metrics = pair.new.params, pair.new.metrics
    said: Said = (Value(pair.new.name), ": ")
    for key in ("prompt", "model", "method"):
        if params.get(key):
            said += (Value(params[key], True), " · ")
    said += (f"{int(metrics.get('rows', 0)):,} rows of ", Value(params.get("dataset", "a dataset"), True))
    failed = int(metrics.get("rows_failed", 0))
    said += (", ", Mark("bad", f"{failed:,} failed")) if failed else ()
    if pair.live is not None and not pair.same_rows:
        said += (". ", Mark("note", "The live release was scored on other rows"), ": the numbers cannot be compared")
    return said


def _row(score: SideBySide, pair: Pair) -> tuple[Said, ...]:
    plot: Said = (Plot(score.live, score.new),)
    name: Said = (Value(score.scorer),)
    if not pair.live:
        return name, (score.new,), plot
    live: Said = (score.live,) if score.live else ("—",)
    return name, live, (score.new,), plot, _verdict(score)


def _verdict(score: SideBySide) -> Said:
    found = score.verdict
    if found is None:
        return ("—",)
    known = found.low is not None and found.high is not None
    interval = f" [{found.low:+.3f}, {found.high:+.3f}]" if known else ""
    said = f" {found.difference:+.3f}{interval}; {found.wins} rows won, {found.losses} lost of {found.rows}; "
    return (Mark(_LEVELS.get(found.finding, "plain"), found.finding), said, f"p = {found.p:.3g}, {found.test}")
