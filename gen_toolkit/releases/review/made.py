"""The page of a release that there is, and of a notebook that may become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gen_toolkit.messages.request import digest
from gen_toolkit.releases.check import check
from gen_toolkit.releases.evidence import Case
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.pipeline import pipeline_of
from gen_toolkit.releases.review.page import HTML, Page, write_review
from gen_toolkit.releases.side import side_of_notebook, side_of_release
from gen_toolkit.settings import load_settings


def review_of_release(name: str, number: int | None = None) -> Path:
    """The folder of the page that was made at promotion; of a release that has none one made now, against the
    release before it. Raises NotFound, ReleaseError."""
    pipeline = pipeline_of(load_settings().workspace, name)
    folder = pipeline.release_folder(number)
    manifest = verify(folder)
    if (folder / HTML).is_file():
        return folder
    wanted = int(manifest["release"])
    before = max((one for one in pipeline.numbers() if one < wanted), default=None)
    new = side_of_release(pipeline, wanted)
    return _kept(name, f"release-{wanted}", Page.of(pipeline, manifest, new, Case(), against=before))


def review_of_notebook(name: str, path: Path) -> Path:
    """The folder of the page of a notebook as it is saved, against the live release; nothing is promoted.

    The pipeline need not be there yet. Raises CheckFailed where the notebook could not be promoted.
    """
    pipeline = pipeline_of(load_settings().workspace, name, must_exist=False)
    new = side_of_notebook(pipeline, path)
    facts: dict[str, Any] = {"name": name, "digest": digest(new.content), "notebook": path.name}
    warnings = check(path, include=tuple(pipeline.settings().get("include", ()))).findings
    return _kept(name, "notebook", Page.of(pipeline, facts, new, Case(), warnings))


def _kept(name: str, what: str, page: Page) -> Path:
    """Among the records, which are nobody else's to read."""
    folder = load_settings().workspace.prepare() / "reviews" / name / what
    folder.mkdir(parents=True, exist_ok=True)
    write_review(folder, page, mode=0o600)
    return folder
