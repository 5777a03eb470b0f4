"""What one looks at: the releases of a pipeline, which of them is live, and whether each is what was promoted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from gen_toolkit.errors import ReleaseError
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.settings import load_settings


@dataclass(frozen=True)
class Line:
    """A release in the list."""

    pipeline: str
    number: int
    live: bool
    digest: str
    promoted_at: str
    by: str
    commit: str | None
    notebook: str
    problem: str
    """Why it cannot run; "" where it is what was promoted."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def pipeline_named(name: str) -> Pipeline:
    """Of this workspace. Raises NotFound."""
    return pipeline_of(load_settings().workspace, name)


def pipeline_names() -> list[str]:
    """Of this workspace, in order."""
    return sorted(path.parent.name for path in load_settings().workspace.pipelines.glob("*/releases"))


def releases_of(name: str) -> list[Line]:
    """The newest first. A damaged release is a line, too."""
    pipeline = pipeline_named(name)
    live = pipeline.live
    return [_line(pipeline, number, number == live) for number in reversed(pipeline.numbers())]


def _line(pipeline: Pipeline, number: int, live: bool) -> Line:
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
    )
