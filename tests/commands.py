"""Commands run in this process, as a shell would run them: for those that start nothing of their own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from gen_toolkit.cli.app import main

Gen = Callable[..., str]


def in_process(arguments: Sequence[str], patch: pytest.MonkeyPatch) -> CompletedProcess[str]:
    """What a command says, without a process of its own, which takes most of the time of a refusal."""
    patch.setattr(sys, "argv", ["gen", *arguments])
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code or 0
    assert isinstance(code, int), code
    return CompletedProcess(["gen", *arguments], code, out.getvalue(), err.getvalue())


@pytest.fixture
def gen(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> Gen:
    """Run a command; what it printed. Another exit code than the expected one fails, and more than a line of error."""

    def run(*arguments: str, code: int = 0) -> str:
        said = in_process(arguments, monkeypatch)
        assert said.returncode == code, said
        if code and "--json" not in arguments:
            assert said.stdout == ""
            assert said.stderr.count("\n") == 1, said.stderr
            return said.stderr
        return said.stdout

    return run
