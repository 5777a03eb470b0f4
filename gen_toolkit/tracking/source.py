"""Where work comes from: the notebook or script, and the git commit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gen_toolkit.process import this_process
from gen_toolkit.surface import shell, surface
from gen_toolkit.workspace import find_workspace

NOTEBOOK_MARK = "GEN_TOOLKIT_NOTEBOOK"  # set for a kernel by whoever starts it on a notebook


def notebook_path() -> Path | None:
    """The notebook this kernel runs, where the front end says so."""
    named = os.environ.get(NOTEBOOK_MARK) or os.environ.get("JPY_SESSION_NAME")
    found = shell()
    if found is not None:
        named = named or found.user_ns.get("__vsc_ipynb_file__")
    if not named:
        return None
    path = Path(named)
    return path if path.suffix == ".ipynb" else None


def source_name() -> str:
    """The notebook or script, relative to the workspace where it lies inside."""
    path = notebook_path()
    if path is None and surface() == "script" and sys.argv and sys.argv[0]:
        path = Path(sys.argv[0])
    if path is None:
        return surface()
    root = find_workspace().root
    resolved = path if path.is_absolute() else root / path
    return str(resolved.relative_to(root)) if resolved.is_relative_to(root) else path.name


def git_head(root: Path) -> str | None:
    """The commit that is checked out now; None outside git."""
    return (_git(root, "rev-parse", "HEAD") or "").strip() or None


def git_commit(root: Path) -> str | None:
    """The same, with `-dirty` when tracked files differ: git has to look at all of them."""
    commit = git_head(root)
    if commit is None:
        return None
    return f"{commit}-dirty" if _git(root, "status", "--porcelain", "--untracked-files=no") else commit


def git_diff(root: Path, without: Sequence[str] = ()) -> str:
    """How the tracked files below `root` differ from the commit, but those that a pattern of `without` names."""
    left_out = [f":(exclude){pattern}" for pattern in without]
    return _git(root, "diff", "--no-ext-diff", "--no-color", "HEAD", "--", ".", *left_out) or ""


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - git from the user's own PATH
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def source_tags() -> dict[str, str]:
    """What every run says about where it comes from."""
    tags = {
        "mlflow.source.name": source_name(),
        "mlflow.source.type": "NOTEBOOK" if notebook_path() else "LOCAL",
        "gen_toolkit.process": this_process(),
    }
    commit = git_commit(find_workspace().root)
    if commit:
        tags["mlflow.source.git.commit"] = commit.removesuffix("-dirty")
        tags["gen_toolkit.git.dirty"] = str(commit.endswith("-dirty")).lower()
    return tags
