"""What proves a release: the digest of what runs, the hashes of the files beside it, and a seal over the manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_toolkit.errors import NotebookError, ReleaseError
from gen_toolkit.ipynb import code_cells, normalised_code, read_notebook, source, tags, write_text
from gen_toolkit.messages.request import digest
from gen_toolkit.releases.head import release_cell

FORMAT = 3
"""1: without `files` and `seal`. 2: its digest leaves out blanks at the ends of the lines of a text. Both are read."""
MANIFEST, NOTEBOOK, INCLUDE = "manifest.json", "notebook.ipynb", "include"
BYTECODE = "__pycache__"
"""Where Python keeps its own copies of modules; they are no part of a release."""
IF_ANY = ("prompt_files", "fragments")
"""Parts of the content that are left out where there is nothing."""


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a release in `folder`, with the hashes of the files that stand beside what runs."""
    beside = [path for path in folder.iterdir() if path.is_file() and path.name not in {MANIFEST, NOTEBOOK}]
    sealed = {"format": FORMAT, **manifest, "files": {path.name: sha256_of(path) for path in sorted(beside)}}
    for path in [*beside, folder / NOTEBOOK]:
        path.chmod(0o644)
    text = json.dumps({**sealed, "seal": _seal(sealed)}, ensure_ascii=False, indent=1) + "\n"
    write_text(folder / MANIFEST, text, mode=0o644)


def verify(folder: Path, *, beside: bool = True) -> dict[str, Any]:
    """The manifest of a release, after proving that nothing of it was changed. Raises ReleaseError naming the file.

    Without `beside` only of what runs: the notebook, what it includes, and the manifest.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        form = manifest.get("format")
        if form not in (1, 2, FORMAT):
            raise ReleaseError(f"{folder} has format {form}", fix="Use a newer gen_toolkit.")
        changed, added = _changed(folder, manifest, beside=beside), _added(folder, manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NotebookError) as error:
        raise ReleaseError(f"the release in {folder} cannot be read: {error}", fix="Restore it from git.") from None
    if changed or added:
        what, mend = ("changed", "Restore it from git") if changed else ("added", "Remove it")
        raise ReleaseError(
            f"{changed or added} of {_title(manifest, folder)} was {what}: it is not what was promoted",
            fix=f"{mend}; a release is never edited, promote again instead.",
            folder=str(folder),
            file=changed or added,
        )
    return dict(manifest)


def _changed(folder: Path, manifest: Mapping[str, Any], *, beside: bool) -> str | None:
    """The first file that is not what it was; of format 1 the manifest cannot be told from the notebook."""
    is_sealed = manifest["format"] != 1
    if is_sealed and manifest["seal"] != _seal({key: value for key, value in manifest.items() if key != "seal"}):
        return MANIFEST
    for name, sha in manifest["include"].items():
        path = folder / INCLUDE / name
        if not path.is_file() or sha256_of(path) != sha:
            return f"{INCLUDE}/{name}"
    notebook = read_notebook(folder / NOTEBOOK)
    content = {
        "code": normalised_code(notebook, blanks_in_texts=manifest["format"] > 2),
        **{key: manifest[key] for key in ("parameters", "prompts", "models", "include")},
        **{key: manifest[key] for key in IF_ANY if key in manifest},
    }
    expected = (
        [source(release_cell(manifest["name"], manifest["release"], manifest["digest"]))] if manifest["release"] else []
    )
    if digest(content) != manifest["digest"] or _generated(notebook) != expected:
        return NOTEBOOK if is_sealed else f"{NOTEBOOK} or {MANIFEST}"
    for name, sha in manifest["files"].items() if is_sealed and beside else ():
        path = folder / name
        if not path.is_file() or sha256_of(path) != sha:
            return str(name)
    return None


def _added(folder: Path, manifest: Mapping[str, Any]) -> str | None:
    """The first file that could be imported and was not included; bytecode is not read: see `modules`."""
    included = folder / INCLUDE
    for path in sorted(included.rglob("*")):
        name = path.relative_to(included).as_posix()
        is_folder = path.is_dir() and not path.is_symlink()
        if not is_folder and name not in manifest["include"] and path.parent.name != BYTECODE:
            return f"{INCLUDE}/{name}"
    return None


def _generated(notebook: Mapping[str, Any]) -> list[str]:
    """The cells that the digest leaves out: only the one that promotion wrote may be among them."""
    cells = code_cells(dict(notebook))
    return [source(cell) for _, cell in cells if {"release", "injected-parameters"} & set(tags(cell))]


def _title(manifest: Mapping[str, Any], folder: Path) -> str:
    number = manifest.get("release")
    return f"release {number} of {manifest.get('name')}" if number else f"what was frozen in {folder}"


def _seal(manifest: Mapping[str, Any]) -> str:
    return digest({key: value for key, value in manifest.items() if key != "seal"})
