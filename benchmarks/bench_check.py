"""How long `gen check` takes on a notebook of 100 cells, beside ruff's own command on it, which it also asks.

Run: make bench (or: .venv/bin/python benchmarks/bench_check.py [RUNS])
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import PYTHON, report, time_commands

PARAMETERS = "limit: int = 150  # how many\nmodel: str = 'local'"
CELLS = [
    "import json\nimport math\nfrom pathlib import Path\nimport gen_toolkit as gt",
    "def area_{n}(width: float, height: float = 2.0) -> float:\n    '''Of a rectangle.'''\n    return width * height",
    "rows_{n} = [dict(text=f'row {{i}}', score=i / limit) for i in range(limit)]\nrows_{n}[:3]",
    "total_{n} = sum(row['score'] for row in rows_{n})\nprint(f'total {{total_{n}:.2f}}', math.sqrt(total_{n}))",
    "%time path_{n} = Path('data') / 'part_{n}.json'\n"
    "if path_{n}.exists():\n    found_{n} = json.loads(path_{n}.read_text())",
    "gt.keep('total_{n}', total_{n})",
]


def notebook(cells: int) -> dict[str, Any]:
    """Imports, then functions, loops, magics and kept values in turn, as in a notebook that people wrote."""
    first, *rest = CELLS
    sources = [first, *(rest[i % len(rest)].format(n=i // len(rest)) for i in range(cells - 2))]
    made = [_cell(PARAMETERS, "parameters"), *map(_cell, sources)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, cell in enumerate(made):
        cell["id"] = f"c{number}"
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(source: str, *tags: str) -> dict[str, Any]:
    empty = {"cell_type": "code", "execution_count": None, "outputs": [], "source": source}
    return {**empty, "metadata": {"tags": list(tags)} if tags else {}}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    gen = [str(Path(PYTHON).parent / "gen"), "check"]
    ruff = [PYTHON, "-m", "ruff", "check", "--isolated", "--no-cache", "--exit-zero", "--select", "F821,F823"]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("gen_toolkit.toml").touch()
        for cells in (100, 10):
            Path(f"{cells}.ipynb").write_text(json.dumps(notebook(cells)), encoding="utf-8")
        commands = {
            "gen check, 100 cells": [*gen, "100.ipynb"],
            "gen check, 10 cells": [*gen, "10.ipynb"],
            "ruff check, 100 cells": [*ruff, "100.ipynb"],
        }
        report("Check", time_commands(commands, runs), "gen check, 100 cells")


if __name__ == "__main__":
    main()
