"""The prompt files of a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gen_toolkit.errors import PromptError
from gen_toolkit.prompts.file import SUFFIX, parse
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.source import read_source, shown
from gen_toolkit.workspace import Workspace, find_workspace

_NOT_OURS = {"node_modules", "__pycache__", "site-packages"}
_ANOTHERS = ("pyvenv.cfg", "gen_toolkit.toml")  # an environment, another workspace


@dataclass(frozen=True)
class Filed:
    """A prompt with the file that holds it, named from the workspace."""

    path: str
    prompt: Prompt


def collect(workspace: Workspace | None = None) -> dict[str, Filed]:
    """Every prompt file of the workspace by the prompt's name, in the order of names.

    Raises PromptError for the first file that is wrong, and where two files have a prompt of one name.
    """
    found: dict[str, Filed] = {}
    for path in _files(workspace or find_workspace()):
        prompt = parse(read_source(path), shown(path))
        if prompt.name in found:
            raise PromptError(
                f"{shown(path)} and {found[prompt.name].path} both hold a prompt {prompt.name!r}",
                fix="Give one of them another name, or remove it.",
                path=str(path),
            )
        found[prompt.name] = Filed(shown(path), prompt)
    return dict(sorted(found.items()))


def _files(workspace: Workspace) -> Iterator[Path]:
    for folder, inner, names in os.walk(workspace.root):
        here = Path(folder)
        inner[:] = sorted(name for name in inner if not _is_not_ours(here / name, workspace))
        for name in sorted(names):
            if name.endswith(SUFFIX):
                yield here / name


def _is_not_ours(folder: Path, workspace: Workspace) -> bool:
    """Records, releases, hidden folders, installed packages, other workspaces."""
    if folder in (workspace.records, workspace.pipelines):
        return True
    named = folder.name.startswith(".") or folder.name in _NOT_OURS
    return named or any((folder / name).is_file() for name in _ANOTHERS)
