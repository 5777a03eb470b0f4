"""Record the cassettes of the committed notebooks: `make cassettes` (needs the embedded model).

A cassette holds keys and replies only, no text that was sent. What the notebook keeps with it stands
beside it, so that a test can tell a changed reply from a changed notebook.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASSETTES = ROOT / "tests" / "cassettes"


def run_notebook(name: str, workspace: Path, cassette: Path, mode: str) -> dict[str, object]:
    """Run notebooks/NAME.ipynb in a workspace of its own; returns what it kept."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.events import ValueKept
    from gen_toolkit.jobs.session import run_through
    from gen_toolkit.tracking import spool

    (workspace / "notebooks").mkdir(parents=True)
    (workspace / "gen_toolkit.toml").write_text('[models.local]\nprovider = "embedded"\n', encoding="utf-8")
    notebook = workspace / "notebooks" / f"{name}.ipynb"
    shutil.copyfile(ROOT / "notebooks" / f"{name}.ipynb", notebook)
    marks = {"WORKSPACE": workspace, "CASSETTE": cassette, "CALLS": mode}
    os.environ.update({f"GEN_TOOLKIT_{key}": str(value) for key, value in marks.items()})
    session = run_through(notebook, {})
    if session.ending.state != "succeeded":
        raise AssertionError(f"{session.ending.reason}; see {session.folder}")
    return {event.name: event.value for event in spool.events_of(open_database(), session.id, ValueKept)}


def main() -> None:
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        fresh = CASSETTES / f"{path.stem}.jsonl"
        fresh.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            kept = run_notebook(path.stem, Path(folder) / "work", fresh, "reuse")
        fresh.write_text("".join(sorted(fresh.read_text(encoding="utf-8").splitlines(keepends=True))), encoding="utf-8")
        fresh.chmod(0o644)
        (CASSETTES / f"{path.stem}.kept.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(
            f"{fresh.name}: {len(fresh.read_text().splitlines())} calls, {fresh.stat().st_size // 1024} kB",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
