"""An executed notebook on a page: its text, tables and pictures are there, and nothing in it can run or load."""

from __future__ import annotations

import base64
import html.parser
from typing import Any

import pytest
from hostile import CORPUS, strange_characters
from notebook_cells import code, notebook

from gen_toolkit.jobs.executed_html import cleaned, executed_html

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
_SHOWN = ("text_html", "text_plain", "text_markdown", "text_latex", "image_png")
ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img src='http://evil/beacon.png'>",
    "<img src=' data:text/html;base64,PHNjcmlwdD4='>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mi xlink:href='javascript:alert(1)'></mi></math>",
    "<iframe src=//evil></iframe><object data=//evil></object><embed src=//evil>",
    "<a href='javascript:alert(1)'>x</a><a href='data:text/html,x'>y</a><a href=' jAvAsCrIpT:alert(1)'>z</a>",
    "<form action=//evil><input name=x><button formaction=//evil>b</button></form>",
    "<link rel=stylesheet href=//evil/x.css><meta http-equiv=refresh content='0;url=//evil'><base href=//evil>",
    "<style>@import '//evil/x.css'; body {display: none}</style>",
    "<div style=\"position:fixed;top:0;background:url('//evil/x.png')\" onclick=alert(1) id=top>cover</div>",
    "<details open ontoggle=alert(1)><summary>s</summary></details>",
    "<script>unclosed",
    "</pre></div></details></table></body><script>alert(1)</script>",
]


class Reader(html.parser.HTMLParser):
    """Which tags a page has, and what could run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.dangers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in {"script", "iframe", "object", "embed", "link", "base", "form", "svg", "math", "input", "button"}:
            self.dangers.append(tag)
        for name, value in attrs:
            said = (value or "").strip().lower()
            loads = name in {"src", "data", "srcset", "xlink:href", "background", "poster", "action", "formaction"}
            if name.startswith("on") or (loads and not said.startswith("data:image/")):
                self.dangers.append(f"{tag} {name}={said[:60]}")
            if name == "href" and not said.startswith(("http://", "https://", "mailto:")):
                self.dangers.append(f"{tag} {name}={said[:60]}")
            if name == "style" and any(word in said for word in ("url(", "position", "@import", "expression")):
                self.dangers.append(f"{tag} {name}={said[:60]}")


def dangers(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.dangers


def displayed(**data: Any) -> dict[str, Any]:
    kinds = {name.replace("_", "/", 1): value for name, value in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def prose(words: str, kind: str = "markdown") -> dict[str, Any]:
    return {"cell_type": kind, "id": kind, "metadata": {}, "source": words}


def everywhere(words: str) -> str:
    """A notebook that has these words wherever a text can stand."""
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": words},
        {"output_type": "error", "ename": "E", "evalue": words, "traceback": [words]},
        *(
            displayed(**{kind: words})
            for kind in ("text_html", "text_plain", "text_markdown", "text_latex", "image_png")
        ),
        displayed(**{"image_svg+xml": words, "application_javascript": words, "application_vnd.x+json": {"a": words}}),
    ]
    prose = [
        {"cell_type": kind, "id": f"p{n}", "metadata": {}, "source": words}
        for n, kind in enumerate(("markdown", "raw"))
    ]
    return executed_html(notebook(code(words, outputs=outputs), *prose, parameters=None))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_can_run_load_or_cover_the_page(attack: str) -> None:
    assert dangers(cleaned(attack)) == []


def test_nor_wherever_it_stands_in_a_notebook() -> None:
    assert dangers(everywhere("\n\n".join([*ATTACKS, *CORPUS]))) == []


def test_nothing_drives_a_terminal_or_reorders_what_is_shown() -> None:
    assert strange_characters(everywhere("\n\n".join(CORPUS)).replace("\r", "")) == []


def test_text_tables_links_and_pictures_are_shown() -> None:
    rows = "<thead><tr><th>n</th></tr></thead><tbody><tr><td>7</td></tr></tbody>"
    table = f"<style scoped>td {{color: red}}</style><table class='dataframe'>{rows}</table>"
    outputs = [displayed(text_html=table), displayed(image_png=PICTURE, text_plain="a figure")]
    words = "# Title\n\n[a link](https://example.org)\n\n- one"
    page = executed_html(notebook(prose(words), code("1 + 1", outputs=outputs), parameters=None))
    for part in ("<h1", "Title", 'href="https://example.org"', "<li>", "<th>n</th>", "<td>7</td>", PICTURE):
        assert part in page
    assert "color: red" not in page


def test_what_is_too_long_is_cut_and_says_so() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 3_000_000},
        displayed(image_png="A" * 3_000_000),
    ]
    page = executed_html(notebook(code("1", outputs=outputs), parameters=None))
    assert len(page) < 300_000
    assert "[cut here; notebook.ipynb has all 3000000 characters]" in page
    assert "[an output too large for this page; notebook.ipynb has it]" in page


def test_a_secret_is_masked() -> None:
    from gen_toolkit import text

    text.remember_secret("hunter2-and-more")
    assert "hunter2" not in everywhere("the key is hunter2-and-more")
