"""gen promote: check, freeze, make live."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gen_toolkit.errors import CheckFailed
from gen_toolkit.releases.check import check
from gen_toolkit.releases.files import writing
from gen_toolkit.releases.finding import Subject
from gen_toolkit.releases.freeze import Frozen, freeze, write_release
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking.registry import author
from gen_toolkit.tracking.source import git_commit


@dataclass(frozen=True)
class Promoted:
    """The release that a notebook is now, made or found."""

    pipeline: Pipeline
    number: int
    digest: str
    made: bool


def promote(path: Path, name: str) -> Promoted:
    """Freeze the notebook as the next release of pipeline `name` and make it live.

    Promoting what is there already makes nothing: the release of the same digest is returned. Raises
    CheckFailed with the findings.
    """
    workspace = load_settings().workspace
    pipeline = pipeline_of(workspace, name, must_exist=False)
    subject = checked(path, tuple(pipeline.settings().get("include", ())))
    frozen = freeze(subject, tuple(pipeline.settings().get("models", ())))
    with pipeline.alone():  # of two at once the second finds what the first has made
        known = _find(pipeline, frozen.digest)
        number = known or _write(pipeline, frozen, subject)
        pipeline.set_live(number)
    return Promoted(pipeline, number, frozen.digest, made=known is None)


def checked(path: Path, include: tuple[str, ...] = ()) -> Subject:
    """The subject of a notebook that passes every rule. Raises CheckFailed."""
    report = check(path, include=include)
    errors = report.errors
    if errors or report.subject is None:
        many = f"{len(errors)} findings" if len(errors) > 1 else "1 finding"
        raise CheckFailed(
            f"{path.name} cannot be a job: {many}; the first: {errors[0]}",
            fix=f"`gen check {path.name}` shows all." if len(errors) > 1 else "",
            findings=[finding.to_json() for finding in errors],
        )
    return report.subject


def _find(pipeline: Pipeline, digest: str) -> int | None:
    for number in reversed(pipeline.numbers()):
        try:
            manifest = json.loads((pipeline.releases / str(number) / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a damaged release is not this one; `gen run` names it
        if manifest.get("digest") == digest:
            return number
    return None


def _write(pipeline: Pipeline, frozen: Frozen, subject: Subject) -> int:
    """Write the release beside the others, then give it the next free number by a rename: all or nothing."""
    with writing(pipeline.releases):
        pipeline.releases.mkdir(parents=True, exist_ok=True)
        for left in pipeline.releases.glob(".new-*"):  # by a promotion that was killed: no other is under way
            shutil.rmtree(left, ignore_errors=True)
        number = max(pipeline.numbers(), default=0) + 1
        fresh = Path(tempfile.mkdtemp(dir=pipeline.releases, prefix=".new-"))
        try:
            fresh.chmod(0o755)
            write_release(frozen, fresh, subject, _facts(pipeline, number, subject))
            fresh.rename(pipeline.releases / str(number))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return number


def _facts(pipeline: Pipeline, number: int, subject: Subject) -> dict[str, object]:
    commit = git_commit(subject.workspace.root) or ""
    return {
        "name": pipeline.name,
        "release": number,
        "promoted_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "promoted_by": author(),
        "commit": commit.removesuffix("-dirty") or None,
        "dirty": commit.endswith("-dirty"),
        "replaces": pipeline.live,
    }
