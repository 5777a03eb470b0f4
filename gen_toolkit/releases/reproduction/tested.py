"""gen release test: does a release still do, offline, what it did when it was promoted?"""

from __future__ import annotations

from gen_toolkit.jobs.job import silent
from gen_toolkit.jobs.limits import Limits
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.releases.aliases import replayable
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.pipeline import pipeline_of
from gen_toolkit.releases.reproduction.reference import CASSETTE, read_reference, without
from gen_toolkit.releases.reproduction.repeat import Repeated, repeat
from gen_toolkit.releases.reproduction.replay import Replay
from gen_toolkit.releases.reproduction.sanitize import rules_for
from gen_toolkit.settings import load_settings


def release_tested(name: str, number: int | None = None, progress: Progress = silent) -> Repeated | str:
    """Execute a release, by default the live one, on its cassette, and compare with its reference.

    A text is the reason why there is nothing to test. Raises NotFound, and ReleaseError where the release is not
    what was promoted.
    """
    settings = load_settings()
    pipeline = pipeline_of(settings.workspace, name)
    folder = pipeline.release_folder(number)
    missing = without(folder)
    if missing:
        return missing
    manifest, reference = verify(folder, beside=False), read_reference(folder)
    what = Replay(
        folder,
        folder / CASSETTE,
        reference.parameters,
        replayable(manifest["models"], settings),
        settings.settings.model,
        reference.seed,
        reference.due,
        reference.effects,
        Limits.of(pipeline.settings()),
    )
    root = settings.workspace.root
    return repeat(what, reference.brought, rules_for(pipeline.folder, [root]), files=root, progress=progress)
