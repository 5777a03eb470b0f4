"""Text of strangers at every sink: it is shown, never obeyed; and no secret passes."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hostile import CORPUS
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gen_toolkit import text

HOSTILE = {
    **{ascii(hostile): hostile for hostile in CORPUS},
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover='alert(1)'",
    "entity": "&lt;b&gt; &amp;",
    "ansi colour": "\x1b[31mred\x1b[0m",
    "ansi clear": "\x1b[2J\x1b[H",
    "ansi in ansi": "\x1b\x1b[31m[31m",
    "osc title": "\x1b]0;title\x07after",
    "osc link": "\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\",
    "osc without end": "\x1b]52;c;aGk=",
    "c1 csi": "\x9b31mred",
    "c1 osc": "\x9d0;title\x9c",
    "bidi override": "a\u202eb\u2066c\u2069\u200f",
    "arabic letter mark": "a\u061cb",
    "controls": "".join(map(chr, range(32))) + "\x7f",
    "carriage return": "good\rbad",
    "backspace": "bad\b\b\bgood",
    "line separators": "a\u2028b\u2029c\x85d",
}
SECRET = 'top/secret+"value"&1'


@pytest.fixture(autouse=True)
def _forget_secrets() -> Iterator[None]:
    before = text._secrets
    yield
    text._secrets = before


def driving(shown: str, allowed: str) -> set[str]:
    """The characters that a terminal or a page would obey."""
    bidi = {"R", "AL", "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    return {
        character
        for character in shown
        if character not in allowed
        and (unicodedata.category(character) == "Cc" or unicodedata.bidirectional(character) in bidi)
    }


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_terminal_is_not_driven(hostile: str) -> None:
    assert not driving(text.terminal(hostile), "\n\t")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_html_is_not_markup(hostile: str) -> None:
    shown = text.html(hostile)
    assert not set("<>\"'") & set(shown)
    assert not driving(shown, "\n\t")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_one_line_is_one_line_of_the_asked_width(hostile: str) -> None:
    line = text.one_line(hostile * 20, 40)
    assert len(line) <= 40
    assert len(line.splitlines()) <= 1


@given(st.text())
def test_cleaning_twice_is_cleaning_once(any_text: str) -> None:
    assert text.terminal(text.terminal(any_text)) == text.terminal(any_text)


@pytest.mark.parametrize("plain", ["Grüße, 日本語, 🎬", "tab\there", "two\nlines"])
def test_ordinary_text_stays_as_it_is(plain: str) -> None:
    assert text.terminal(plain) == plain


def test_html_keeps_what_a_reader_should_see() -> None:
    assert text.html("<b> & \"quotes\" 'too'") == "&lt;b&gt; &amp; &quot;quotes&quot; &#x27;too&#x27;"


@given(st.text(alphabet='abcXYZ019+/=-_"\\<>&% é', min_size=8), st.text(max_size=5), st.text(max_size=5))
def test_a_secret_is_masked_in_all_its_forms(secret: str, before: str, after: str) -> None:
    text._secrets = ()
    text.remember_secret(secret)
    raw = secret.encode()
    for form in (
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ):
        assert form not in text.scrub(before + form + after)


@pytest.mark.parametrize("sink", [text.html, text.terminal, text.one_line, text.scrub])
def test_every_sink_masks(sink: object) -> None:
    text.remember_secret(SECRET)
    assert sink(f"key: {SECRET}.") == f"key: {text.MASK}."  # type: ignore[operator]


@pytest.mark.parametrize("hidden", ["\x1b[0m", "\x00", "\u202e"])
@pytest.mark.parametrize("sink", [text.html, text.terminal, text.one_line, text.markdown, text.markdown_block])
def test_a_secret_is_masked_that_only_cleaning_makes_whole(sink: object, hidden: str) -> None:
    text.remember_secret("sk-0123456789")
    assert "sk-0123456789" not in sink(f"sk-01234{hidden}56789")  # type: ignore[operator]


def test_a_secret_that_a_cut_would_halve_is_masked_first() -> None:
    text.remember_secret("sk-0123456789abcdef")
    assert "sk-0" not in text.one_line("the key is sk-0123456789abcdef", 20)


def test_of_an_address_the_password_alone_is_masked_too() -> None:
    text._secrets = ()
    text.remember_secret("postgresql://me:pass%2Fword-1@db.example/records")
    assert (
        text.scrub("pass%2Fword-1 is pass/word-1 at db.example/records") == "[secret] is [secret] at db.example/records"
    )


def test_short_values_do_not_mask_ordinary_words() -> None:
    text.remember_secret("secret")
    assert text.scrub("a secret ballot") == "a secret ballot"


@pytest.mark.parametrize(
    ("given", "shown"),
    [("\ud83d\ude00", "\U0001f600"), ("cut \ud83d", "cut \ufffd"), ("\ude00", "\ufffd"), ("a 😀 é", "a 😀 é")],
)
def test_halves_of_a_character_are_put_together_or_replaced(given: str, shown: str) -> None:
    assert text.html(given) == text.terminal(given) == text.one_line(given) == shown


@pytest.mark.parametrize("said", [*CORPUS, "`", "a `` b", "```", "", "\n"])
def test_a_code_span_of_markdown_holds_the_text_and_nothing_else(said: str) -> None:
    (inline,) = [token for token in MarkdownIt().parse(f"before {text.markdown(said)} after") if token.type == "inline"]
    before, span, after = inline.children or []
    assert (before.content, span.type, after.content) == ("before ", "code_inline", " after")
    assert span.content.strip() == " ".join(text.terminal(said).split())


@pytest.mark.parametrize("said", [*CORPUS, "```", "````\n~~~", "a\n```\nb"])
def test_a_block_of_markdown_holds_the_text_and_nothing_else(said: str) -> None:
    (block,) = MarkdownIt().parse(text.markdown_block(said, "diff"))
    assert (block.type, block.info, block.content) == ("fence", "diff", f"{text.terminal(said)}\n")
