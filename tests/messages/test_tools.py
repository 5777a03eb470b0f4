"""What a model is told of a function, and what may come back from it."""

from __future__ import annotations

import datetime
import enum
import inspect
import json
from decimal import Decimal
from typing import Annotated, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from gen_toolkit.errors import InputError, OutputMismatch, PromptError
from gen_toolkit.messages.docstring import read_docstring
from gen_toolkit.messages.tool import Tool, ToolCall
from gen_toolkit.messages.tools import tools_of


class Place(BaseModel):
    city: str
    country: str = "NO"


class Unit(enum.Enum):
    C = "c"
    F = "f"


class Own:
    """Nothing that JSON could hold."""


def find(
    place: Place,
    when: datetime.date,
    unit: Unit = Unit.C,
    days: Annotated[int, Field(ge=1, le=7, description="from 1 to 7")] = 1,
    schema: list[str] | None = None,
    *,
    _copy: bool = False,
) -> str:
    """Find the weather.

    It looks far.

    Args:
        place: Where: a place
            with its country.
        when (datetime.date): The day.
        days: never told

    Returns:
        place: no parameter
    """
    raise AssertionError("a tool is never run")


def test_a_function_is_told_by_its_name_docstring_and_types() -> None:
    (tool,) = tools_of([find])
    told = json.loads(json.dumps(tool.to_json()))
    assert (told["name"], told["description"]) == ("find", "Find the weather.\n\nIt looks far.")
    parameters = told["parameters"]
    jsonschema.Draft202012Validator.check_schema(parameters)
    assert (parameters["type"], parameters["additionalProperties"]) == ("object", False)
    assert parameters["required"] == ["place", "when"]
    properties = parameters["properties"]
    assert list(properties) == ["place", "when", "unit", "days", "schema", "_copy"]
    assert properties["place"]["description"] == "Where: a place with its country."
    assert properties["when"] == {"type": "string", "format": "date", "description": "The day."}
    assert properties["days"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 7,
        "default": 1,
        "description": "from 1 to 7",
    }
    assert properties["_copy"] == {"type": "boolean", "default": False}


def test_the_arguments_come_back_as_the_function_takes_them() -> None:
    written = '{"place": {"city": "Oslo"}, "when": "2026-01-02", "unit": "f", "_copy": true}'
    assert ToolCall("1", "find", written).checked(find) == {
        "place": Place(city="Oslo"),
        "when": datetime.date(2026, 1, 2),
        "unit": Unit.F,
        "_copy": True,
    }


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('{"when": "2026-01-02"}', "place: Field required"),
        ('{"place": {}, "when": "2026-01-02"}', "place.city: Field required"),
        ('{"place": {"city": "Oslo"}, "when": "soon"}', "when: Input should be a valid date"),
        ('{"place": {"city": "Oslo"}, "when": "2026-01-02", "dyas": 1}', "dyas: Extra inputs"),
        ('{"place": {"city": "Oslo"}, "when": "2026-01-02", "p0": 1}', "p0: Extra inputs"),
        ('{"place": {"city": "Oslo"}, "when": "2026-01-02", "days": 8}', "days: Input should be less than"),
        ("", "place: Field required"),
        ("[]", "no JSON object"),
        ('{"place": ', "no JSON object"),
        ('{"days": 1, "days": 2}', "no JSON object"),
        ('{"days": NaN}', "no JSON object"),
        ("[" * 100_000, "no JSON object"),
    ],
)
def test_arguments_that_do_not_fit_are_an_error_that_the_model_can_be_told(written: str, reason: str) -> None:
    call = ToolCall("c1", "find", written)
    with pytest.raises(OutputMismatch, match="the call of 'find' does not fit") as caught:
        call.checked(find)
    told = call.result(caught.value)
    assert told["content"].startswith("error: ")
    assert reason in told["content"]
    assert "\n" not in told["content"]
    assert (told["role"], told["tool_call_id"]) == ("tool", "c1")


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("as it is\n", "as it is\n"),
        ("", ""),
        (None, "null"),
        ({"å": [1, 2.5, True]}, '{"å":[1,2.5,true]}'),
        (Place(city="Oslo"), '{"city":"Oslo","country":"NO"}'),
        (datetime.date(2026, 1, 2), '"2026-01-02"'),
        (Decimal("1.10"), '"1.10"'),
        (ValueError("not\nfound"), "error: not found"),
        (KeyError(), "error: KeyError"),
    ],
)
def test_a_result_is_told_as_text_or_as_json(value: Any, content: str) -> None:
    assert ToolCall("1", "f", "").result(value)["content"] == content


@pytest.mark.parametrize("value", [Own(), "\ud800".join, {1: Own()}], ids=["object", "function", "inside"])
def test_what_json_cannot_hold_is_no_result(value: Any) -> None:
    with pytest.raises(InputError, match="cannot be told"):
        ToolCall("1", "f", "").result(value)


def untyped(a: int, b) -> None: ...  # type: ignore[no-untyped-def]
def many(*rest: int) -> None: ...
def named(**rest: int) -> None: ...
def by_place(a: int, /) -> None: ...
def of_own(a: int, own: Own) -> None: ...
def unknown(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def größe(a: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (untyped, "'untyped': parameter 'b' has no type"),
        (many, r"cannot give '\*rest'"),
        (named, r"cannot give '\*\*rest'"),
        (by_place, "cannot give 'a'"),
        (of_own, "parameter 'own' has a type that JSON cannot hold"),
        (unknown, "annotations cannot be read.*Nowhere"),
        (größe, "cannot be a tool's name"),
        (lambda: 1, "'<lambda>' cannot be a tool's name"),
        (print, r"cannot give '\*args'"),
        (Place, "is no function"),
        ("find", "is no function"),
    ],
)
def test_a_function_that_cannot_be_told_of_is_refused_and_the_parameter_named(function: Any, why: str) -> None:
    with pytest.raises(PromptError, match=why):
        tools_of([function])


def told(**changes: Any) -> dict[str, Any]:
    function = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}, **changes}
    return {"type": "function", "function": function}


def test_a_dict_in_the_form_of_the_api_is_taken_as_it_is() -> None:
    given = told(strict=True, parameters={"type": "object", "properties": {"a": {"const": 1}}})
    (tool,) = tools_of([given])
    assert tool.to_json() == given["function"]
    given["function"]["parameters"]["type"] = "changed later"
    assert tool.parameters["type"] == "object"
    assert tools_of([{"type": "function", "function": {"name": "g"}}]) == (
        Tool("g", "", {"type": "object", "properties": {}}),
    )
    assert tools_of([tool]) == (tool,)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"type": "function"},
        {"name": "f", "parameters": {}},
        {**told(), "extra": 1},
        told(name="a b"),
        told(name=3),
        told(description=3),
        told(strict="yes"),
        told(parameters=[]),
        told(parameters={"type": "array"}),
        told(parameters={"type": "object", "properties": {"a": {"type": "strnig"}}}),
        told(parameters={"type": "object", "default": ...}),
        told(defer=True),
    ],
)
def test_a_dict_that_is_no_tool_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PromptError) as caught:
        tools_of([wrong])
    assert caught.value.fix


@pytest.mark.parametrize("given", ["find", find, told(), 3])
def test_tools_are_a_list(given: Any) -> None:
    with pytest.raises(PromptError, match="is no list"):
        tools_of(given)


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(PromptError, match="2 tools 'find'"):
        tools_of([find, told(), told(name="find")])


NUMPY = """What it does.

    Parameters
    ----------
    a : int
        The first,
        and more.
    b
        The second.

    Returns
    -------
    int
        c : never
    """
GOOGLE = """What it does.

    Args:
        a (int): The first,
            and more.
        b: The second.

    Raises:
        c: never
    """


@pytest.mark.parametrize("written", [NUMPY, GOOGLE], ids=["numpy", "google"])
def test_a_docstring_says_what_parameters_are(written: str) -> None:
    assert read_docstring(written) == ("What it does.", {"a": "The first, and more.", "b": "The second."})


@pytest.mark.parametrize("written", [None, "", "One line.", "Args:", "Args:\n\nReturns:", "Note: it is so.\n\nMore."])
def test_a_docstring_without_parameters_describes_none(written: str | None) -> None:
    about, described = read_docstring(written)
    assert described == {}
    assert about in (written or "")


@given(st.text(" \n:-aArgsParmets", max_size=60))
def test_any_docstring_can_be_read(written: str) -> None:
    about, described = read_docstring(written)
    assert inspect.cleandoc(written).strip().startswith(about)
    assert all(name in written and said for name, said in described.items())
