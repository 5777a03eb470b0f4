"""A field for a parameter, by its type: a list to choose from, a number within bounds, a date, a text."""

from __future__ import annotations

import datetime
import enum
import typing
from collections.abc import Callable
from typing import Any

from ipywidgets import BoundedIntText, Checkbox, DatePicker, Dropdown, Layout, Text, Textarea

from gen_toolkit.jobs.parameters import Parameter
from gen_toolkit.jobs.shape import Shape, shape_of
from gen_toolkit.jobs.values import as_text
from gen_toolkit.secret import Secret
from gen_toolkit.text import one_line

_WIDE = Layout(width="28em")
_NAMED = {"description_width": "10em"}


def field(item: Parameter, hear: Callable[[str], None]) -> Any:
    """A widget that shows the default, and tells `hear` what was put in, as a text."""
    shape = shape_of(item.type)
    widget, told = _widget(item, shape)
    widget.description = one_line(item.name, 40)
    widget.style, widget.layout = _NAMED, _WIDE
    widget.observe(lambda change: hear(told(change["new"])), "value")
    return widget


def _widget(item: Parameter, shape: Shape) -> tuple[Any, Callable[[Any], str]]:
    """The widget, and how its value is told as a text."""
    default = as_text(item.default)
    words = _words(shape)
    if words:
        return Dropdown(options=words, value=default), str
    if shape.base is bool:
        return Checkbox(value=item.default, indent=True), as_text
    least, most = shape.bounds.get("ge"), shape.bounds.get("le")
    if shape.base is int and not shape.optional and isinstance(least, int) and isinstance(most, int):
        return BoundedIntText(value=item.default, min=least, max=most), as_text
    if shape.base is datetime.date and not shape.optional:
        return DatePicker(value=item.default), lambda value: "" if value is None else as_text(value)
    if shape.base is typing.Any or (typing.get_origin(shape.base) or shape.base) in (list, dict) or "\n" in default:
        return Textarea(value=default, rows=3, continuous_update=True), str
    return Text(value=default, placeholder=_example(shape), continuous_update=True), str


def _words(shape: Shape) -> list[str]:
    """What can be chosen, where that is a list."""
    choices = [True, False] if shape.base is bool and shape.optional else shape.choices
    if choices is None:
        return []
    words = [each.name if isinstance(each, enum.Enum) else as_text(each) for each in choices]
    return list(dict.fromkeys([*words, "null"] if shape.optional else words))


def _example(shape: Shape) -> str:
    examples: dict[Any, str] = {
        Secret: "env:NAME or file:/path",
        datetime.datetime: "2026-12-31T10:00",
        datetime.date: "2026-12-31",
        datetime.timedelta: "PT1H30M",
    }
    return examples.get(shape.base, "")
