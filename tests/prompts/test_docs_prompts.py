"""docs/prompts.md is run from top to bottom: its files, its Python, its commands and what they print."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from mlflow_store import Store

from gen_toolkit.cli.app import main

PAGE = Path(__file__).parents[2] / "docs" / "prompts.md"
BLOCK = re.compile(
    r"(?:`(?P<path>notebooks/[^`]+)`:\n\n)?```(?P<kind>markdown|python|console)\n(?P<body>.*?)```", re.DOTALL
)


def matches(expected: str, line: str) -> bool:
    """`…` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), line) is not None


def test_the_page_does_what_it_says(
    workspace: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))
    for found in blocks:
        if found["kind"] == "markdown":  # files first: a fragment is shown after the prompt that includes it
            path = workspace / found["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found["body"], encoding="utf-8")
    names: dict[str, object] = {}
    commands = 0
    for found in blocks:
        if found["kind"] == "python":
            exec(compile(found["body"], str(PAGE), "exec"), names)
        if found["kind"] != "console":
            continue
        for told in found["body"].split("$ ")[1:]:
            command, *expected = told.splitlines()
            monkeypatch.setattr(sys, "argv", shlex.split(command))
            capsys.readouterr()
            with pytest.raises(SystemExit) as left:
                main()
            assert left.value.code == 0, command
            said = capsys.readouterr().out.splitlines()
            said = said[len(said) - len(expected) :]
            assert [e for e, line in zip(expected, said, strict=True) if not matches(e, line)] == [], said
            commands += 1
    assert commands == 6
