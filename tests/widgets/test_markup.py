"""Whatever a text says, it is shown and never obeyed."""

from __future__ import annotations

import hostile
import pytest

import gen_toolkit as gt
from gen_toolkit import text
from gen_toolkit.messages.reply import Reply
from gen_toolkit.prompts.diff import diff
from gen_toolkit.widgets import markup
from gen_toolkit.widgets.tries import Answer

_OURS = {"div", "b", "i", "span", "pre", "ins", "del"}


def strange(html: str) -> list[str]:
    """Tags beyond ours; the marks of differences, roles and the place that keys reach are ours, too."""
    for ours in ('<del style="', '<ins style="', '<div role="alert" style="', '<pre tabindex="0" style="'):
        html = html.replace(ours, '<b style="')
    return hostile.strange_tags(html)


@pytest.mark.parametrize("said", hostile.CORPUS)
def test_no_text_becomes_an_element_anywhere(said: str) -> None:
    rendered = gt.Prompt("p", user="{{ x }}")(x=said)
    old, new = {"messages": [{"role": "user", "content": ""}]}, {"messages": [{"role": said, "content": said}]}
    shown = [
        markup.heading(said, said),
        markup.quiet(said),
        markup.fault(said),
        markup.messages(rendered),
        markup.changes(diff(old, new), said),
        markup.code(said),
        markup.answer(Answer(said, "failed", said, said, Reply(text=said, value=[said], finish_reason=said), 1.0)),
    ]
    for html in shown:
        assert strange(html) == []
        assert hostile.strange_characters(html) == []


def test_a_fault_is_one_line_and_nothing_is_nothing() -> None:
    assert "\n" not in markup.fault("a\nb")
    assert markup.fault("") == ""


def test_a_long_text_is_cut_and_a_secret_at_the_cut_is_masked() -> None:
    text.remember_secret("sk-live-12345-abcde")
    said = "x" * (markup.MOST_SHOWN - 5) + "sk-live-12345-abcde" + "y" * 1000
    html = markup.answer(Answer("fast", "done", said))
    assert "sk-" not in html
    assert "characters more" in html


def test_a_value_that_is_not_the_text_is_shown_beside_it() -> None:
    assert "value: True" in markup.answer(Answer("fast", "done", "yes", reply=Reply(text="yes", value=True)))
    assert "value:" not in markup.answer(Answer("fast", "done", "yes", reply=Reply(text="yes", value="yes")))
