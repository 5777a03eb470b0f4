"""The reviewer's page in a real chromium: it asks for nothing, no text becomes an element, and a phone shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import CORPUS
from review_pages import BETTER, hostile, page, side

from gen_toolkit.releases.review.page import Page, write_review

pytestmark = pytest.mark.browser

PHONE, DESK = 400, 1100
FOREIGN = "script, img, iframe, object, embed, link, a, form, input, svg svg, [onload], [onerror]"
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACADs="
LONG = "a_name_without_any_place_to_break_" * 12


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("hostile"), hostile("\n".join([*CORPUS, LONG])))


def written(folder: Path, made: Page) -> Path:
    write_review(folder, made)
    return folder / "review.html"


@pytest.fixture
def opened(chromium: Any) -> Iterator[Any]:
    """A function that opens a file at a width, and says what was asked for beside it."""
    contexts = []

    def open_file(path: Path, width: int) -> tuple[Any, list[str]]:
        context = chromium.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        shown, asked = context.new_page(), []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("dialog", lambda dialog: asked.append(dialog.message))
        shown.goto(path.as_uri())
        return shown, asked

    yield open_file
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_hostile_texts_ask_for_nothing_become_nothing_and_fit(opened: Any, hostile_file: Path, width: int) -> None:
    shown, asked = opened(hostile_file, width)
    for fold in shown.locator("details:not([open]) > summary").all():
        fold.click()
    assert asked == [hostile_file.as_uri()]
    assert shown.locator(FOREIGN).count() == 0
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert "<script>alert(1)</script>" in shown.locator("h1").inner_text()


def test_neither_a_script_nor_an_image_that_got_in_would_be_loaded(opened: Any, tmp_path: Path) -> None:
    path = written(tmp_path, page())
    html = path.read_text(encoding="utf-8")
    path.write_text(html.replace("</main>", f"<script>document.title = 'ran'</script><img src={DOT}></main>"))
    shown, _ = opened(path, DESK)
    assert shown.title() == "label, release 5"
    assert shown.locator("img").evaluate("image => image.naturalWidth") == 0
    path.write_text(f"<img src={DOT}>")  # without the page's policy
    assert opened(path, DESK)[0].locator("img").evaluate("image => image.naturalWidth") == 1


def test_what_is_folded_is_printed(opened: Any, tmp_path: Path) -> None:
    long = "\n".join(f"line_{number} = {number}" for number in range(60))
    shown, _ = opened(written(tmp_path, page(BETTER, side(5, long))), DESK)
    line = shown.get_by_text("line_7 = 7")
    assert not line.is_visible()
    shown.emulate_media(media="print")
    assert line.is_visible()


def test_light_and_dark_are_both_readable(opened: Any, tmp_path: Path) -> None:
    shown, _ = opened(written(tmp_path, page()), DESK)
    for scheme in ("light", "dark"):
        shown.emulate_media(color_scheme=scheme)
        for place in ("h1", ".verdict", "td", ".diff .new", "code"):
            assert contrast(shown, place) >= 4.5, (scheme, place)  # WCAG 2.2, 1.4.3


def contrast(shown: Any, place: str) -> float:
    """Of a text and what it stands on; WCAG's formula."""
    ink, paper = shown.locator(place).first.evaluate(
        """node => {
            const ink = getComputedStyle(node).color;
            while (node && getComputedStyle(node).backgroundColor === 'rgba(0, 0, 0, 0)') node = node.parentElement;
            const numbers = said => said.match(/[\\d.]+/g).slice(0, 3).map(Number);
            return [numbers(ink), numbers(getComputedStyle(node).backgroundColor)];
        }"""
    )
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
