"""The parameters cell: what may stand in it, how values are read, and that a value is never code."""

from __future__ import annotations

import datetime
import json
import math
import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from gen_toolkit import Secret
from gen_toolkit.errors import ParameterError
from gen_toolkit.jobs.parameters import Parameter, Parameters, read_parameters
from gen_toolkit.jobs.values import as_json, as_text, injected_source

EVERY_FORM = '''"""What this job needs."""
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional
from annotated_types import Ge, Interval
from gen_toolkit import Secret

class Tone(Enum):
    """How it speaks."""
    calm = "quiet"
    loud = 2

limit: int = 150            # how many
share: float = 0.5
whole: float = 1
dry: bool = False           # say '#' only
name: str = "a # b=c"       # a note with "quotes" and #
label: Literal["pos", "neg"] = "pos"
number: Literal[1, 2] = 2
tone: Tone = Tone.calm
day: date = date(2026, 1, 31)
at: datetime = datetime(2026, 1, 31, 23, 59)
wait: timedelta = timedelta(hours=1, minutes=5)
folder: Path = Path("data") # where
words: list[str] = ["a", "b"]
limits: dict[str, int] = {"a": 1}
maybe: int | None = None
also: Optional[str] = None
either: Tone | None = None
bounded: Annotated[int, Ge(0)] = 4
between: Annotated[float, Interval(ge=0, le=1)] = 0.5
quoted: "int | None" = 3
negative: int = -3
anything: Any = {"x": [1, None]}
key: Secret = Secret("env:KEY")
guessed = 7                 # no annotation
guessed_path = Path("x")
guessed_list = [1, 2]
'''


def one(line: str) -> Parameter:
    *imports, last = line.split("; ")
    return read_parameters("\n".join([*imports, last])).items[-1]


def executed(values: dict[str, Any], imports: str = "from datetime import *; from pathlib import Path") -> Any:
    """What the injected cell sets, and nothing else."""
    names: dict[str, Any] = {}
    exec(imports, names)
    before = dict(names)
    exec(injected_source(values), names)
    return {name: value for name, value in names.items() if name not in before or value is not before[name]}


def test_every_allowed_form_is_read_as_python_itself_reads_it() -> None:
    read = {item.name: item.default for item in read_parameters(EVERY_FORM).items}
    by_python: dict[str, Any] = {}
    exec(EVERY_FORM, by_python)
    tone = read.pop("tone")  # its class is made anew
    assert (tone.name, tone.value) == ("calm", "quiet")
    assert len(read) == 25
    assert read == {name: by_python[name] for name in read}


def test_the_injected_cell_sets_every_allowed_form_to_the_same_value() -> None:
    values = read_parameters(EVERY_FORM).values({})
    names: dict[str, Any] = {}
    exec(EVERY_FORM, names)
    by_hand = {name: names[name] for name in values}
    exec(injected_source(values), names)
    assert {name: names[name] for name in values} == by_hand


def test_comments_are_descriptions_and_a_hash_in_a_text_is_none() -> None:
    described = {item.name: item.description for item in read_parameters(EVERY_FORM).items}
    assert described["limit"] == "how many"
    assert described["name"] == 'a note with "quotes" and #'
    assert described["dry"] == "say '#' only"
    assert described["share"] == ""


def test_the_schema_holds_types_defaults_and_descriptions_and_only_references_of_secrets() -> None:
    schema = read_parameters(EVERY_FORM).json_schema()
    assert schema["properties"]["limit"] == {"type": "integer", "default": 150, "description": "how many"}
    assert schema["properties"]["key"] == {"type": "string", "default": "env:KEY"}
    assert schema["properties"]["label"]["enum"] == ["pos", "neg"]
    assert schema["additionalProperties"] is False
    Draft202012Validator(schema).validate(json.loads(json.dumps({"either": "quiet", "limits": {"a": 2}})))
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate({"either": "shrill"})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x: int = 1 + 1", "not a literal"),
        ("x = len('abc')", "not a literal"),
        ("x = __import__('os').system('true')", "not a literal"),
        ("x: str = f'{1}'", "not a literal"),
        ("x: list = [i for i in range(3)]", "not a literal"),
        ("a, b = 1, 2", "no parameter"),
        ("a = b = 1", "no parameter"),
        ("x: int", "no parameter"),
        ("x += 1", "no parameter"),
        ("x.y = 1", "no parameter"),
        ("import os", "no parameter"),
        ("print('x')", "no parameter"),
        ("if True: x = 1", "no parameter"),
        ("from os import path", "import from os"),
        ("from gen_toolkit import chat", "import from gen_toolkit"),
        ("from . import helpers", "import from"),
        ("from pathlib import Path as P", "another name"),
        ("class Thing: pass", "no Enum"),
        ("from enum import Enum; class Tone(Enum): a = len('x')", "not a literal"),
        ("from enum import Enum; class Tone(Enum): mro = 1", "Tone"),
        ("x: int = 1; x: int = 2", "twice"),
        ("_x: int = 1", "cannot be the name"),
        ("__name__ = 'x'", "cannot be the name"),
        ("match: int = 'a'", "int"),
        ("x: int = 'a'", "int"),
        ("x: int = '5'", "int"),
        ("x: str = 5", "str"),
        ("x: bool = 1", "bool"),
        ("from datetime import date; x: date = '2026-01-31'", "date"),
        ("from datetime import date; x: date = date(2026, 2, 30)", "has no value"),
        ("x: float = 1e999", "finite"),
        ("x = -1e999", "finite"),
        ("x: list[float] = [1e999]", "finite"),
        ("x: dict = {'a': 1e999}", "no number"),
        ("x = (1, 2)", "needs an annotation"),
        ("x = {1, 2}", "needs an annotation"),
        ("x: Any = b'1'", "bytes cannot be"),
        ("x: Secret | None = None", "not known here"),
        ("from datetime import date; date: date = date(2026, 1, 1)", "both a parameter and a type"),
        ("class Tone(Mood, Enum): a = 1", "no Enum"),
        ("x = None", "needs an annotation"),
        ("x: Frame = None", "not known here"),
        ("x: int[str] = 1", "not known here"),
        ("x: dict[str] = {}", "not known here"),
        ("x: 'int |' = 1", "not known here"),
        ("from annotated_types import Ge; x: Annotated[int, Ge()] = 1", "Ge()"),
        ("from annotated_types import Ge; x: Annotated[int, Ge('a')] = 1", "not known here"),
        ("from annotated_types import Ge; x: Annotated[int, Ge(3)] = 1", "greater than or equal to 3"),
        ("x: Annotated[int, print('x')] = 1", "no bound"),
        ("x: Secret = Secret('sk-the-value-itself')", "must be a reference"),
        ("x: int = (", "cannot be parsed"),
        ("x: Secret = 'env:KEY'", "no Secret"),
        ("x: 'int' | None = 3", "not known here"),
        ("x: int = 0x" + "f" * 5000, "too large"),
        ("x: float = 0x" + "f" * 5000, "very large"),
        ("x: Any = {'a': 0x" + "f" * 5000 + "}", "too large"),
        ("from datetime import date; date: int = 3", "both a parameter and a type"),
        ("Literal: int = 3", "both a parameter and a type"),
        ("from enum import Enum; class date(Enum): a = 1", "name of something else"),
        ("from annotated_types import MultipleOf; x: Annotated[int, MultipleOf(0)] = 1", "not known here"),
        ("from annotated_types import Len; x: Annotated[str, Len(2)] = 'a'", "at least 2"),
        ("from annotated_types import Lt; x: Annotated[float, Lt(1)] = 1.0", "less than 1"),
        ("from annotated_types import MultipleOf; x: Annotated[int, MultipleOf(5)] = 3", "multiple of 5"),
        ("%matplotlib inline", "cannot be parsed"),
    ],
)  # fmt: skip
def test_a_refused_form_is_one_error_that_names_the_line(line: str, says: str) -> None:
    statements = line.split("; ")
    source = "\n".join(["limit: int = 3", "", *statements])
    with pytest.raises(ParameterError) as caught:
        read_parameters(source)
    assert f"line {2 + len(statements)}" in caught.value.message
    assert says in caught.value.message + caught.value.fix
    assert caught.value.fix
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["x: int = " + "-" * 5000 + "1", "x: str = '\ud800'"], ids=["deep", "half"])
def test_a_cell_that_python_itself_cannot_read_is_one_error(line: str) -> None:
    with pytest.raises(ParameterError, match="cannot be parsed: it"):
        read_parameters(line)


def test_the_schema_takes_every_default_and_names_the_bounds() -> None:
    source = (
        EVERY_FORM + "more: Annotated[list[int], Len(1, 3)] = [1]\nfives: Annotated[int, MultipleOf(5), Lt(50)] = 5\n"
    )
    schema = read_parameters(source.replace("import Ge,", "import Ge, Len, Lt, MultipleOf,")).json_schema()
    defaults = {name: shape["default"] for name, shape in schema["properties"].items()}
    Draft202012Validator(schema).validate(json.loads(json.dumps(defaults)))
    assert schema["properties"]["wait"] == {"type": "string", "format": "duration", "default": "PT1H5M"}
    for name, value in {"bounded": -1, "between": 1.5, "more": [], "fives": 50, "number": 3, "day": 7}.items():
        with pytest.raises(ValidationError):
            Draft202012Validator(schema).validate({name: value})


def test_what_is_on_record_as_json_is_read_back_as_the_same_value() -> None:
    parameters = read_parameters(EVERY_FORM)
    values = parameters.values({})
    on_record = json.loads(json.dumps({name: as_json(value) for name, value in values.items()}))
    assert parameters.values(on_record) == values


def test_every_value_can_be_given_as_a_text() -> None:
    parameters = read_parameters(EVERY_FORM)
    values = parameters.values({})
    given = {name: as_text(value) for name, value in values.items()}
    assert given["words"] == '["a", "b"]'
    assert given["tone"] == "calm"
    assert parameters.values(given, from_text=True) == values


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ("x: Any = 0", '{"a": [1]}', {"a": [1]}),
        ("x: Any = 0", "007", "007"),
        ("x: str = ''", "007", "007"),
        ("x: str = ''", "null", "null"),
        ("x: str | None = ''", "null", None),
        ("x: str | int = ''", "7", "7"),
        ("x: int = 0", "007", 7),
        ("x: int | None = 0", "5", 5),
        ("x: int | None = 0", "none", None),
        ("x: float = 0.0", "1e-3", 0.001),
        ("x: bool = False", "true", True),
        ("x: bool = True", "0", False),
        ("x: Literal[1, 2] = 1", "2", 2),
        ("x: Literal[1, 2] | None = 1", "2", 2),
        ("x: Literal['a', 'b'] = 'a'", "b", "b"),
        ("x: date = date(2026, 1, 1)", "2026-12-31", datetime.date(2026, 12, 31)),
        ("x: datetime = datetime(2026, 1, 1)", "2026-12-31T10:00", datetime.datetime(2026, 12, 31, 10)),
        ("x: timedelta = timedelta(0)", "PT90S", datetime.timedelta(seconds=90)),
        ("x: Path = Path('.')", "a b/c.csv", pathlib.Path("a b/c.csv")),
        ("x: list[str] = []", '["007"]', ["007"]),
        ("x: list[int] = []", "[1, 2]", [1, 2]),
        ("x: dict[str, int] = {}", '{"a": 1}', {"a": 1}),
        ("x: list[int] | None = None", "[1]", [1]),
        ("x: Annotated[int, Ge(0)] = 0", "9", 9),
        ("x: Annotated[int, Ge(0)] | None = 0", "9", 9),
        ("x: Secret = Secret('env:A')", "env:B", Secret("env:B")),
        ("x = 0", "12", 12),
    ],
)
def test_text_from_a_command_line_is_read_by_the_declared_type(declared: str, text: str, value: object) -> None:
    read = Parameters((one(declared),)).values({"x": text}, from_text=True)["x"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["calm", "quiet"])
@pytest.mark.parametrize("annotation", ["Tone", "Tone | None"])
def test_a_member_of_an_enum_is_named_by_name_or_value(annotation: str, text: str) -> None:
    source = f"from enum import Enum\nclass Tone(Enum):\n    calm = 'quiet'\n    loud = 2\nx: {annotation} = Tone.loud"
    parameters = read_parameters(source)
    assert parameters.values({"x": text}, from_text=True)["x"].name == "calm"
    assert parameters.values({"x": "2"}, from_text=True)["x"].name == "loud"


@pytest.mark.parametrize(
    ("declared", "given", "says"),
    [
        ("x: int = 0", "x", "integer"),
        ("x: int = 0", "1.5", "integer"),
        ("x: int = 0", "", "integer"),
        ("x: int = 0", "null", "integer"),
        ("x: str = ''", 7, "string"),
        ("x: bool = True", "maybe", "boolean"),
        ("x: float = 0.0", "nan", "finite"),
        ("x: float = 0.0", "inf", "finite"),
        ("x: float | None = 0.0", "nan", "finite"),
        ("x: dict = {}", '{"a": NaN}', "no number"),
        ("x: list[float] = []", "[1e999]", "finite"),
        ("x: list[int] = []", "1,2", "list"),
        ("x: Annotated[int, Ge(0)] = 0", "-1", "greater than or equal to 0"),
        ("x: Literal['a'] = 'a'", "b", "'a'"),
        ("x: Secret = Secret('env:A')", "sk-the-value-itself", "must be a reference"),
        ("x: date = date(2026, 1, 1)", "31.12.2026", "date"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_name(declared: str, given: object, says: str) -> None:
    with pytest.raises(ParameterError, match=r"parameter x: .*") as caught:
        Parameters((one(declared),)).values({"x": given}, from_text=True)
    assert says in caught.value.message
    assert caught.value.fix
    assert "sk-the-value" not in str(caught.value)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    parameters = read_parameters("limit: int = 3\nmodel: str = 'dry'")
    with pytest.raises(ParameterError, match=r"no parameter 'limt'; there are: limit, model\. Did you mean 'limit'\?"):
        parameters.values({"limt": "4"}, from_text=True)


HOSTILE = [
    "'; import os; os.abort() #",
    '"""\nraise SystemExit\n"""',
    "'''",
    "\\",
    "a\nb\r\nc\x00\x1b[2J",
    "{{ x }} {% raw %} ${HOME} `id` %s {0}",
    "\u202e\ud800\U0001f600",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_comes_back_equal_from_the_injected_cell(text: str) -> None:
    values = {"x": text, "words": [text], "table": {text: {"a": text}}, "folder": pathlib.Path("a") / text}
    assert executed(values) == values


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.dates() | st.datetimes() | st.datetimes(timezones=st.just(datetime.UTC)) | st.timedeltas()
    | st.text().map(pathlib.Path)
)  # fmt: skip
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=5), scalars, max_size=2)


@given(anything)
def test_whatever_a_value_is_the_injected_cell_sets_it_and_does_nothing_else(value: Any) -> None:
    assert executed({"x": value}) == {"x": value}


def test_dates_and_members_inside_a_list_can_be_injected() -> None:
    cell = """from datetime import date
from enum import Enum
class Tone(Enum):
    calm = 1
days: list[date] = []
tones: list[Tone] = []
"""
    values = read_parameters(cell).values({"days": '["2026-12-31"]', "tones": "[1]"}, from_text=True)
    assert [tone.name for tone in executed(values, cell)["tones"]] == ["calm"]
    assert executed(values, cell)["days"] == [datetime.date(2026, 12, 31)]


def test_a_time_with_a_zone_can_be_injected_without_the_zones_name() -> None:
    read = read_parameters("x: datetime = datetime(2026, 1, 1)")
    values = read.values({"x": "2026-12-31T10:00:00+02:00"}, from_text=True)
    at = datetime.datetime(2026, 12, 31, 8, tzinfo=datetime.UTC)
    assert executed(values, "from datetime import datetime") == {"x": at}


@pytest.mark.parametrize("value", [math.nan, math.inf, [math.nan], {"a": {"b": -math.inf}}])
def test_what_is_no_number_is_never_injected(value: object) -> None:
    with pytest.raises(ParameterError, match="no number"):
        injected_source({"x": value})


def test_a_secret_is_injected_as_its_reference_and_its_value_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "the-value-itself")
    values = read_parameters("key: Secret = Secret('env:KEY')").values({})
    assert injected_source(values) == "# Parameters\nkey = Secret('env:KEY')\n"
