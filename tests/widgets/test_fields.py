"""A value that nobody touched is the value itself; one that was typed is what its variable takes."""

from __future__ import annotations

from typing import Any

import pytest

from gen_toolkit.errors import PromptError
from gen_toolkit.prompts.kinds import Kind
from gen_toolkit.widgets.fields import Fields


@pytest.mark.parametrize("value", ["5", "null", "", "a\r\nb", 5, None, ["a"], {"k": [1.5]}, True])
def test_an_untouched_field_gives_back_what_filled_it(value: Any) -> None:
    fields = Fields().filled({"x": value})
    (given,) = fields.values(["x"], {}).values()
    assert (given, type(given)) == (value, type(value))


def test_a_field_that_was_never_filled_has_no_value_and_an_emptied_one_an_empty_text() -> None:
    assert Fields().values(["x"], {}) == {}
    assert Fields().filled({"x": "a"}).typed("x", "").values(["x"], {}) == {"x": ""}


def test_a_row_fills_the_fields_of_its_columns_and_leaves_the_others() -> None:
    fields = Fields().filled({"labels": ["a"]}).typed("text", "by hand").filled({"text": "row", "label": "a"})
    assert fields.values(["labels", "text"], {}) == {"labels": ["a"], "text": "row"}


def test_what_is_typed_over_a_list_is_read_as_json() -> None:
    fields = Fields().filled({"labels": ["a"]})
    assert fields.typed("labels", '["b", "c"]').values(["labels"], {}) == {"labels": ["b", "c"]}
    with pytest.raises(PromptError, match=r'^the value of \'labels\' is no JSON\. Write it like \["a"\]$'):
        fields.typed("labels", "b, c").values(["labels"], {})
    with pytest.raises(PromptError, match="is no JSON"):
        fields.typed("labels", "[" * 100_000).values(["labels"], {})


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("str", "5", "5"),
        ("any", "5", "5"),
        ("int", "5", 5),
        ("list[str]", '["a"]', ["a"]),
        ("Literal['a', 'b']", "a", "a"),
        ("Literal['a', 'b']", "c", "c"),
        ("Literal[1, 2]", "2", 2),
        ("str | None", "null", "null"),
        ("int | None", "null", None),
        ("bool", "true", True),
    ],
)
def test_a_declared_type_says_how_a_text_is_read(kind: str, typed: str, value: Any) -> None:
    assert Fields().typed("x", typed).values(["x"], {"x": Kind.of(kind)}) == {"x": value}
