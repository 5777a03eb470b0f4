"""What a template is made of, so that it is noticed when that is no longer what lies on the disk."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import gen_toolkit

Fingerprint = dict[str, tuple[int, int]]
"""Path to (time of change in ns, size)."""


def fingerprint(modules: list[str]) -> Fingerprint:
    """Of the interpreter, the folders that packages are installed in, the records of the packages of `modules`,
    and every loaded file that is installed in neither: what somebody edits."""
    installed = [*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("purelib")]
    paths = {os.path.realpath(sys.executable), *filter(os.path.isdir, installed)}
    paths |= {str(record) for record in _records(modules)}
    homes = (*installed, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    loaded = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    paths |= {file for file in loaded if file and not file.startswith(tuple(f"{home}/" for home in homes))}
    own = Path(gen_toolkit.__file__).parent
    if not str(own).startswith(tuple(homes)):
        paths |= {str(path) for path in own.rglob("*.py")}  # also what is imported only later
    return {path: found for path in sorted(paths) if (found := _look(path)) is not None}


def changed(then: Fingerprint) -> str | None:
    """The first path that is not what it was; None where all are."""
    return next((path for path, found in then.items() if _look(path) != found), None)


def _records(modules: list[str]) -> set[Path]:
    """`RECORD` of the distributions that the modules come from: rewritten by every installation."""
    homes = packages_distributions()
    names = {name for module in modules for name in homes.get(module.partition(".")[0], [])}
    found = {Path(str(distribution(name).locate_file("."))) / _folder(name) / "RECORD" for name in names}
    return {path for path in found if path.exists()}


def _folder(name: str) -> str:
    its = distribution(name)
    record = next((file for file in its.files or () if file.name == "RECORD"), None)
    return str(record.parent) if record else ""


def _look(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
