"""An executed notebook as HTML that can do nothing: no scripts, no styles but a few, nothing from elsewhere.

The only door to nbconvert, and to bleach, which decides what of a notebook's own HTML is left.
"""

from __future__ import annotations

import copy
import io
import json
import re
from typing import Any

from gen_toolkit import text
from gen_toolkit.ipynb import Notebook, source

_LONGEST_OUTPUT = 100_000  # characters of text
_LARGEST_OUTPUT = 2_000_000  # characters of anything, a picture say
_BLOCKS = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div", "dl",
    "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "s", "samp",
    "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"alt", "align", "class", "colspan", "height", "rowspan", "start", "style", "title", "valign", "width"}
_LINKS = ("http://", "https://", "mailto:")
_PICTURES = (
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/gif;base64,",
    "data:image/svg+xml;base64,",
)


def executed_html(notebook: Notebook) -> str:
    """Its cells with their outputs, one below the other: a fragment, for a page that brings its styles.

    A text longer than 100,000 characters is cut, a picture of more than 2 MB left out; the notebook has them.
    """
    from nbconvert.exporters import HTMLExporter

    exporter = HTMLExporter(template_name="basic", sanitize_html=True, filters={"clean_html": cleaned})
    body, _ = exporter.from_file(io.StringIO(json.dumps(_tame(notebook))))
    return str(body)


def cleaned(html: Any) -> str:
    """Without what could run, load, post or cover the page. What is not known is shown as text."""
    import bleach
    from bleach.css_sanitizer import CSSSanitizer

    words = html.decode() if isinstance(html, bytes) else str(html)
    return str(
        bleach.clean(
            _BLOCKS.sub("", words),
            tags=_TAGS,
            attributes=_is_harmless,
            protocols={"http", "https", "mailto", "data"},
            css_sanitizer=CSSSanitizer(),
        )
    )


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return tag == "a" and value.strip().lower().startswith(_LINKS)
    if name == "src":
        return tag == "img" and value.startswith(_PICTURES)
    return name in _ATTRIBUTES


def _tame(notebook: Notebook) -> Notebook:
    """A copy whose texts drive nothing and are not too long, and whose cells have what nbformat asks for."""
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        tame = {
            "cell_type": cell["cell_type"],
            "id": f"cell-{number}",
            "metadata": {},
            "source": text.terminal(source(cell)),
        }
        if cell["cell_type"] == "code":
            tame |= {
                "execution_count": cell.get("execution_count"),
                "outputs": [_tame_output(output) for output in cell.get("outputs", [])],
            }
        cells.append(tame)
    metadata = {"language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _tame_output(output: dict[str, Any]) -> dict[str, Any]:
    tame = copy.copy(output)
    if "text" in tame:
        tame["text"] = _tame_text(tame["text"])
    if "traceback" in tame:
        tame["traceback"] = [_tame_text(line) for line in tame["traceback"]]
    if "data" in tame:
        tame["metadata"] = {}
        tame["data"] = {kind: _tame_datum(kind, value) for kind, value in tame["data"].items()}
        if any(value is None for value in tame["data"].values()):
            tame["data"] = {"text/plain": "[an output too large for this page; notebook.ipynb has it]"}
    return tame


def _tame_datum(kind: str, value: Any) -> Any:
    """None: it is too large."""
    if not isinstance(value, str | list):
        return value
    words = "".join(map(str, value))
    if len(words) > _LARGEST_OUTPUT:
        return None
    return _tame_text(words) if kind == "text/plain" else text.terminal(words)


def _tame_text(words: Any) -> str:
    words = "".join(map(str, words)) if isinstance(words, list) else str(words)
    if len(words) > _LONGEST_OUTPUT:
        words = f"{words[:_LONGEST_OUTPUT]}\n[cut here; notebook.ipynb has all {len(words)} characters]"
    return text.terminal(words)
