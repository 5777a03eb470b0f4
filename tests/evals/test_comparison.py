"""Two results side by side: which rows differ, and how that is shown without a kernel."""

from __future__ import annotations

import html.parser
from typing import Any

import pytest
from hostile import CORPUS, strange_tags

from gen_toolkit import text
from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals.comparison import Comparison
from gen_toolkit.evals.comparison_html import marked, pair_html
from gen_toolkit.evals.pairs import Filter, parts
from gen_toolkit.evals.result import Result, RowResult
from gen_toolkit.evals.score import Score
from gen_toolkit.prompts.diff import words


def row(name: str, value: Any = "x", score: float | None = 1.0, kind: str = "a", **more: Any) -> RowResult:
    scores = {} if score is None else {"s": Score(score, more.pop("reason", ""))}
    return RowResult(Row({"text": name, "kind": kind}, name), value=value, scores=scores, **more)


def result(*rows: RowResult, title: str = "t", **more: Any) -> Result:
    return Result(title, "p", "m", "generate", "d", "x", ("s",), rows, 1.5, **more)


@pytest.fixture
def comparison() -> Comparison:
    mine = result(
        row("same"),
        row("won", "yes it is", kind="b"),
        row("lost", "no", 0.0, reason="too short"),
        row("broke", None, None, kind="b", error="boom"),
        row("worded", "another word"),
    )
    theirs = result(
        row("same"), row("won", "no it is", 0.0), row("lost"), row("broke"), row("worded", "a word"), title="o"
    )
    return mine.compare(theirs)


@pytest.mark.parametrize(
    ("show", "ids"),
    [
        ("all", ["same", "won", "lost", "broke", "worded"]),
        ("disagreements", ["lost", "broke", "worded", "won"]),
        ("regressions", ["lost", "broke"]),
        ("improvements", ["won"]),
        ("failed", ["broke"]),
    ],
)
def test_rows_are_picked_by_what_became_of_them(comparison: Comparison, show: Filter, ids: list[str]) -> None:
    assert [pair.mine.row.id for pair in comparison.rows(show)] == ids


def test_rows_are_found_by_a_word_in_any_text_and_by_a_column(comparison: Comparison) -> None:
    found = {
        word: [p.mine.row.id for p in comparison.rows(search=word)] for word in ("YES", "too short", "boom", "zzz")
    }
    assert found == {"YES": ["won"], "too short": ["lost"], "boom": ["broke"], "zzz": []}
    assert [pair.mine.row.id for pair in comparison.rows("disagreements", column="kind", value="b")] == ["broke", "won"]


def test_a_column_of_a_few_values_makes_parts_and_one_of_texts_does_not(comparison: Comparison) -> None:
    assert parts(comparison.pairs) == [("kind", "a"), ("kind", "b")]


def test_where_less_is_better_a_lower_score_is_an_improvement() -> None:
    mine, theirs = (result(row("a", score=score), less_is_better=("s",)) for score in (2.0, 3.0))
    assert [pair.gain for pair in mine.compare(theirs).pairs] == [1.0]


def test_it_is_a_sequence_of_verdicts(comparison: Comparison) -> None:
    (verdict,) = comparison
    assert comparison[0] is verdict
    assert list(comparison) == [verdict]
    assert repr(comparison).startswith("Comparison(t against o: s: too few rows")
    assert comparison.to_pandas().index.tolist() == ["lost", "broke", "worded", "won"]


def test_outside_a_notebook_it_shows_its_verdicts_and_the_rows_that_differ(comparison: Comparison) -> None:
    bundle = comparison._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "too few rows" in bundle["text/plain"]
    assert "4 of 5 rows differ" in bundle["text/plain"]


def test_words_that_only_one_side_has_are_marked_there() -> None:
    pieces = words("the cat sat", "the dog sat")
    assert marked(pieces, "-").startswith("the <del ")
    assert ">cat</del> sat" in marked(pieces, "-")
    assert ">dog</ins> sat" in marked(pieces, "+")


class Page(html.parser.HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_filters_by_style_alone_and_loads_nothing(comparison: Comparison) -> None:
    told = comparison.to_html()
    page = Page(told)
    radios = [attrs["id"] for tag, attrs in page.tags if tag == "input"]
    assert [str(name).partition("-")[2] for name in radios] == [
        "all",
        "disagreements",
        "regressions",
        "improvements",
        "failed",
    ]
    assert all(f"#{name}:checked~article:not(." in told for name in radios)
    rows = [str(attrs["class"]) for tag, attrs in page.tags if tag == "article"]
    assert rows == [
        "all",
        "all disagreements improvements",
        "all disagreements regressions",
        "all disagreements regressions failed",
        "all disagreements",
    ]
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not {"src", "href", "onclick"} & {name for _, attrs in page.tags for name in attrs}
    assert told == comparison.to_html()


def test_a_page_of_many_rows_has_the_first_and_says_so(comparison: Comparison) -> None:
    told = comparison.to_html("disagreements", most=2)
    assert told.count("<article") == 2
    assert "the first 2 of 4 rows" in told
    assert "4 rows" in comparison.to_html("disagreements")


@pytest.mark.parametrize("hostile", CORPUS)
def test_texts_of_strangers_stay_texts(hostile: str) -> None:
    held = RowResult(Row({hostile: hostile}, hostile), value=hostile, scores={"s": Score(0.5, hostile)}, error=hostile)
    other = RowResult(Row({hostile: hostile}, hostile), value=f"a {hostile} b", scores={"s": Score(1.0, hostile)})
    compared = result(held, title=hostile).compare(result(other, title=hostile))
    (pair,) = compared.pairs
    assert not strange_tags(pair_html(pair, (hostile, hostile), ["s"]))
    allowed = {"article", "style", "input", "label"}
    ours = {"div", "b", "i", "span", "pre", "table", "thead", "tbody", "tr", "th", "td", "br", "ins", "del"} | allowed
    assert {tag for tag, _ in Page(compared.to_html()).tags} <= ours


def test_a_secret_is_masked_also_where_the_two_replies_part_in_the_middle_of_it() -> None:
    text.remember_secret("abcdefgh-12345678")
    mine, theirs = (result(row("a", f"key {key}")) for key in ("abcdefgh-12345678", "abcdefgh-87654321"))
    assert "12345678" not in mine.compare(theirs).to_html()


def test_a_very_long_reply_is_cut_and_says_so() -> None:
    mine, theirs = (result(row("a", f"{word} " * 20_000)) for word in ("left", "right"))
    (pair,) = mine.compare(theirs).pairs
    shown = pair_html(pair, ("a", "b"), ["s"])
    assert len(shown) < 100_000
    assert "characters more)" in shown
