"""What a playground holds: the rendering is always that of the present text, and one can go back to every try."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

import gen_toolkit as gt
from gen_toolkit import text
from gen_toolkit.datasets.dataset import Dataset
from gen_toolkit.errors import InputError
from gen_toolkit.messages.reply import Reply, Usage
from gen_toolkit.widgets.bench import Bench
from gen_toolkit.widgets.tries import Answer

LABEL = gt.Prompt("label", user="{{ text }}: {{ labels | join(' or ') }}?", defaults={"labels": ["good", "bad"]})
ROWS = Dataset([{"text": "Great fun.", "label": "good"}, {"text": "A bore.", "label": "bad"}])


def said(bench: Bench) -> str:
    assert bench.look.rendered is not None, bench.look.error
    return str(bench.look.rendered.messages[-1]["content"])


def test_it_opens_with_the_first_row_and_the_defaults() -> None:
    bench = Bench(LABEL, ROWS, ["fast"])
    assert said(bench) == "Great fun.: good or bad?"
    assert bench.variables == ["labels", "text"]


def test_rows_are_stepped_through_and_the_ends_are_the_ends() -> None:
    bench = Bench(LABEL, ROWS, ["fast"])
    positions = []
    for step in (1, 1, -1, -5):
        bench.go(bench.position + step)
        positions.append((bench.position, said(bench).partition(":")[0]))
    assert positions == [(1, "A bore."), (1, "A bore."), (0, "Great fun."), (0, "Great fun.")]
    Bench(LABEL, (), ["fast"]).go(3)


def test_without_rows_what_is_missing_is_named() -> None:
    bench = Bench(LABEL, (), ["fast"])
    assert bench.look.error == "prompt 'label' needs a value for 'text'. Fill in its field."
    with pytest.raises(InputError, match="needs a value for 'text'"):
        bench.begin(0.0)
    bench.type("text", "Fine.")
    assert said(bench) == "Fine.: good or bad?"


def test_a_broken_template_is_one_line_and_mending_it_brings_the_rendering_back() -> None:
    bench = Bench(LABEL, ROWS, ["fast"])
    whole = bench.draft
    bench.edit(whole.with_turn(0, text="{{ text"))
    assert "message 1 (user): the template cannot be parsed" in bench.look.error
    assert (bench.look.rendered, bench.changes, bench.code.startswith("# message 1")) == (None, [], True)
    bench.edit(whole.with_turn(0, text="{{ text }}!"))
    assert (said(bench), bench.look.error) == ("Great fun.!", "")


def test_a_variable_that_is_new_in_the_text_takes_its_column_of_the_row() -> None:
    bench = Bench(LABEL, ROWS, ["fast"])
    bench.edit(bench.draft.with_turn(0, text="{{ label }}"))
    assert said(bench) == "good"


def test_a_try_without_a_model_is_refused() -> None:
    with pytest.raises(InputError, match=r"no model is chosen"):
        Bench(LABEL, ROWS, []).begin(0.0)


def test_a_try_holds_everything_and_one_can_go_back_to_it() -> None:
    bench = Bench(LABEL, ROWS, ["fast", "good"])
    first = bench.begin(0.0)
    bench.answered(1, 0, Answer("fast", "done", "good", seconds=0.2, reply=Reply(text="good", cost=Decimal("0.01"))))
    assert bench.is_running
    bench.answered(1, 1, Answer("good", "failed", error="no"))
    assert not bench.is_running
    bench.go(1)
    bench.edit(bench.draft.with_turn(0, text="{{ text }} Label it."))
    bench.choose(["good"])
    bench.stream(False)
    assert (bench.is_changed, bench.shown) == (True, 1)
    second = bench.begin(1.0)
    bench.answered(2, 0, Answer("good", "done", "bad"))
    bench.back(1)
    now = (bench.draft, bench.fields, bench.position, bench.models, bench.streamed)
    assert now == (first.draft, first.fields, 0, ("fast", "good"), True)
    assert bench.shown_try is not None
    assert [answer.text for answer in bench.shown_try.answers] == ["good", ""]
    assert (said(bench), bench.is_changed) == ("Great fun.: good or bad?", False)
    bench.back(2)
    assert (said(bench), bench.models, bench.streamed) == ("A bore. Label it.", ("good",), False)
    assert second.number == 2


def test_what_nobody_works_on_any_more_is_stopped() -> None:
    bench = Bench(LABEL, ROWS, ["fast", "good"])
    bench.begin(0.0)
    bench.answered(1, 0, Answer("fast", "done", "good"))
    bench.end(1)
    assert [answer.state for answer in bench.tries[0].answers] == ["done", "stopped"]
    assert not bench.is_running


def test_the_try_says_what_it_took() -> None:
    reply = Reply(text="good", usage=Usage(1200, 3), cost=Decimal("0.000018"), first_token_seconds=0.2, source="live")
    done = Answer("fast", "done", "good", reply=reply, seconds=1.25)
    assert done.facts == "1.2 s · first text 200 ms · 1,200 → 3 tokens · $0.000018"
    unknown = replace(done, reply=Reply(usage=Usage(None, 3), finish_reason="length", source="reuse"))
    assert unknown.facts == "1.2 s · ? → 3 tokens · cost unknown · from the journal · ended by length"
    bench = Bench(LABEL, ROWS, ["fast", "good"])
    bench.begin(0.0)
    bench.answered(1, 0, done)
    assert str(bench.tries[0]).endswith("· fast 1.2 s $0.000018, good waiting")


def test_changes_are_words_against_the_text_it_was_opened_with_then_against_the_saved_version() -> None:
    bench = Bench(LABEL, ROWS, ["fast"])
    assert (bench.changes, bench.standing) == ([], "not saved")
    bench.edit(bench.draft.with_turn(0, text="{{ text }}: {{ labels | join(' or ') }}, say!"))
    assert bench.base_name == "the text that it was opened with"
    assert [str(change) for change in bench.changes] == [
        "# user\n{{ text }}: {{ labels | join(' or ') }}[-?-]{+, say!+}"
    ]
    prompt = bench.draft.prompt()
    saved = gt.Prompt.from_content("label", prompt.content(), 3)
    bench.saved(saved)
    assert (bench.changes, bench.standing, bench.base_name) == ([], "version 3", "label@3")
    assert 'gt.load_prompt("label@3")' in bench.code
    bench.edit(bench.draft.with_turn(0, text="{{ text }}"))
    assert bench.standing == "changed since version 3"
    assert "gt.load_prompt" not in bench.code


def test_after_a_save_an_older_try_comes_back_as_changed() -> None:
    bench = Bench(LABEL, ROWS, ["fast"])
    bench.begin(0.0)
    bench.edit(bench.draft.with_turn(0, text="{{ text }}"))
    bench.saved(gt.Prompt.from_content("label", bench.draft.prompt().content(), 1))
    bench.back(1)
    assert bench.standing == "changed since version 1"
    assert bench.look.prompt is not None
    assert bench.look.prompt.messages == LABEL.messages


def test_a_secret_is_masked_in_changes_before_it_is_cut_into_words() -> None:
    text.remember_secret("sk-live-12345-abcde")
    bench = Bench(LABEL, ROWS, ["fast"])
    bench.edit(bench.draft.with_turn(0, text="{{ text }} sk-live-12345-abcde"))
    assert "12345" not in "".join(map(str, bench.changes))
    assert text.MASK in "".join(map(str, bench.changes))
