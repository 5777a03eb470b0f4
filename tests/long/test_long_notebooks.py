"""Notebooks of many cells, and of much output: the last cell takes no longer than the first, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from notebook_cells import code
from supervised import supervised

pytestmark = [pytest.mark.long, pytest.mark.kernel, pytest.mark.timeout(600)]


def test_of_a_thousand_cells_the_last_are_as_quick_as_the_first(tmp_path: Path) -> None:
    cells = [f"x = {number}\nprint(x)" for number in range(1000)]
    ended = supervised(tmp_path / "many", *map(code, cells))
    assert (ended.ending.state, ended.ending.reason) == ("succeeded", None)
    assert ended.shown(1000) == "999\n"
    seconds = [taken for _, taken in ended.ending.measured.cells]
    assert len(seconds) == 1000
    first, last = sorted(seconds[100:400])[150], sorted(seconds[700:])[150]
    assert last < 3 * first
    nbformat.validate(nbformat.read(ended.folder / "notebook.ipynb", as_version=4))


def test_a_hundred_cells_of_200_kb_are_all_kept(tmp_path: Path) -> None:
    cells = [f"print('x' * 200_000, {number})" for number in range(100)]
    ended = supervised(tmp_path / "much", *cells)
    assert (ended.ending.state, ended.ending.reason) == ("succeeded", None)
    shown = ["".join(output["text"] for output in cell["outputs"]) for cell in ended.notebook["cells"]]
    assert [len(one) for one in shown] == [200_000 + len(f" {number}\n") for number in range(100)]
    assert (ended.folder / "notebook.ipynb").stat().st_size > 20_000_000
