"""gt.keep: a named value that a notebook returns."""

from __future__ import annotations

import datetime
from typing import Any

import numpy
import pandas
import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import KeepError
from gen_toolkit.tracking import keep as keeping


@pytest.mark.parametrize(
    ("value", "metric"), [(3, 3.0), (0.25, 0.25), (True, 1.0), (numpy.float64(0.5), 0.5), (numpy.int64(7), 7.0)]
)
def test_a_number_becomes_a_metric_of_the_session(store: Store, value: Any, metric: float) -> None:
    assert gt.keep("accuracy", value) is value
    run = store.run(scope.session())
    assert run.data.metrics == {"accuracy": metric}
    assert run.data.tags["gen_toolkit.kind"] == "session"


FRAME = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("text <b>", "text <b>"),
        (None, None),
        ([1, {"a": None}], [1, {"a": None}]),
        (("a", 1), ["a", 1]),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (FRAME, [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
        (numpy.array([1.5, 2.5]), [1.5, 2.5]),
        ({"half": "\ud83d", "é": "é"}, {"half": "\ud83d", "é": "é"}),
    ],
    ids=ascii,
)
def test_everything_else_becomes_an_artifact(store: Store, value: Any, kept: Any) -> None:
    gt.keep("it", value)
    assert store.artifact(scope.session(), "kept/it.json") == kept


def test_kept_again_the_last_value_counts(store: Store) -> None:
    for value in (1, 2):
        gt.keep("n", value)
        gt.keep("t", str(value))
    assert store.run(scope.session()).data.metrics["n"] == 2
    assert store.artifact(scope.session(), "kept/t.json") == "2"


def test_inside_a_run_it_belongs_to_that_run(store: Store) -> None:
    with gt.run("mine") as run:
        gt.keep("n", 1)
    assert store.run(run.id).data.metrics["n"] == 1
    assert "n" not in store.run(scope.session()).data.metrics


def test_what_is_kept_is_shown(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (("n", 0.123456), ("t", "a\nb\x1b[2J"), ("rows", FRAME)):
        gt.keep(name, value)
    assert capsys.readouterr().out == "kept n = 0.1235\nkept t = a b\nkept rows = 2 items\n"


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        numpy.float64("nan"),
        [1, float("nan")],
        ...,
        {1, 2},
        b"bytes",
        pandas.DataFrame([[1, 2]], columns=["a", "a"]),
        pandas.NaT,
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_recorded(store: Store, value: Any) -> None:
    with pytest.raises(KeepError, match="'it' is") as raised:
        gt.keep("it", value)
    assert raised.value.name == "it"
    assert store.runs() == []


def test_a_number_of_more_digits_than_python_writes_is_refused(store: Store) -> None:
    with pytest.raises(KeepError, match="'it' is int"):
        gt.keep("it", 10**5000)
    assert store.runs() == []


@pytest.mark.parametrize("name", ["", "a b", "1a", "a/b", "../a", "é", "a" * 101, "a\n", "{{ x }}"])
def test_a_name_that_is_none_is_refused(store: Store, name: str) -> None:
    with pytest.raises(KeepError, match="cannot be the name"):
        gt.keep(name, 1)


def test_a_number_beyond_every_float_is_an_artifact(store: Store) -> None:
    gt.keep("vast", 10**400)
    gt.keep("n", 1)
    assert store.drain() == 0
    run = store.run(scope.session())
    assert run.data.metrics == {"n": 1}
    assert store.artifact(scope.session(), "kept/vast.json") == 10**400
    assert store.sql("select problem from spool where problem is not null") == []


def test_a_secret_is_masked_before_it_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", 'sk-"quoted"-é-value')
    secret = gt.Secret("env:A_KEY").value
    gt.keep("said", f"the key is {secret}")
    assert "quoted" not in str(store.sql("select event from spool"))
    assert store.artifact(scope.session(), "kept/said.json") == "the key is [secret]"


def test_what_is_too_large_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_LARGEST", 1000)
    for value in ("x" * 1001, ["x" * 999]):
        with pytest.raises(KeepError, match="Write it to a file"):
            gt.keep("v", value)
