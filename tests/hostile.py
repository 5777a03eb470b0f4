"""Texts that try to become markup, code, a path or a terminal command; one corpus for every sink."""

from __future__ import annotations

import html.parser

CORPUS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</pre></td></table><iframe src=//evil>",
    "&lt;b&gt; & <b>",
    "\x1b[2J\x1b]0;owned\x07red",
    "\u202egnp.exe",
    "{{ 7*7 }} {% raw %} {# x #}",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "a\x00b\r\nc\td",
    "😀 ﷽ é \U0001f9d1\u200d\U0001f680",
]

_OURS = {
    "div",
    "b",
    "i",
    "span",
    "pre",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "br",
    "ins",
    "del",
}


class _Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _OURS or any(name != "style" for name, _ in attrs):
            self.strange.append(self.get_starttag_text() or tag)


def strange_tags(html_text: str) -> list[str]:
    """The tags and attributes that our own displays never write: what broke out of a value."""
    reader = _Reader()
    reader.feed(html_text)
    reader.close()
    return reader.strange


def strange_characters(plain: str) -> list[str]:
    """Characters that would drive a terminal or reorder what is shown."""
    return [c for c in plain if (c < " " and c not in "\n\t") or c in "\x7f\x9b\u202e"]
