"""gen check: what promotion would refuse, each rule a function that yields findings."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import NotebookError, ParameterError
from gen_toolkit.ipynb import Notebook, code_cells, read_notebook, source, tags
from gen_toolkit.jobs.parameters import Parameters, read_parameters
from gen_toolkit.releases.references import References, find_references, python_of
from gen_toolkit.secret import KEYS
from gen_toolkit.settings import load_settings
from gen_toolkit.workspace import Workspace


@dataclass(frozen=True)
class Finding:
    """One thing that stands in the way, and how to mend it."""

    rule: str
    message: str
    fix: str
    cell: int | None = None
    """Number of the cell, counted from 1 over all cells."""

    def __str__(self) -> str:
        where = f"cell {self.cell}: " if self.cell else ""
        return f"{where}{self.message} [{self.rule}]. {self.fix}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Subject:
    """A notebook under check, with what the rules look at."""

    path: Path
    notebook: Notebook
    parameters: Parameters
    references: References
    workspace: Workspace
    include: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The findings, and the subject where there is one to go on with."""

    findings: list[Finding]
    subject: Subject | None


def check(path: Path, *, include: tuple[str, ...] = ()) -> Report:
    """All findings on a notebook. Raises NotebookError where the file is none."""
    notebook = read_notebook(path)
    workspace = load_settings().workspace
    try:
        parameters = parameters_of(notebook, path)
    except (ParameterError, NotebookError) as error:
        return Report([Finding(error.code, error.message, error.fix)], None)
    names = {item.name for item in parameters.items}
    subject = Subject(path, notebook, parameters, find_references(notebook, names), workspace, include)
    return Report([finding for rule in RULES for finding in rule(subject)], subject)


def parameters_of(notebook: Notebook, path: Path) -> Parameters:
    """The parameters of a notebook. Raises where it has no cell tagged `parameters`, or more than one."""
    tagged = [cell for _, cell in code_cells(notebook) if "parameters" in tags(cell)]
    if len(tagged) != 1:
        found = "no cell is" if not tagged else f"{len(tagged)} cells are"
        raise NotebookError(
            f"{path.name}: {found} tagged 'parameters', and one must be",
            fix="Tag the cell that sets the parameters (JupyterLab: the property inspector, Cell Tags)."
            if not tagged
            else "Keep the tag on one cell.",
            path=str(path),
        )
    return read_parameters(source(tagged[0]))


def _parses(subject: Subject) -> Iterator[Finding]:
    for index, cell in code_cells(subject.notebook):
        try:
            ast.parse(python_of(source(cell)))
        except SyntaxError as error:
            yield Finding("syntax", f"line {error.lineno}: {error.msg}", "Correct the cell.", index + 1)


def _names_defined(subject: Subject) -> Iterator[Finding]:
    """Undefined names and use before definition, across cells, by ruff."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "F821,F823",
        "--output-format",
        "json",
    ]
    cells = [{**c, "source": python_of(source(c)).splitlines(keepends=True)} for _, c in code_cells(subject.notebook)]
    numbers = [index + 1 for index, _ in code_cells(subject.notebook)]
    plain = {**subject.notebook, "cells": cells, "nbformat": 4, "nbformat_minor": 4}
    done = subprocess.run(
        [*command, "--stdin-filename", "notebook.ipynb", "-"],
        input=json.dumps(plain),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for said in json.loads(done.stdout or "[]"):
        if said["code"] in {"F821", "F823"} and "__file__" not in said["message"]:
            cell = said.get("cell")
            name = said["message"].rstrip(".")
            yield Finding(
                "undefined-name",
                name[:1].lower() + name[1:],
                "Define it in an earlier cell.",
                numbers[cell - 1] if cell else None,
            )


def _keeps(subject: Subject) -> Iterator[Finding]:
    if not subject.references.keeps:
        yield Finding(
            "keeps-nothing",
            "the notebook keeps no value, so a job would have no outcome",
            'Add gt.keep("name", value).',
        )


# name = "value", name: str = "value", {"name": "value"}
_ASSIGNED = re.compile(
    r"""(?ix) \b \w* (api_?key | secret | token | passw(or)?d) \w* ['"]? \s* (:[^=\n'"]{0,40})? [=:] \s*
    (?P<quote>['"]) (?P<value>[^'"\s]{8,}) (?P=quote)
    """
)


def _no_secrets(subject: Subject) -> Iterator[Finding]:
    fix = (
        'Use a reference: Secret("env:NAME"), or api_key = "env:NAME" in the settings. '
        "Then change the secret: it was written down."
    )
    for index, cell in code_cells(subject.notebook):
        if KEYS.search(source(cell)) or any(
            not match["value"].startswith(("env:", "file:")) for match in _ASSIGNED.finditer(source(cell))
        ):
            yield Finding("secret", "a literal looks like a secret", fix, index + 1)
        if KEYS.search(json.dumps(cell.get("outputs", []))):
            yield Finding("secret", "an output looks like a secret", fix, index + 1)


def _literal_references(subject: Subject) -> Iterator[Finding]:
    for cell, what in subject.references.dynamic:
        yield Finding(
            "dynamic-reference",
            f"the prompt reference in {text.one_line(what, 60)} is not a literal, so it cannot be frozen",
            'Write the reference as a text: gt.load_prompt("name@live").',
            cell,
        )


def _local_imports(subject: Subject) -> Iterator[Finding]:
    included = {Path(name).parts[0].removesuffix(".py") for name in subject.include}
    for module in sorted(subject.references.imports - included):
        for folder in {subject.workspace.root, subject.path.resolve().parent}:
            if module != "gen_toolkit" and (
                (folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file()
            ):
                yield Finding(
                    "local-import",
                    f"{module!r} is imported from the workspace and would not be frozen",
                    f'Name it in include of pipeline.toml: include = ["{module}.py"], or install it as a package.',
                )
                break


def _tags_are_free(subject: Subject) -> Iterator[Finding]:
    """A cell of this tag is the generated one, which the digest leaves out: no other may hide behind it."""
    for index, cell in code_cells(subject.notebook):
        if "release" in tags(cell):
            message = "the tag 'release' is kept for the cell that promotion generates"
            yield Finding(
                "reserved-tag", message, "Remove the tag, or the cell if it came out of a release.", index + 1
            )


RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    _parses,
    _names_defined,
    _keeps,
    _no_secrets,
    _literal_references,
    _local_imports,
    _tags_are_free,
)
