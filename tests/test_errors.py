"""Errors: one line that says what to do, a code for scripts, and a way through JSON and pickle."""

from __future__ import annotations

import json
import linecache
import pickle
from collections import Counter
from pathlib import Path

import pytest

from gen_toolkit import errors
from gen_toolkit.errors import GenToolkitError, from_json, nearest

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GenToolkitError)]
EXIT = {"InputError": 2, "WorkError": 1, "SetupError": 3, "ModelError": 3, "OutputMismatch": 1, "BudgetExceeded": 4, "DeadlineExceeded": 4}


def expected_exit(kind: type[GenToolkitError]) -> int:
    return next((EXIT[base.__name__] for base in kind.__mro__ if base.__name__ in EXIT), 1)


def test_codes_are_unique() -> None:
    assert Counter(kind.code for kind in KINDS).most_common(1)[0][1] == 1


def test_every_class_stands_in_the_tree_of_the_module() -> None:
    drawn = (errors.__doc__ or "").replace("│", " ").replace("├──", " ").replace("└──", " ").split()
    assert {kind.__name__ for kind in KINDS} <= set(drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_exit_codes_follow_the_tree(kind: type[GenToolkitError]) -> None:
    assert kind.exit_code == expected_exit(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_json(kind: type[GenToolkitError]) -> None:
    error = kind("it broke", fix="Mend it.", path=Path("/a"), known=("x", "y"), status=3)
    back = from_json(json.loads(json.dumps(error.to_json())))
    assert (type(back), str(back)) == (kind, "it broke. Mend it.")
    assert back.data == {"path": "/a", "known": ["x", "y"], "status": 3}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickle(kind: type[GenToolkitError]) -> None:
    back = pickle.loads(pickle.dumps(kind("it broke", fix="Mend it.", status=3)))
    assert (type(back), str(back), back.data) == (kind, "it broke. Mend it.", {"status": 3})


def test_json_holds_any_data_however_deep() -> None:
    error = GenToolkitError("it broke", where=[Path("/a")], more={"path": {Path("/b")}})
    assert json.loads(json.dumps(error.to_json()))["where"] == ["/a"]


def test_an_unknown_code_comes_back_as_the_base_class() -> None:
    assert type(from_json({"code": "from the future", "message": "m"})) is GenToolkitError


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_one_line_even_if_the_cause_was_not(kind: type[GenToolkitError]) -> None:
    assert str(kind("first\nsecond\r\n", fix="Do\nthis.")) == "first second. Do this."


def test_data_are_attributes() -> None:
    assert errors.UnknownAlias("m", alias="fsat").alias == "fsat"


def test_ipython_shows_the_message_the_advice_and_the_users_line() -> None:
    file = "<ipython-input-1>"
    code = "x = 1\nfail()\n"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)

    def fail() -> None:
        raise errors.PromptError("it broke", fix="Mend it.")

    with pytest.raises(errors.PromptError) as caught:
        exec(compile(code, file, "exec"), {"fail": fail})
    assert caught.value._render_traceback_() == ["PromptError: it broke", "  Mend it.", "  line 2: fail()"]


@pytest.mark.parametrize(("name", "advice"), [("fsat", "Did you mean 'fast'?"), ("zzz", "")])
def test_the_nearest_name_is_offered(name: str, advice: str) -> None:
    assert nearest(name, ["fast", "local"]) == advice
