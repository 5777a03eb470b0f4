"""What one looks at: the releases of a pipeline, which of them is live, and whether each is what was promoted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gen_toolkit.errors import InputError, ReleaseError
from gen_toolkit.releases.files import folders_with
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.moves import Live
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.settings import load_settings


@dataclass(frozen=True)
class Line:
    """A release in the list."""

    pipeline: str
    number: int | None
    """None: a whole pipeline that cannot be read."""
    live: bool
    digest: str
    promoted_at: str
    by: str
    commit: str | None
    notebook: str
    problem: str
    """Why it cannot run; "" where it is what was promoted."""
    override: str = ""
    """Of the live one, who says so where pipeline.toml says something else."""
    against: str = ""
    """Who promoted it although a gate said no, and why."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def pipeline_named(name: str) -> Pipeline:
    """Of this workspace. Raises NotFound."""
    return pipeline_of(load_settings().workspace, name)


def pipeline_names() -> list[str]:
    """Of this workspace, in order; also of what cannot be looked at, so that it is missed."""
    return [folder.name for folder in folders_with("releases", load_settings().workspace.pipelines)]


def releases_of(name: str) -> list[Line]:
    """The newest first. A damaged release is a line, too, and a live one that is not there."""
    pipeline = pipeline_named(name)
    standing = pipeline.standing
    there = pipeline.numbers()
    live = [] if standing.number is None else [standing.number]
    return [_line(pipeline, number, standing) for number in sorted({*there, *live}, reverse=True)]


def all_releases() -> list[Line]:
    """Of every pipeline. One that cannot be read is a line; a ledger that cannot be read is an error."""
    found = []
    for name in pipeline_names():
        try:
            found += releases_of(name)
        except InputError as error:
            found.append(Line(name, None, False, "", "", "", None, "", str(error)))
    return found


def _line(pipeline: Pipeline, number: int, standing: Live) -> Line:
    live = number == standing.number
    folder = pipeline.releases / str(number)
    problem = ""
    try:
        verify(folder)
    except ReleaseError as error:
        problem = error.message
    try:
        facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        facts = {}
    said = {key: str(facts.get(key) or "") for key in ("digest", "promoted_at", "promoted_by", "notebook")}
    return Line(
        pipeline.name,
        number,
        live,
        said["digest"],
        said["promoted_at"],
        said["promoted_by"],
        facts.get("commit"),
        said["notebook"],
        problem,
        f"live: {standing}" if live and standing.override else "",
        against_gates(facts),
    )


def against_gates(manifest: Mapping[str, Any]) -> str:
    """`promoted against 1 gate by ann at 2026-11-30T01:02:03Z: the shop is closed`; "" where all gates said yes."""
    override = manifest.get("override")
    if not isinstance(override, dict):
        return ""
    count = len(override.get("failed", ()))
    by, at, reason = (override.get(key) for key in ("by", "at", "reason"))
    return f"promoted against {count} gate{'s' * (count != 1)} by {by} at {at}: {reason}"
