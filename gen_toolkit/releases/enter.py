"""The first cell of a frozen notebook: find the release, prove it is unchanged, take prompts from it."""

from __future__ import annotations

from pathlib import Path

from gen_toolkit import scope
from gen_toolkit.errors import ReleaseError
from gen_toolkit.releases.modules import import_from
from gen_toolkit.releases.seal import INCLUDE, verify
from gen_toolkit.workspace import find_workspace


def enter_release(name: str, number: int, digest: str) -> None:
    """Called by the generated cell. Without our supervisor the release is looked for in the workspace."""
    folder = scope.current().release or _find(name, number)
    manifest = verify(folder, beside=False)
    if manifest["digest"] != digest:
        raise ReleaseError(
            f"this notebook is release {number} of {name}, but {folder} holds another",
            fix="Run the notebook that lies in the release's own folder.",
        )
    if manifest["include"]:
        import_from(folder / INCLUDE)
    scope.enter_release(folder)


def _find(name: str, number: int) -> Path:
    inner = Path("pipelines") / name / "releases" / str(number)
    here = Path.cwd().resolve()
    for folder in (find_workspace().root, here, *here.parents):
        if (folder / inner / "manifest.json").is_file():
            return folder / inner
    if (here / "manifest.json").is_file():
        return here
    raise ReleaseError(
        f"release {number} of {name} is not found from {here}",
        fix="Start in its workspace, or name that with GEN_TOOLKIT_WORKSPACE.",
    )
