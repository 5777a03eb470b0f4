"""The page of a release that there is, and of a notebook that may become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gen_toolkit.database.engine import open_database
from gen_toolkit.releases.check import passed
from gen_toolkit.releases.freeze import freeze, name_of, verify
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.releases.promotion.evidence import Case
from gen_toolkit.releases.promotion.found import answers_of
from gen_toolkit.releases.promotion.make import read_evidence
from gen_toolkit.releases.promotion.promote import case_of
from gen_toolkit.releases.promotion.proof import known_proof
from gen_toolkit.releases.review.page import HTML, Page, write_review
from gen_toolkit.releases.side import side_of, side_of_release
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
    live = None if before is None else read_evidence(pipeline.release_folder(before))
    page = Page.of(
        pipeline, manifest, side_of_release(pipeline, wanted), Case(read_evidence(folder), live=live), against=before
    )
    return _kept(pipeline, f"release-{wanted}", page)


def review_of_notebook(name: str, path: Path) -> Path:
    """The folder of the page of a notebook as it is saved, against the live release: what its last execution says,
    and the gates to that. Nothing is executed, and nothing promoted.

    The pipeline need not be there yet. Raises CheckFailed where the notebook could not be promoted.
    """
    pipeline = pipeline_of(load_settings().workspace, name, must_exist=False)
    operator = pipeline.settings()
    report = passed(path, tuple(operator.get("include", ())))
    frozen = freeze(report.subject, tuple(operator.get("models", ())))
    proof = known_proof(report.subject, frozen)
    case = Case() if proof is None else case_of(pipeline, proof, answers_of(open_database(), proof.execution))
    facts: dict[str, Any] = {"name": name, "digest": frozen.digest, "notebook": name_of(report.subject)}
    side = side_of(path.name, frozen)
    return _kept(pipeline, "notebook", Page.of(pipeline, facts, side, case, report.warnings))


def _kept(pipeline: Pipeline, what: str, page: Page) -> Path:
    """Among the records, which are nobody else's to read."""
    folder = load_settings().workspace.prepare() / "reviews" / pipeline.name / what
    folder.mkdir(parents=True, exist_ok=True)
    write_review(folder, page, mode=0o600)
    return folder
