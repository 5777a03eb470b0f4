"""docs/three_prompts.py does what docs/evaluation.md says, with the embedded model."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gen_toolkit.evals.grid import Grid

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]
SCRIPT = Path(__file__).parents[2] / "docs" / "three_prompts.py"


def test_three_prompts_on_150_film_reviews_each_with_its_verdict() -> None:
    grid: Grid = runpy.run_path(str(SCRIPT))["compared"](150)
    print(grid)
    assert [len(cell.rows) for cell in grid] == [150, 150, 150]
    assert not any(cell.failed for cell in grid)
    assert [len(cell.verdicts) for cell in grid] == [0, 1, 1]
    assert all(verdict.finding and verdict.rows == 150 for cell in grid for verdict in cell.verdicts)
