"""gen check, gen try, gen promote."""

from __future__ import annotations

import json
from pathlib import Path

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

_NOTEBOOK = typer.Argument(..., metavar="NOTEBOOK", help="Path of the notebook.")


def check(notebook: Path = _NOTEBOOK, as_json: bool = json_option()) -> None:
    """Say what promotion would refuse, and how to mend it."""
    from gen_toolkit.releases.check import check as check_notebook

    report = check_notebook(notebook)
    if as_json:
        print(json.dumps({"findings": [finding.to_json() for finding in report.findings]}, ensure_ascii=False))
    else:
        for finding in report.findings:
            print(finding)
        if not report.findings:
            print(f"{notebook}: nothing stands in the way of promotion")
    if report.findings:
        raise typer.Exit(1 if report.subject else 2)


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


def promote(
    notebook: Path = _NOTEBOOK,
    name: str = typer.Option(..., "--as", metavar="NAME", help="The pipeline it becomes a release of."),
    as_json: bool = json_option(),
) -> None:
    """Check a notebook, freeze it with everything it runs, and make it the live release."""
    from gen_toolkit.releases.promote import promote as promote_notebook

    made = promote_notebook(notebook, name)
    if as_json:
        facts = {"pipeline": name, "release": made.number, "digest": made.digest, "made": made.made}
        print(json.dumps(facts, ensure_ascii=False))
        return
    if made.made:
        print(f"release {made.number} of {name} is live")
    else:
        print(f"release {made.number} is this notebook already; it is live")
    print(f"  digest  {made.digest[:16]}")
    print(f"  folder  {made.pipeline.releases / str(made.number)}")
    print(f"  next    gen run {name}")
