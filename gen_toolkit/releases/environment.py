"""The installed packages: what a release was reviewed with, and what is otherwise where it runs.

Read from the folders that installers write (`NAME-VERSION.dist-info`, PyPA's "Recording installed projects"),
so that nothing is imported and no index is asked. A job looks at them before it starts: what was read is kept
in the workspace, and read again only where a folder has changed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gen_toolkit.errors import ReleaseError
from gen_toolkit.ipynb import write_text
from gen_toolkit.settings import load_settings

EDITABLE = "editable"
"""In place of the hash of a package whose files are those that somebody edits."""
_SHOWN = 3
_KEPT = "environment.json"
# What an installer writes for one machine: scripts with the interpreter's path, bytecode, who installed it and why.
_OF_MACHINE = re.compile(r"^(\.\./|/)|\.pyc,|\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_\w+\.json),")


def environment() -> dict[str, Any]:
    """Python, platform, and by name each package's version (`packages`) and hash (`records`).

    The hash is the SHA-256 of the package's RECORD, which holds the hash of each of its files, without the lines
    that differ between machines; `editable` for one that is installed so, None for one without a RECORD.
    """
    found = list(_folders())
    mark = hashlib.sha256(repr([sys.version, found]).encode()).hexdigest()
    kept = load_settings().workspace.records / _KEPT
    with contextlib.suppress(OSError, ValueError, KeyError):
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["mark"] == mark:
            return dict(known["environment"])
    read = _read([Path(folder) for folder, *_ in found])
    with contextlib.suppress(OSError):  # then it is read anew the next time
        load_settings().workspace.prepare()
        write_text(kept, json.dumps({"mark": mark, "environment": read}))
    return read


def changes(reviewed: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What of the reviewed environment is otherwise: `numpy 2.3.1 → 2.3.2`. What was added does not count."""
    said = [
        f"{what} {reviewed[what]} → {now[what]}"
        for what in ("python", "platform")
        if reviewed.get(what) not in (None, now[what])
    ]
    versions, records = _by_name(now["packages"]), _by_name(now["records"])
    hashes = _by_name(reviewed.get("records", {}))
    for name, version in _by_name(reviewed.get("packages", {})).items():
        other = versions.get(name)
        if other is None:
            said.append(f"{name} {version} is missing")
        elif other != version:
            said.append(f"{name} {version} → {other}")
        elif hashes.get(name) != records.get(name) and name in hashes:
            said.append(f"{name} {version} has other files")
    return said


def told(changed: list[str]) -> str:
    """On one line: "2 packages differ from what was reviewed: numpy 2.3.1 → 2.3.2, …"; "" where none does."""
    if not changed:
        return ""
    shown = ", ".join(changed[:_SHOWN]) + (f", and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else "")
    count = "1 package differs" if len(changed) == 1 else f"{len(changed)} packages differ"
    return f"{count} from what was reviewed: {shown}"


def refuse_or_tell(manifest: Mapping[str, Any], policy: str) -> str:
    """The line to tell where the environment is not the one that was reviewed; with the policy `refuse` it raises."""
    line = told(changes(manifest.get("environment", {}), _as_begun(os.getpid())))
    if line and policy == "refuse":
        raise ReleaseError(
            line,
            fix='Install what was reviewed, or promote again here; environment = "warn" in pipeline.toml only tells.',
        )
    return line


@functools.cache
def _as_begun(_process: int) -> dict[str, Any]:
    """A process imports what was there when it began; one with many jobs to start looks once."""
    return environment()


def _folders() -> Iterator[tuple[str, int, int]]:
    """The metadata folders on the path, the first of each package, with (time of change, size) of their RECORD."""
    for place in dict.fromkeys(sys.path):
        try:
            names = sorted(entry.name for entry in os.scandir(place or ".") if entry.name.endswith(".dist-info"))
        except OSError:
            continue
        for name in names:
            folder = os.path.join(place or ".", name)
            try:
                record = os.stat(os.path.join(folder, "RECORD"))
            except OSError:
                yield folder, 0, 0
            else:
                yield folder, record.st_mtime_ns, record.st_size


def _read(folders: list[Path]) -> dict[str, Any]:
    packages: dict[str, str] = {}
    records: dict[str, str | None] = {}
    for folder in folders:
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        if name and _canonical(name) not in packages:
            packages[_canonical(name)] = version
            records[_canonical(name)] = _record(folder)
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "packages": dict(sorted(packages.items())),
        "records": dict(sorted(records.items())),
    }


def _record(folder: Path) -> str | None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        told_by_installer = json.loads((folder / "direct_url.json").read_text(encoding="utf-8"))
        if told_by_installer.get("dir_info", {}).get("editable"):
            return EDITABLE
    try:
        lines = (folder / "RECORD").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    kept = sorted(line for line in lines if line and not _OF_MACHINE.search(line))
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def _by_name(found: Mapping[str, Any]) -> dict[str, Any]:
    return {_canonical(name): value for name, value in found.items()}


@functools.cache
def _canonical(name: str) -> str:
    """As PyPA's "Names and normalization" has it."""
    return re.sub(r"[-_.]+", "-", name).lower()
