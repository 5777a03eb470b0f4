"""Code that Python or ruff refuses."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import SetupError
from gen_toolkit.releases.finding import Finding, Rule, Subject

_RUFF = ("check", "--isolated", "--no-cache", "--select", "F821,F823", "--output-format", "json")
_PATIENCE = 60.0  # seconds
_OF_THE_KERNEL = re.compile(r"`(?:__file__|_{1,3}|_i{1,3}|_i?\d+|_[ido]h|In|Out)`")  # what was shown, what was run
MAY_RAISE = "raises-exception"  # Jupyter's tag: an error in this cell is no failure


def parses(subject: Subject) -> Iterator[Finding]:
    """Every cell is Python, once IPython has read its magics."""
    for code in subject.code:
        if MAY_RAISE in code.tags:
            continue
        try:
            ast.parse(code.python)
        except SyntaxError as error:
            yield Finding("syntax", f"line {error.lineno}: {error.msg}", "Correct the cell.", code.number)
        except UnicodeEncodeError:
            continue  # of half a character, which is a finding in every kind of cell
        except (ValueError, RecursionError, MemoryError) as error:
            yield Finding("syntax", f"it cannot be parsed: {text.one_line(error)}", "Correct the cell.", code.number)


def names_are_defined(subject: Subject) -> Iterator[Finding]:
    """Undefined names and use before definition, across cells, by ruff."""
    parsed = [code for code in subject.code if code.tree is not None]
    if not parsed or any(_brings_unknown_names(node) for code in parsed for node in code.walk()):
        return
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code.python}
        for code in parsed
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *_RUFF, "--stdin-filename", "notebook.ipynb", "-"],
        input=json.dumps(notebook),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise SetupError(f"ruff failed: {text.one_line(done.stderr, 200)}", fix="Reinstall ruff.")
    for said in json.loads(done.stdout or "[]"):
        if said["code"] in {"F821", "F823"} and not _OF_THE_KERNEL.search(said["message"]):
            name = said["message"].rstrip(".")
            cell = parsed[said["cell"] - 1] if said.get("cell") else None
            if cell and MAY_RAISE in cell.tags:
                continue
            number = cell.number if cell else None
            yield Finding("undefined-name", name[:1].lower() + name[1:], "Define it in an earlier cell.", number)


def _brings_unknown_names(node: ast.AST) -> bool:
    """A star import, %pylab, %run and extensions put names into the notebook that nobody sees written there."""
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "*" for alias in node.names)
    return bool(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "run_line_magic"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in {"load_ext", "load", "pylab", "run"}
    )


NAMES: tuple[Rule, ...] = (parses, names_are_defined)
