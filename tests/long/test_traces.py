"""12 cells × 1,000 rows, all traced: none is lost, and MLflow has them soon after the last reply."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bench_traces.py"
CELLS, ROWS = 12, 1000


def test_no_trace_of_a_grid_of_twelve_thousand_rows_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARK, str(ROWS), str(CELLS), "--json"], check=True, stdout=subprocess.PIPE, text=True
    )
    found = json.loads(done.stdout)
    print(found)
    assert (found["rows"], found["failed"], found["not delivered"]) == (CELLS * ROWS, 0, 0)
    assert (found["traces"], found["traces linked to a run"]) == (CELLS * ROWS, CELLS * ROWS)
    assert (found["spans"], found["assessments"]) == (2 * CELLS * ROWS, 2 * CELLS * ROWS)
    assert found["most traces of a run"] == ROWS
    assert found["CPU s"] < 100  # the wall clock, printed above, is also about what else the machine does
