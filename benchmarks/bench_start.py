"""How long it takes to import the package and to start the command, beside what it is built on.

Run: make bench (or: .venv/bin/python benchmarks/bench_start.py [RUNS])
"""

from __future__ import annotations

import sys
from pathlib import Path

from measure import PYTHON, report, time_commands


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    imports = {
        "python -c pass": "pass",
        "import gen_toolkit": "import gen_toolkit",
        "import gen_toolkit, every public name touched": "import gen_toolkit as g; [getattr(g, n) for n in g.__all__]",
        "import openai": "import openai",
        "import papermill": "import papermill",
        "import mlflow": "import mlflow",
    }
    taken = time_commands({name: [PYTHON, "-c", code] for name, code in imports.items()}, runs)
    report("Import", taken, "import gen_toolkit")

    scripts = Path(PYTHON).parent
    commands = {
        "gen --help": [str(scripts / "gen"), "--help"],
        "gen runs list": [str(scripts / "gen"), "runs", "list"],
        "papermill --help": [str(scripts / "papermill"), "--help"],
        "mlflow --help": [str(scripts / "mlflow"), "--help"],
    }
    report("Command", time_commands(commands, runs), "gen --help")


if __name__ == "__main__":
    main()
