"""A change as lines: both texts can be read off it, and what is far from the change is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.prompts.diff import Change, words
from gen_toolkit.releases.review.document import Diff
from gen_toolkit.releases.review.lines import MOST_LINES, diff_of, shown
from gen_toolkit.text import MASK, remember_secret

TEXTS = st.lists(st.sampled_from(["a b", "a c", "", "x = 1", "x = 2", "  y"]), max_size=7).map("\n".join)


def of(old: str, new: str) -> Diff:
    return diff_of(Change("cell 1", tuple(words(old, new))))


def told(diff: Diff) -> list[str]:
    """`-x = [1]`: the sign, and in brackets what stands out inside the line."""
    return [
        line.sign + "".join(said if sign == "=" else f"[{said}]" for sign, said in line.pieces) for line in diff.lines
    ]


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_off_the_lines(old: str, new: str) -> None:
    lines = of(old, new).lines
    if any(line.sign == "…" for line in lines):
        return
    for mine, text in (("-", old), ("+", new)):
        read = ["".join(said for _, said in line.pieces) for line in lines if line.sign in ("=", mine)]
        assert [line for line in read if line] == [line for line in text.split("\n") if line]


def test_words_that_differ_stand_out_in_their_lines() -> None:
    assert told(of("x = 1\ny = 2\nz = 3", "x = 1\ny = 5\nz = 3")) == ["=x = 1", "-y = [2]", "+y = [5]", "=z = 3"]


def test_lines_that_went_come_before_those_that_came() -> None:
    assert told(of("a 1\nb 1", "a 2\nb 2")) == ["-a [1]", "-b [1]", "+a [2]", "+b [2]"]


def test_an_added_line_leaves_the_others_alone() -> None:
    assert told(of("a\nb", "a\nnew\nb")) == ["=a", "+[new]", "=b"]
    assert told(of("a", "a\nnew")) == ["=a", "+[new]"]
    assert told(of("a\nold\nolder", "a")) == ["=a", "-[old]", "-[older]"]
    assert told(of("a b", "a\nb")) == ["-a[ ]b", "+a", "+b"]


def test_what_is_kept_far_from_a_change_is_counted() -> None:
    old = "\n".join(map(str, range(100)))
    lines = of(old, old.replace("50", "changed")).lines
    assert [line.left_out for line in lines if line.sign == "…"] == [47, 46]
    assert len(lines) == 2 + 2 + 6


def test_of_a_very_long_change_the_rest_is_counted_and_a_very_long_line_is_cut() -> None:
    found = of("", "\n".join(["x" * 5000, *map(str, range(MOST_LINES + 9))]))
    assert (len(found.lines), found.cut) == (MOST_LINES, 10)
    assert found.lines[0].pieces[0][1].endswith("x… (3,000 characters more)")
    assert shown("a\n" * MOST_LINES).cut == 1


def test_a_secret_is_masked_though_the_change_goes_through_it() -> None:
    remember_secret("sk-alpha-0123456789")
    remember_secret("begin-key\nmiddle\nend-of-key")
    found = of("key = 'sk-alpha-0123456789'", "key = 'sk-beta-0123456789'")
    assert "alpha" not in str(found)
    assert MASK in str(found)
    assert "middle" not in str(diff_of(Change("cell 1 added", (("+", "a\nbegin-key\nmiddle\nend-of-key"),))))
    assert "middle" not in str(shown("begin-key\nmiddle\nend-of-key"))
