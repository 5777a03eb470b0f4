"""Which execution speaks for a notebook that is to be promoted: one that there is, or one that is made now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gen_toolkit.database.engine import Database, open_database
from gen_toolkit.errors import CheckFailed, GateRefused, NotebookError
from gen_toolkit.events import FileRecorded
from gen_toolkit.ipynb import code_hash, normalised_code, read_notebook, source
from gen_toolkit.jobs.execute import silent
from gen_toolkit.jobs.prepare import RELEASE
from gen_toolkit.jobs.session import Executed
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.releases.finding import Subject
from gen_toolkit.releases.freeze import Frozen
from gen_toolkit.releases.promotion.evidence import Evidence
from gen_toolkit.releases.promotion.found import evidence_of, execution_of
from gen_toolkit.releases.promotion.named import Named, named_run
from gen_toolkit.releases.promotion.rehearse import rehearse
from gen_toolkit.releases.seal import IF_ANY, MANIFEST, NOTEBOOK
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking import spool
from gen_toolkit.tracking.run import CODE_TAG

_RUN_IT = "Run the notebook, or add --evaluate, which executes it now; answers that are known are used again."


@dataclass(frozen=True)
class Proof:
    """An execution, and what it found."""

    execution: Executed
    evidence: Evidence
    made: bool
    """Whether it was made for this."""


@dataclass(frozen=True)
class Wanted:
    """How a person wants a notebook to be proven."""

    run: str = ""
    """The run that speaks for it, as `named.named_run` reads it."""
    evaluate: bool = False
    """Whether to execute it now in any case."""


ANY = Wanted()
"""Whatever speaks for it."""


def prove(
    subject: Subject,
    frozen: Frozen,
    operator: Mapping[str, Any],
    wanted: Wanted = ANY,
    progress: Progress = silent,
) -> Proof:
    """The execution that is asked for, else the last one of what is to be released, else a new one.

    An execution counts where every cell was executed from top to bottom and what it ran is what would be released:
    code, prompts, models and files. Of a notebook that gates ask something of, somebody must have run the very code;
    what speaks for it must be named, or asked for with `evaluate`. `operator` is pipeline.toml. Raises GateRefused,
    CheckFailed where the notebook does not run through, NotFound.
    """
    database = open_database()
    code = code_hash(subject.notebook)
    named = named_run(database, wanted.run) if wanted.run else None
    if named is not None:
        _refuse_other_code(database, named, code, subject)
    runs = [named.run] if named else spool.tagged(database, CODE_TAG, code)
    if not wanted.evaluate:
        known = _known(database, runs, frozen)
        if known is not None:
            return _proof(database, known, named)
        if "gates" in operator and not runs:
            raise GateRefused(f"no run is of this very code of {subject.path.name}, and gates ask for one", fix=_RUN_IT)
        if named is not None and not named.is_here:
            raise GateRefused(
                f"run {named.run[:13]} was made elsewhere: its answers are not in this workspace",
                fix="Add --evaluate, which executes the notebook here and makes the calls that are not known.",
            )
    return _proof(database, _rehearsed(database, subject, frozen, operator, progress), named, made=True)


def known_proof(subject: Subject, frozen: Frozen) -> Proof | None:
    """The last execution of what would be released; None where there is none. Executes nothing."""
    database = open_database()
    runs = spool.tagged(database, CODE_TAG, code_hash(subject.notebook))
    known = _known(database, runs, frozen)
    return None if known is None else _proof(database, known, None)


def _known(database: Database, runs: list[str], frozen: Frozen) -> Executed | None:
    return next((execution for execution in _executions(database, runs) if _is_of(execution, frozen)), None)


def _proof(database: Database, execution: Executed, named: Named | None, *, made: bool = False) -> Proof:
    evidence = evidence_of(database, execution)
    names = {scored.name for scored in evidence.evaluations}
    decides = named.name if named is not None and named.name in names else ""
    return Proof(execution, evidence.deciding(decides), made)


def _executions(database: Database, runs: list[str]) -> Iterator[Executed]:
    """The newest first; of a run the one that it is, or is a part of."""
    settings = load_settings()
    for root in dict.fromkeys(spool.root_of(database, run) for run in reversed(runs)):
        execution = execution_of(database, root, settings)
        if execution is not None:
            yield execution


def _is_of(execution: Executed, frozen: Frozen) -> bool:
    """Whether what was executed is what would be released; models that only pipeline.toml lists do not matter."""
    try:
        ran = json.loads((execution.folder / RELEASE / MANIFEST).read_text(encoding="utf-8"))
        now = frozen.content
        same = all(ran.get(key) == now.get(key) for key in (*now.keys() - {"code", "models"}, *IF_ANY))
        same = same and normalised_code(read_notebook(execution.folder / RELEASE / NOTEBOOK)) == now["code"]
        return same and all(now["models"].get(name) == pinned for name, pinned in ran["models"].items())
    except (OSError, ValueError, KeyError, AttributeError, NotebookError):
        return False  # gone, or never frozen: it is executed anew


def _rehearsed(
    database: Database, subject: Subject, frozen: Frozen, operator: Mapping[str, Any], progress: Progress
) -> Executed:
    finished = rehearse(subject, frozen, operator, progress)
    run = finished.run
    if finished.signal is not None:
        raise KeyboardInterrupt
    execution = execution_of(database, run.id, load_settings())
    if run.state != "succeeded" or execution is None:
        said = f": {run.reason.message}" if run.reason else ""
        where = f"cell {run.reason.cell} of " if run.reason and run.reason.cell else ""
        raise CheckFailed(
            f"{where}{subject.path.name}, run from top to bottom in a fresh kernel, is {run.state!r}{said}",
            fix=f"Look: gen runs show {run.id[:13]}",
            run=run.id,
        )
    return execution


def _refuse_other_code(database: Database, named: Named, code: str, subject: Subject) -> None:
    if named.code == code:
        return
    if named.code is None:
        raise GateRefused(f"run {named.run[:13]} is of no notebook that was saved when it ran", fix=_RUN_IT)
    differs = _differing(database, named, subject)
    raise GateRefused(
        f"run {named.run[:13]} is of other code than {subject.path.name} has now{differs}",
        fix="Run the notebook as it is now, or put it back as it was.",
        run=named.run,
    )


def _differing(database: Database, named: Named, subject: Subject) -> str:
    """Which cells are not those that the run's own copy of the notebook has."""
    runs = [named.run, *(part.run for part in spool.children_of(database, [named.run]))]
    files = [file for run in runs for file in spool.events_of(database, run, FileRecorded)]
    kept = [file for file in files if file.file == "notebook.ipynb"]
    try:
        then = {cell["source"] for cell in normalised_code(json.loads(kept[-1].content))} if kept else set()
    except (ValueError, KeyError, TypeError):
        return ""
    if not then:
        return ""
    now = [(code.number, source(subject.notebook["cells"][code.number - 1])) for code in subject.code]
    other = [str(number) for number, text in now if _normal(text) and _normal(text) not in then]
    if not other:
        return ": cells were removed or moved"
    return f": cell {other[0]} differs" if len(other) == 1 else f": cells {', '.join(other[:5])} differ"


def _normal(text: str) -> str:
    return normalised_code({"cells": [{"cell_type": "code", "source": text}]})[0]["source"] if text.strip() else ""
