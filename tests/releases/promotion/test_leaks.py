"""What is written beside a release holds no secret, and no personal data unless that is allowed."""

from __future__ import annotations

import pytest

from gen_toolkit.errors import CheckFailed
from gen_toolkit.releases.promotion.leaks import leaks, refuse_leaks, texts_of_call, texts_of_notebook, texts_of_values
from gen_toolkit.text import remember_secret

KEY = "sk-" + "a1" * 12
CARD = "4111 1111 1111 1111"


def found(text: str, *, personal: bool = True) -> list[str]:
    return [finding.rule for finding in leaks([("here", text)], personal=personal)]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (KEY, ["secret"]),
        ("postgres://me:hunter22@db/x", ["secret"]),
        ("write to ada@example.com", ["personal-data"]),
        (f"card {CARD}", ["personal-data"]),
        ("a wonderful film", []),
        ("0.4111111111111111 and 1.4111111111111111", []),
        ("label-review@4", []),
    ],
)
def test_secrets_and_personal_data_are_found(text: str, rules: list[str]) -> None:
    assert found(text) == rules


def test_personal_data_may_be_allowed_and_secrets_not() -> None:
    assert found("ada@example.com", personal=False) == []
    assert found(KEY, personal=False) == ["secret"]


def test_a_secret_that_this_process_knows_is_found_by_its_value() -> None:
    remember_secret("correct horse battery")
    assert found("the correct horse battery staple") == ["secret"]


def test_what_is_found_is_named_by_place_and_never_repeated() -> None:
    with pytest.raises(CheckFailed, match="release 1 of label is not made: the reply of 'dry' holds") as refused:
        refuse_leaks(
            [("the reply of 'dry'", KEY), ("cell 3", "ada@example.com")], personal=True, what="release 1 of label"
        )
    assert [finding["rule"] for finding in refused.value.data["findings"]] == ["secret", "personal-data"]
    assert KEY not in str(refused.value.to_json())
    assert "ada@" not in str(refused.value.to_json())


def test_texts_are_looked_at_wherever_they_stand() -> None:
    call = {
        "key": "4111111111111111",
        "reply": {"text": '{"mail": "ada\\u0040example.com"}', "seconds": 4111111111111.111},
    }
    assert found(texts_of_call(call)) == ["personal-data"]
    assert found(texts_of_call({"reply": {"text": "", "tool_calls": [{"arguments": {"to": KEY}}]}})) == ["secret"]
    assert found(texts_of_call({"error": {"code": "x", "message": f"refused {KEY}"}})) == ["secret"]
    notebook = {
        "cells": [
            {"source": ["x = 1\n"], "outputs": [{"text": ["mail ada@exa", "mple.com\n"]}]},
            {"source": "", "outputs": [{"data": {"image/png": KEY, "text/plain": "a picture"}}]},
        ]
    }
    assert [(f.rule, f.message) for f in leaks(texts_of_notebook(notebook, "nb"))] == [
        ("personal-data", "cell 1 of nb holds an e-mail address")
    ]
    assert [f.message for f in leaks(texts_of_values({"to": ["ada@example.com"]}, "the kept value"))] == [
        "the kept value to holds an e-mail address"
    ]
