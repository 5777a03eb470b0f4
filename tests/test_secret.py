"""A secret stands as a reference everywhere and is masked once it was read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import gen_toolkit as gt
from gen_toolkit import text
from gen_toolkit.errors import InputError, MissingSecret


def test_it_is_read_from_the_environment_and_masked_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "env-0123456789")
    assert gt.Secret("env:THE_KEY").value == "env-0123456789"
    assert text.scrub("it is env-0123456789") == f"it is {text.MASK}"


@pytest.mark.parametrize("around", ["\n", "\r\n", "  "])
def test_white_space_around_a_value_is_not_part_of_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    (workspace / "key").write_text(f"{around}file-0123456789{around}")
    monkeypatch.setenv("THE_KEY", f"env-0123456789{around}")
    assert gt.Secret(f"file:{workspace}/key").value == "file-0123456789"
    assert gt.Secret("env:THE_KEY").value == "env-0123456789"


@pytest.mark.parametrize(
    "reference",
    ["env:NOT_SET", "env:EMPTY", "file:/not/there", "file:empty", "file:binary", "file:/dev/zero", "file:pipe"],
)
def test_what_cannot_be_read_is_a_missing_secret(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.setenv("EMPTY", "")
    (workspace / "empty").write_text("\n")
    os.mkfifo(workspace / "pipe")
    (workspace / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MissingSecret) as caught:
        _ = gt.Secret(reference).value
    assert reference.partition(":")[2] in str(caught.value)


@pytest.mark.parametrize("value", ["sk-0123456789", "", "env:", "vault:x"])
def test_a_value_is_no_reference_and_is_not_repeated(value: str) -> None:
    with pytest.raises(InputError, match="env:NAME") as caught:
        gt.Secret(value)
    assert "sk-0123456789" not in str(caught.value)


def test_the_reference_is_all_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "env-0123456789")
    secret = gt.Secret("env:THE_KEY")
    _ = secret.value
    assert repr(secret) == "Secret('env:THE_KEY')"
    assert "0123456789" not in str(vars(secret))


def test_equal_references_are_equal() -> None:
    assert len({gt.Secret("env:A"), gt.Secret("env:A"), gt.Secret("env:B")}) == 2


def test_the_environment_variable_is_told() -> None:
    assert (gt.Secret("env:A").variable, gt.Secret("file:/a").variable) == ("A", None)
