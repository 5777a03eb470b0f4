"""How things look: values in, escaped HTML and plain text out."""

from __future__ import annotations

import pytest

from gen_toolkit import display, text

EVIL = "<img src=x onerror=alert(1)>\x1b[2J"


@pytest.mark.parametrize(
    "shown",
    [
        display.html_table([EVIL], [[EVIL]]),
        display.html_card(EVIL, EVIL, ""),
        display.html_text(EVIL),
    ],
    ids=["table", "card", "text"],
)
def test_values_are_shown_and_never_obeyed(shown: str) -> None:
    assert "<img" not in shown
    assert "\x1b" not in shown
    assert "&lt;img src=x" in shown


def test_plain_text_of_a_bundle_cannot_drive_a_terminal_and_holds_no_secret() -> None:
    text.remember_secret("display-0123456789")
    assert display.bundle("a\x1b[2J display-0123456789\nb", "")["text/plain"] == f"a {text.MASK}\nb"


def test_a_text_table_is_aligned_and_cut() -> None:
    shown = display.text_table(["a", "long"], [["x\ny", None], [1, "z" * 30]], width=10)
    assert shown.splitlines() == ["a    long", "───  ──────────", "x y", "1    zzzzzzzzz…"]


@pytest.mark.parametrize(("value", "shown"), [(None, "unknown"), (0, "$0.0000"), ("0.5", "$0.5000")])
def test_an_unknown_cost_is_not_nothing(value: object, shown: str) -> None:
    assert display.money(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, ""), (0.0123, "12 ms"), (3.14, "3.1 s"), (180, "3.0 min")])
def test_times_are_readable(value: float | None, shown: str) -> None:
    assert display.seconds(value) == shown


def test_progress_in_a_log_ends_with_a_line_that_says_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    with display.Progress("label\x1b[2J", total=2) as progress:
        progress.step("good")
        progress.step()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("label 2/2")
    assert last.endswith("good")
