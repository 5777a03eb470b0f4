"""One page that holds all that is known of a run: for whoever was woken by it, or is sent it by mail.

It needs nothing but a browser: no script, nothing loaded from anywhere, which its policy forbids besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gen_toolkit import text
from gen_toolkit.database.engine import Database
from gen_toolkit.errors import NotebookError, SetupError
from gen_toolkit.ipynb import Notebook, read_notebook, write_text
from gen_toolkit.jobs import run_page_parts as parts
from gen_toolkit.jobs.ledger import Ledger, RunRow
from gen_toolkit.jobs.outcome import family_of
from gen_toolkit.jobs.run_page_style import POLICY, STYLE
from gen_toolkit.journal.costs import costs

PAGE = "run.html"


def write_page(database: Database, run: RunRow, file: Path | None = None) -> Path:
    """Write the page, by default as `run.html` in the run's folder, for its user only; where it is.

    Raises SetupError where it cannot be written.
    """
    path = file or (run.folder / PAGE if run.folder is not None else Path(f"run-{run.id[:13]}.html"))
    try:
        write_text(path, page(database, run))
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror}", fix=f"Name another file: --html FILE for run {run.id[:13]}."
        ) from None
    return path.absolute()


def page(database: Database, run: RunRow) -> str:
    """The whole page as HTML."""
    notebook, problem = _executed(run)
    body = "\n".join(_sections(database, run, notebook, problem))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">'
        f"<title>{text.html(run.title)}: {text.html(run.state)}</title><style>{STYLE}</style></head>"
        f"<body>\n{body}\n</body></html>\n"
    )


def _sections(database: Database, run: RunRow, notebook: Notebook | None, problem: str) -> Iterator[str]:
    attempts = Ledger(database).attempts(run.id)
    family = [one for attempt in attempts for one in family_of(database, attempt.id)]
    yield parts.head(run)
    yield parts.why(run, notebook)
    yield parts.kept(run)
    yield parts.parameters(run)
    yield parts.cells(run, notebook)
    yield parts.calls(run, {by: costs(database, by, runs=family) for by in ("prompt", "alias")})
    yield parts.reused(run)
    yield parts.history(attempts)
    yield parts.log(run)
    yield parts.executed(notebook, problem)


def _executed(run: RunRow) -> tuple[Notebook | None, str]:
    """The executed notebook, or why there is none to show."""
    if run.folder is None:
        return None, "It was never started."
    path = run.folder / "notebook.ipynb"
    if not path.exists():
        return None, "It has left no executed notebook on this machine."
    try:
        return read_notebook(path), ""
    except NotebookError as error:
        return None, error.message
