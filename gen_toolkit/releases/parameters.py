"""What a release takes, by the notebook that it runs."""

from __future__ import annotations

from pathlib import Path

from gen_toolkit.ipynb import read_notebook
from gen_toolkit.jobs.parameters import Parameters
from gen_toolkit.releases.check import parameters_of


def released_parameters(folder: Path) -> Parameters:
    """The parameters of the release in this folder. Whether it is what was promoted is for those who run it."""
    path = folder / "notebook.ipynb"
    return parameters_of(read_notebook(path), path)
