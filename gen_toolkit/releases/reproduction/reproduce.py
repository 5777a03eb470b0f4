"""gen reproduce: execute a run once more, offline, and say whether it is identical."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gen_toolkit.errors import ReleaseError
from gen_toolkit.jobs.job import silent
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.reproduction.compare import Brought
from gen_toolkit.releases.reproduction.exported import Exported
from gen_toolkit.releases.reproduction.repeat import Repeated, repeat
from gen_toolkit.releases.reproduction.replay import Replay
from gen_toolkit.releases.reproduction.sanitize import rules_from
from gen_toolkit.workspace import find_workspace


def reproduce(exported: Exported, source: str, progress: Progress = silent) -> Repeated:
    """`source` is what it is called in messages. The notebook finds the files of the current workspace, if in one.

    Its code is executed as that of a job is: reproduce what you would run. Raises ReleaseError where the release is
    not what was promoted.
    """
    here = find_workspace()
    files = here.root if here.configuration is not None else None
    with tempfile.TemporaryDirectory(prefix="gen-reproduce-") as name:
        folder = Path(name).resolve()
        exported.unpack(folder, source)
        try:
            verify(folder / "release")
        except ReleaseError as error:
            said = error.message.replace(str(folder / "release"), "it")
            raise ReleaseError(f"{source}: {said}", fix="Export the run anew; a release is never edited.") from None
        what = Replay(
            folder / "release",
            folder / "cassette.jsonl",
            exported.parameters,
            exported.models,
            exported.model,
            exported.seed,
            exported.due,
            exported.effects,
        )
        rules = rules_from(exported.rules, [*([files] if files else []), folder])
        was = Brought(exported.notebook, exported.kept)
        return repeat(what, was, rules, files=files, progress=progress)
