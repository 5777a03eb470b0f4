"""The modules that a release brings: imported before others of their names, and from what was reviewed only."""

from __future__ import annotations

import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path
from typing import Any, NoReturn


class _Source(SourceFileLoader):
    """Neither reads nor writes bytecode: what stands in `__pycache__` was neither hashed nor reviewed."""

    def path_stats(self, path: Any) -> NoReturn:
        raise OSError(f"bytecode of {path} is not read")  # importlib then compiles the source, and keeps nothing


_LOADERS = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (_Source, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)


def import_from(folder: Path) -> None:
    """Have this process find modules in `folder` first; in the environment of a job it stands already."""
    find = FileFinder.path_hook(*_LOADERS)

    def hook(path: str) -> Any:
        if not Path(path).is_relative_to(folder):
            raise ImportError(f"{path} is not in {folder}")
        return find(path)

    sys.path_hooks.insert(0, hook)
    for known in [path for path in sys.path_importer_cache if Path(path).is_relative_to(folder)]:
        del sys.path_importer_cache[known]
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
