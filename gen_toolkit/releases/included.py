"""The files of the workspace that a release brings along, as `include` of pipeline.toml names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gen_toolkit.errors import ReleaseError


def read_included(workspace: Path, include: Sequence[str]) -> dict[str, bytes]:
    """By path in the workspace what each holds; of a folder its modules. Raises ReleaseError for what is not there."""
    root = workspace.resolve()
    paths = (path for name in include for path in _files(root, name))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _files(root: Path, name: str) -> Iterator[Path]:
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.exists():
        raise ReleaseError(f"include names {name!r}, which is not in the workspace", fix="Correct pipeline.toml.")
    if path.is_file():
        yield path
    else:
        yield from sorted(found for found in path.rglob("*.py") if "__pycache__" not in found.parts)
