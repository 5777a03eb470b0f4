"""gen promote: a notebook becomes the live release of a pipeline, or is refused with the table of its gates."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gen_toolkit.cli.show import follow, json_option
from gen_toolkit.errors import GateRefused
from gen_toolkit.text import one_line

if TYPE_CHECKING:
    from gen_toolkit.releases.promotion.promote import Promoted


def promote(
    notebook: Path = typer.Argument(..., metavar="NOTEBOOK", help="Path of the notebook."),
    name: str = typer.Option(..., "--as", metavar="NAME", help="The pipeline it becomes a release of."),
    run: str = typer.Option(
        "", "--run", metavar="RUN", help="The run that speaks for it: id, or address in the MLflow UI."
    ),
    evaluate: bool = typer.Option(False, "--evaluate", help="Execute it now; answers that are known are used again."),
    override: str = typer.Option("", "--override", metavar="REASON", help="Promote although a gate says no; recorded."),
    as_json: bool = json_option(),
) -> None:
    """Check a notebook, prove it by a run, let it through the gates, freeze it, and make it live."""
    from gen_toolkit.releases.promotion.promote import Wanted
    from gen_toolkit.releases.promotion.promote import promote as promote_notebook

    try:
        with follow(notebook.stem, quiet=as_json) as progress:
            made = promote_notebook(notebook, name, Wanted(run, evaluate), override=override, progress=progress)
    except GateRefused as error:
        if not as_json and error.data.get("gates"):
            _print_gates(error.gates, error.run or "")
        raise
    if as_json:
        print(json.dumps(_told(name, made), ensure_ascii=False))
    else:
        _print(name, made)


def _told(name: str, made: Promoted) -> dict[str, Any]:
    from gen_toolkit.releases.promotion.promote import told

    evidence = made.case.evidence
    return {
        "pipeline": name,
        "release": made.number,
        "digest": made.digest,
        "made": made.made,
        "run": None if evidence is None else evidence.run,
        "executed": made.executed,
        "gates": [told(gate) for gate in made.case.gates],
        "override": made.case.reason or None,
        "warnings": list(made.case.warnings),
    }


def _print(name: str, made: Promoted) -> None:
    from gen_toolkit.releases.promotion.promote import told
    from gen_toolkit.releases.review.page import HTML

    evidence = made.case.evidence
    if made.case.gates and evidence is not None:
        _print_gates([told(gate) for gate in made.case.gates], evidence.run)
    print(
        f"release {made.number} of {name} is live"
        if made.made
        else f"release {made.number} is this notebook already; it is live"
    )
    if evidence is not None:
        how = "executed for this, from top to bottom" if made.executed else "every cell, from top to bottom"
        print(f"  proof   run {evidence.run[:13]} ({how}; {evidence.took['calls']:,} calls)")
    if not made.case.passed:
        print(f"  against {sum(not gate.passed for gate in made.case.gates)} gates: {one_line(made.case.reason, 100)}")
    print(f"  digest  {made.digest[:16]}")
    print(f"  folder  {made.pipeline.releases / str(made.number)}")
    if evidence is not None and made.made:
        print(f"  page    {made.pipeline.releases / str(made.number) / HTML}")
    for warning in made.case.warnings:
        print(f"  warning {one_line(warning, 160)}")
    print(f"  next    gen run {name}")


def _print_gates(gates: Sequence[Mapping[str, Any]], run: str) -> None:
    from gen_toolkit import display

    rows = [[gate["gate"], gate["asked"], gate["found"], "yes" if gate["passed"] else "NO"] for gate in gates]
    said = f"gates, by run {run[:13]}\n" + display.text_table(["gate", "asked", "found", "verdict"], rows, width=140)
    print(said)
    sys.stdout.flush()  # before the line that says what follows
