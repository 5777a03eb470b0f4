"""The workspace: the folder that holds the notebooks, pipelines and everything the toolkit records.

It is named by GEN_TOOLKIT_WORKSPACE, else it is the nearest folder upwards with a `gen_toolkit.toml` or
a pyproject.toml that has a `[tool.gen_toolkit]` table, else the current folder. Paths start here and
never at the current folder.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from gen_toolkit.marks import environment


class Workspace(NamedTuple):
    """A folder, and where things are in it. (A tuple, since `gen run` waits for whatever is imported for it.)"""

    root: Path
    configuration: Path | None  # the file that made this folder a workspace

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def pipelines(self) -> Path:
        return self.root / "pipelines"

    @property
    def records(self) -> Path:
        """`mlruns/`: databases, artifacts, run folders. Private to the user, ignored by git."""
        return self.root / "mlruns"

    @property
    def runs(self) -> Path:
        return self.records / "runs"

    def prepare(self) -> Path:
        """Make the folder for records; only its owner may look into it."""
        self.records.mkdir(parents=True, exist_ok=True)
        if self.records.stat().st_mode & 0o077:
            self.records.chmod(0o700)
        return self.records


def find_workspace(start: Path | None = None) -> Workspace:
    """The workspace of `start`, by default of the current folder."""
    named = environment().get("GEN_TOOLKIT_WORKSPACE")
    if start is not None:
        return _nearest(start.resolve())
    if named:
        root = Path(named).expanduser().resolve()
        return Workspace(root, _configuration(root))
    return _of_folder(os.getcwd())


_found: dict[str, Workspace] = {}


def _of_folder(folder: str) -> Workspace:
    """Looked for once as long as the file that made it a workspace is there: every call of a model asks."""
    known = _found.get(folder)
    if known is None or known.configuration is None or not os.path.exists(known.configuration):
        known = _found[folder] = _nearest(Path(folder).resolve())
    return known


def _nearest(here: Path) -> Workspace:
    for folder in (here, *here.parents):
        found = _configuration(folder)
        if found is not None:
            return Workspace(folder, found)
    return Workspace(here, None)


def _configuration(folder: Path) -> Path | None:
    own = folder / "gen_toolkit.toml"
    if own.is_file():
        return own
    project = folder / "pyproject.toml"
    try:
        changed = project.stat().st_mtime_ns
    except OSError:
        return None
    return project if _has_our_table(project, changed) else None


@lru_cache(maxsize=64)
def _has_our_table(project: Path, _changed: int) -> bool:
    """Read once as long as the file is the same: every call asks for the workspace."""
    import tomllib

    try:
        return "gen_toolkit" in tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False  # somebody else's broken file is not ours to report
