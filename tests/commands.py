"""Commands run in this process, as a shell would run them: for those that start nothing of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gen_toolkit.cli.app import main

Gen = Callable[..., str]


@pytest.fixture
def gen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], workspace: Path) -> Gen:
    """Run a command; what it printed. Another exit code than the expected one fails, and more than a line of error."""

    def run(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["gen", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said
        if code and "--json" not in arguments:
            assert said.out == ""
            assert said.err.count("\n") == 1
            return said.err
        return said.out

    return run
