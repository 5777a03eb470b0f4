"""What a reviewer reads, on top first; and that no text gets out of its place."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hostile import CORPUS, strange_characters
from markdown_it import MarkdownIt
from review_pages import BETTER, FACTS, FAILED, NEW, OLD, PASSED, evidence, hostile, page, scored, side

from gen_toolkit.releases.promotion.evidence import Case
from gen_toolkit.releases.review.contents import contents
from gen_toolkit.releases.review.fires import Fires
from gen_toolkit.releases.review.html import html_page
from gen_toolkit.releases.review.markdown import markdown_page
from gen_toolkit.releases.review.page import Page, write_review

IN_MARKDOWN = ["`", "a `` b ``` c", "```\n# x", "|", "a | b", "@ada #1 https://evil.test", "![x](//e)", "</details>"]
_ATTRIBUTES = {"class", "data-name", "open", "role", "aria-label", "viewbox", "width", "height", "lang", "charset"}
_ATTRIBUTES |= {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "name", "content", "http-equiv"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def tags(html: str) -> tuple[set[str], set[str]]:
    reader = _Tags()
    reader.feed(html)
    reader.close()
    return reader.found, reader.attributes


def markdown(made: Page) -> str:
    return markdown_page(contents(made))


def verdict(made: Page) -> str:
    return next(line for line in markdown(made).split("\n") if line.startswith("> "))


def test_the_verdict_says_what_is_better_and_that_gates_passed() -> None:
    assert verdict(page()) == "> ✓ `accuracy` is better than in release 4 (0.700 against 0.500); the gate passed."


def test_what_is_worse_is_said_though_something_else_is_better() -> None:
    def two(accuracy: int, brevity: int) -> Case:
        one = scored(accuracy, scorers="accuracy, brevity")
        scores = {row: {**score, "brevity": float(int(row) < brevity)} for row, score in one.scores.items()}
        return Case(evidence(replace(one, metrics={**one.metrics, "brevity": brevity / 100}, scores=scores)))

    new, live = two(70, 20), two(50, 60)
    said = verdict(page(Case(new.evidence, (PASSED, PASSED), live.evidence)))
    assert said.startswith("> ! `accuracy` is better")
    assert "`brevity` is worse than in release 4 (0.200 against 0.600); both gates passed." in said


def test_a_failed_gate_names_itself_and_who_went_over_it_and_why() -> None:
    case = replace(BETTER, gates=(PASSED, FAILED), reason="the customer waits")
    said = verdict(page(case))
    assert said.startswith("> ✗ ")
    assert "1 of 2 gates failed: `accuracy at least 0.6`" in said
    assert "Promoted all the same by `ada`: “`the customer waits`”." in said
    assert "It would be refused." in verdict(page(replace(case, reason="")))


def test_nothing_measured_is_said_first() -> None:
    said = verdict(page(Case()))
    assert said == "> ! No run speaks for this notebook: nothing was measured; pipeline.toml declares no gates."


def test_gates_that_no_run_was_held_to_are_not_denied() -> None:
    said = markdown(page(Case(), declares_gates=True))
    assert "nothing was measured; no run was held to the gates of pipeline.toml." in said
    assert "declares no" not in said


def test_a_first_release_shows_what_it_runs_and_no_signs_of_change() -> None:
    first = page(Case(evidence(scored(70))), live=None, facts={**FACTS, "release": 1})
    said = markdown(first)
    assert "The first release: nothing runs yet; `accuracy` is 0.700 [0.600, 0.800] on 100 rows" in said
    assert "## What it runs" in said
    assert "```\nx = 2\n```" in said
    assert "Is it bad?" in said
    assert "```diff" not in said
    assert "gen schedule pause label" in said


def test_scores_of_other_rows_are_shown_and_not_compared() -> None:
    case = Case(evidence(scored(70)), (), evidence(scored(50, dataset_digest="d2")))
    said = markdown(page(case))
    assert "**! The live release was scored on other rows**" in said
    assert "and release 4 was not evaluated on the same rows" in said
    assert "better" not in said


def test_less_of_a_score_that_counts_down_is_better() -> None:
    new, live = (evidence(scored(n, less_is_better="accuracy")) for n in (30, 60))
    assert "`accuracy` is better" in verdict(page(Case(new, (), live)))


def test_an_evaluation_is_compared_with_the_one_of_the_same_rows() -> None:
    others = scored(90, dataset_digest="d2", dataset="others")
    case = Case(evidence(others, scored(70)), (), evidence(scored(50), others))
    assert [(new, live) for new, live in re.findall(r"`accuracy` \| ([\d.]+).*?\| ([\d.]+)", markdown(page(case)))] == [
        ("0.900", "0.900"),
        ("0.500", "0.700"),
    ]


def test_a_month_costs_its_runs_and_an_unknown_price_stays_unknown() -> None:
    said = markdown(page(fires=Fires(30, "@daily, UTC")))
    assert "| cost of a run | $0.0100 | $0.0200 |" in said
    assert "| tokens out | unknown | unknown |" in said
    assert "| cost in 30 days | $0.30 | $0.60 |" in said
    assert "There is no schedule" in markdown(page())
    assert "30 days" not in markdown(page())
    assert "Schedule: `schedule.zone is wrong`." in markdown(page(fires=Fires(note="schedule.zone is wrong")))
    unknown = Case(evidence(scored(70), usd=None))
    assert "| cost in 30 days | unknown |" in markdown(page(unknown, fires=Fires(30, "@daily, UTC")))


def test_parameters_that_only_the_schedule_gives_are_named() -> None:
    said = markdown(page(fires=Fires(30, "@daily, UTC", {"limit": 500, "day": "mon"})))
    assert "`limit = 500` (measured: `3`), `day = mon` (measured: `its default`)" in said
    assert "other parameters" not in markdown(page(fires=Fires(30, "@daily, UTC", {"limit": 3})))


def test_a_live_release_that_cannot_be_read_is_told() -> None:
    said = markdown(page(live=None, live_problem="release 4 of label was changed"))
    assert "The live release cannot be read" in said
    assert "`release 4 of label was changed`" in said


def test_a_prompt_that_is_new_is_there_to_read() -> None:
    said = markdown(page(new=side(5, "x = 2", name="ask@live")))
    assert "+ Is it good?" in said
    assert "- Is it good?" in said


def test_large_changes_are_folded_and_cut_with_a_word() -> None:
    long = "\n".join(f"x{number} = {number}" for number in range(1000))
    html = html_page(contents(page(new=side(5, long))))
    assert "600 more lines, not shown here." in html
    assert re.search(r"<details><summary>cell 1 added", html)
    assert re.search(r"<details open><summary>cell 1 removed", html)
    assert len(html) < 200_000


def test_the_page_is_two_files_that_others_may_read(tmp_path: Path) -> None:
    write_review(tmp_path, page())
    for name in ("review.html", "review.md"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o644
        assert "Is it bad?" in re.sub("</?ins>", "", (tmp_path / name).read_text(encoding="utf-8"))


def test_the_html_names_no_address_and_no_script() -> None:
    html = html_page(contents(page()))
    found, attributes = tags(html)
    assert attributes <= _ATTRIBUTES
    assert found.isdisjoint({"script", "link", "img", "a", "iframe", "object", "form", "base"})
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|https?:", html)


@pytest.mark.parametrize("said", CORPUS)
def test_no_text_becomes_markup_in_html(said: str) -> None:
    html = html_page(contents(hostile(said)))
    plain, _ = tags(html_page(contents(hostile("a text"))))
    found, attributes = tags(html)
    assert found <= plain | {"del", "ins"}
    assert attributes <= _ATTRIBUTES
    assert strange_characters(html) == []


@pytest.mark.parametrize("said", [*CORPUS, *IN_MARKDOWN])
def test_no_text_becomes_markup_in_markdown(said: str) -> None:
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    made = markdown(hostile(said))
    found, attributes = tags(reader.render(made))
    plain, _ = tags(reader.render(markdown(hostile("a text"))))
    assert found <= plain
    assert attributes <= {"class", "open"}
    assert strange_characters(made) == []
    inert = re.sub(r"<code[^>]*>.*?</code>", "", reader.render(made), flags=re.DOTALL)
    for sign in ("@ada", "https:", "alert", "7*7"):
        assert sign not in inert


@pytest.mark.parametrize("said", CORPUS)
def test_a_table_of_markdown_keeps_its_columns(said: str) -> None:
    made = MarkdownIt("gfm-like", {"linkify": False}).render(markdown(hostile(f"a | {said} | b")))
    for row in re.findall(r"<tr>.*?</tr>", made, re.DOTALL):
        assert len(re.findall(r"<t[dh]", row)) in (2, 3, 5)


def test_the_same_side_twice_is_no_difference() -> None:
    assert "no difference" in markdown(page(new=replace(OLD, title="release 5")))
    assert NEW != OLD
