"""gen runs export: from a run on record to all that executing it once more needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import InputError, ReleaseError
from gen_toolkit.ipynb import read_notebook, write_text
from gen_toolkit.jobs.fixed import seed_of
from gen_toolkit.jobs.ledger import Ledger
from gen_toolkit.jobs.once import effects_of
from gen_toolkit.jobs.outcome import family_of
from gen_toolkit.jobs.rows import RunRow
from gen_toolkit.journal.asked import Asked, asked_by, cassette_lines
from gen_toolkit.releases.again import tried
from gen_toolkit.releases.aliases import replayable
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.pipeline import pipeline_of
from gen_toolkit.releases.promotion.leaks import ALLOWED
from gen_toolkit.releases.reproduction.exported import Exported, Part
from gen_toolkit.releases.reproduction.outputs import with_normal_outputs
from gen_toolkit.releases.reproduction.sanitize import Rules, pipelines_rules, rules_for
from gen_toolkit.releases.seal import BYTECODE
from gen_toolkit.settings import load_settings


def export_run(run: str, output: Path | None = None) -> tuple[Path, Exported]:
    """Write a run into one file, by default `run-ID.json` here. What may be in it is what may be in a release."""
    exported = export_of(run)
    row = Ledger(open_database()).find(exported.run)
    operator = {} if row.kind == "try" else pipeline_of(load_settings().workspace, row.name).settings()
    path = output or Path(f"run-{exported.run[:13]}.json")
    try:
        write_text(path, exported.to_text(personal=operator.get("personal_data") != ALLOWED))
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", fix="Name a file in a folder that is there."
        ) from None
    return path, exported


def export_of(run: str) -> Exported:
    """A run by its id or the beginning of it. Raises NotFound, ReleaseError, InputError where it cannot be repeated."""
    settings, database = load_settings(), open_database()
    row = Ledger(database).find(run)
    executed = _executed(row)
    assert row.attempt is not None, "it has ended"
    pipeline = None if row.kind == "try" else pipeline_of(settings.workspace, row.name)
    folder = tried(row) if pipeline is None else pipeline.release_folder(row.release)
    manifest = verify(folder)
    if manifest["digest"] != row.digest:
        raise ReleaseError(
            f"release {row.release} of {row.name} is not the one that run {row.id[:13]} executed",
            fix="Put its folder back as it was.",
            run=row.id,
        )
    rules = rules_for(None if pipeline is None else pipeline.folder)
    answers = asked_by(database, family_of(database, row.attempt))
    _refuse_lost(row, answers)
    return Exported(
        run=row.id,
        title=row.title,
        release=_files(folder),
        parameters=_without_places(row.parameters, rules),
        kept=_without_places(row.outcome.get("kept", {}), rules),
        notebook=with_normal_outputs(read_notebook(executed), rules),
        calls=cassette_lines(answers),
        models=replayable(manifest["models"], settings),
        model=settings.settings.model,
        seed=seed_of(row.id),
        due=row.due or row.created_at,
        effects=_without_places(effects_of(database, row.id), rules),
        rules="" if pipeline is None else pipelines_rules(pipeline.folder),
    )


def _executed(row: RunRow) -> Path:
    """The executed notebook."""
    if row.state not in {"succeeded", "failed"} or row.folder is None:
        raise InputError(
            f"run {row.id[:13]} is {row.state}: only what came to an end by itself can be repeated",
            fix="Give a run that succeeded or failed; of a fan-out, one of its parts.",
            run=row.id,
        )
    path = row.folder / "notebook.ipynb"
    if not path.is_file():
        raise InputError(
            f"the executed notebook of run {row.id[:13]} is not there any more", fix="Give another run.", run=row.id
        )
    return path


def _refuse_lost(row: RunRow, answers: list[Asked]) -> None:
    lost = sum(answer.reply is None and answer.error is None for answer in answers)
    if lost:
        raise InputError(
            f"run {row.id[:13]} cannot be repeated: of its {len(answers)} answers {lost} are not in the journal",
            fix='bodies_days says how long answers are kept; an alias with bodies = "hash" keeps none.',
            run=row.id,
        )


def _files(folder: Path) -> dict[str, Part]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name != BYTECODE)
    return {path.relative_to(folder).as_posix(): Part.of(path.read_bytes()) for path in paths}


def _without_places(values: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    return dict(json.loads(rules.without_places(json.dumps(values, ensure_ascii=False))))
