"""The box that hears keys: what is pressed reaches the kernel, what the kernel makes is what is shown."""

from __future__ import annotations

import re
from typing import Any

from gen_toolkit.widgets.pane import Pane


def test_what_is_pressed_is_heard_and_then_drawn() -> None:
    heard: list[tuple[str, str, str]] = []

    def hear(what: str, value: str, on: str) -> None:
        heard.append((what, value, on))

    pane = Pane(["j"], {"/": "search"}, hear, lambda: (f"<b>{len(heard)}</b>", str(len(heard))))
    assert (pane.html, pane.on, pane.heard, pane.fields) == ("<b>0</b>", "0", ["j"], {"/": "search"})
    pressed: dict[str, Any] = {"do": "key", "value": "j", "on": "0"}
    pane._handle_custom_msg(pressed, [])
    assert (pane.html, pane.on) == ("<b>1</b>", "1")
    pane._handle_custom_msg({"do": "key"}, [])  # a message that lacks something says nothing, and breaks nothing
    assert heard == [("key", "j", "0"), ("key", "", "")]


def test_the_module_and_its_style_fetch_nothing() -> None:
    assert not re.search(r"https?:|import\s|import\(|fetch\(|url\(|eval\(|@import", str(Pane._esm))
    assert not re.search(r"https?:|url\(|@import", str(Pane._css))
