"""gen check, gen try."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gen_toolkit.cli.show import (
    cell_timeout_option,
    follow,
    json_option,
    memory_option,
    output_option,
    parameters_option,
    show_run,
    silence_timeout_option,
    timeout_option,
)
from gen_toolkit.errors import InputError, NotebookError
from gen_toolkit.text import encodable, one_line

if TYPE_CHECKING:
    from gen_toolkit.releases.check import Report

_NOTEBOOK = typer.Argument(..., metavar="NOTEBOOK", help="Path of the notebook.")


def check(
    notebooks: list[Path] = typer.Argument(..., metavar="NOTEBOOK...", help="Paths of notebooks."),
    fix: bool = typer.Option(False, "--fix", help="Mend what may be mended without changing what a notebook does."),
    execute: bool = typer.Option(False, "--execute", help="Run each that passes, as a job would, with its defaults."),
    sarif: Path | None = typer.Option(None, "--sarif", metavar="FILE", help="Write the findings as SARIF 2.1.0."),
    as_json: bool = json_option(),
) -> None:
    """Say what promotion would refuse, and how to mend it. Exit 1 where it would, 2 where it is no notebook."""
    reports = {path: _checked(path, len(notebooks) == 1, fix=fix, execute=execute, quiet=as_json) for path in notebooks}
    if sarif is not None:
        _write_sarif(sarif, reports)
    if as_json:
        _print_json(reports)
    else:
        for path, report in reports.items():
            _print_report(path, report, several=len(reports) > 1)
    if any(report.errors for report in reports.values()):
        raise typer.Exit(1 if all(report.subject or not report.errors for report in reports.values()) else 2)


def _checked(path: Path, alone: bool, *, fix: bool, execute: bool, quiet: bool) -> Report:
    """Of several, what is no notebook is a finding, too: the others are told all the same."""
    from gen_toolkit.releases.check import Report as Checked
    from gen_toolkit.releases.check import check as check_notebook
    from gen_toolkit.releases.finding import Finding
    from gen_toolkit.releases.mend import mend

    try:
        for line in mend(path) if fix else []:
            print(f"{path}: {line}", file=sys.stderr)
        report = check_notebook(path)
    except NotebookError as error:
        if alone:
            raise
        return Checked([Finding(error.code, error.message, error.fix)], None)
    return _executed(path, report, quiet) if execute and not report.errors else report


def _executed(path: Path, report: Report, quiet: bool) -> Report:
    """With a finding more where the notebook does not run from top to bottom in a fresh kernel."""
    from gen_toolkit.releases.check import Report as Checked
    from gen_toolkit.releases.finding import Finding
    from gen_toolkit.releases.start import try_notebook

    with follow(path.stem, quiet=quiet) as progress:
        run = try_notebook(path, {}, progress=progress).run
    if run.state == "succeeded":
        return report
    said = f": {run.reason.message}" if run.reason else ""
    cell = run.reason.cell if run.reason else None
    finding = Finding("execution", f"run as a job, it is {run.state!r}{said}", f"Look: gen runs show {run.id}", cell)
    return Checked([*report.findings, finding], report.subject)


def _print_report(path: Path, report: Report, several: bool) -> None:
    name = one_line(path, 300)
    for finding in report.findings:
        print(one_line(f"{name}: {finding}" if several else finding, 600))
    if not report.errors:
        print(f"{name}: nothing stands in the way of promotion")


def _print_json(reports: Mapping[Path, Report]) -> None:
    told = [
        {"notebook": str(path), "findings": [finding.to_json() for finding in report.findings]}
        for path, report in reports.items()
    ]
    print(encodable(json.dumps(told[0] if len(told) == 1 else told, ensure_ascii=False)))


def _write_sarif(path: Path, reports: Mapping[Path, Report]) -> None:
    from gen_toolkit.ipynb import write_text
    from gen_toolkit.releases.sarif import sarif
    from gen_toolkit.settings import load_settings

    found = {notebook: report.findings for notebook, report in reports.items()}
    log = sarif(found, load_settings().workspace.root.resolve())
    try:
        write_text(path, encodable(json.dumps(log, ensure_ascii=False, indent=1)) + "\n", mode=0o644)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", fix="Name a file in a folder that is there."
        ) from None


def try_(
    notebook: Path = _NOTEBOOK,
    parameters: list[str] = parameters_option(),
    timeout: float | None = timeout_option(),
    cell_timeout: float | None = cell_timeout_option(),
    silence_timeout: float | None = silence_timeout_option(),
    memory_mb: float | None = memory_option(),
    output_mb: float | None = output_option(),
    as_json: bool = json_option(),
) -> None:
    """Execute a notebook exactly as a job would, without promoting it."""
    from gen_toolkit.cli.show import given
    from gen_toolkit.jobs.reconcile import reconcile
    from gen_toolkit.releases.start import try_notebook

    reconcile()
    with follow(notebook.stem, quiet=as_json) as progress:
        finished = try_notebook(
            notebook,
            given(parameters),
            progress=progress,
            timeout=timeout,
            cell_timeout=cell_timeout,
            silence_timeout=silence_timeout,
            memory_mb=memory_mb,
            output_mb=output_mb,
        )
    show_run(finished, as_json)
