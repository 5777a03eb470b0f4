"""Modules that are loaded and do not look it, until they are imported: who asks `sys.modules` gets the answer that
a process would give that was started afresh."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def hide(names: Iterable[str]) -> None:
    """Those that are loaded are not in `sys.modules` any more; an import puts them back as they are."""
    loaded = {name: module for name in names if (module := sys.modules.pop(name, None)) is not None}
    if loaded:
        sys.meta_path.insert(0, _Finder(loaded))


class _Finder(MetaPathFinder):
    def __init__(self, hidden: dict[str, ModuleType]) -> None:
        self._hidden = hidden

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        module = self._hidden.pop(name, None)  # it stays in the list: another thread may be going through that
        return None if module is None else importlib.util.spec_from_loader(name, _Loader(module, module.__spec__))


class _Loader(Loader):
    """Gives the module that is there. Python writes a new specification into it: the original is put back."""

    def __init__(self, module: ModuleType, specification: ModuleSpec | None) -> None:
        self._module, self._specification = module, specification

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - the protocol's
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._specification
        module.__loader__ = self._specification.loader if self._specification else None
