"""gen check: what promotion would refuse, by rules that each yield findings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gen_toolkit.errors import CheckFailed, NotebookError, ParameterError
from gen_toolkit.ipynb import Notebook, code_cells, read_notebook, source, tags
from gen_toolkit.jobs.parameters import Parameters, read_parameters
from gen_toolkit.releases.cells import read_code
from gen_toolkit.releases.finding import Finding, Subject
from gen_toolkit.releases.included import read_included
from gen_toolkit.releases.references import find_references
from gen_toolkit.releases.rules import RULES
from gen_toolkit.releases.rules.form import too_large
from gen_toolkit.settings import load_settings


@dataclass(frozen=True)
class Report:
    """The findings, and the subject where there is one to go on with."""

    findings: list[Finding]
    subject: Subject | None

    @property
    def errors(self) -> list[Finding]:
        """What promotion refuses; the other findings are warnings."""
        return [finding for finding in self.findings if finding.level == "error"]


def check(path: Path, *, include: tuple[str, ...] = ()) -> Report:
    """All findings on a notebook.

    Raises NotebookError where the file is none, ReleaseError where `include` names what is not there.
    """
    notebook = read_notebook(path)
    settings = load_settings()
    large = list(too_large(notebook))
    try:
        parameters = Parameters(()) if large else parameters_of(notebook, path)
    except (ParameterError, NotebookError) as error:
        return Report([Finding(error.code, error.message, error.fix)], None)
    code = () if large else read_code(notebook)
    subject = Subject(
        path,
        notebook,
        parameters,
        find_references(code, {item.name for item in parameters.items}),
        code,
        settings.workspace,
        include,
        read_included(settings.workspace.root, include),
        frozenset({"local", *settings.settings.models}),
    )
    return Report(large or [finding for rule in RULES for finding in rule(subject)], subject)


@dataclass(frozen=True)
class Passed:
    """A notebook that may be a job."""

    subject: Subject
    warnings: tuple[Finding, ...]
    """What a reviewer should know."""


def passed(path: Path, include: tuple[str, ...] = ()) -> Passed:
    """Of a notebook that passes every rule what promotion goes on with. Raises CheckFailed."""
    report = check(path, include=include)
    errors = report.errors
    if errors or report.subject is None:
        many = f"{len(errors)} findings" if len(errors) > 1 else "1 finding"
        raise CheckFailed(
            f"{path.name} cannot be a job: {many}; the first: {errors[0]}",
            fix=f"`gen check {path.name}` shows all." if len(errors) > 1 else "",
            findings=[finding.to_json() for finding in errors],
        )
    return Passed(report.subject, tuple(report.findings))


def checked(path: Path, include: tuple[str, ...] = ()) -> Subject:
    """The subject of a notebook that passes every rule. Raises CheckFailed."""
    return passed(path, include).subject


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
