"""Notebook files: read, strip, hash, write whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gen_toolkit.errors import NotebookError
from gen_toolkit.text import encodable

Notebook = dict[str, Any]

_LARGEST = 250_000_000  # bytes of a file
_CELL_TYPES = {"code", "markdown", "raw"}
# texts, comments and blanks; a quote after a backslash or without an end on its line begins no text
_PIECES = re.compile(
    r"""(?sx) (?P<blanks> [ \t\r]+) | \#[^\n]* | ("{3}|'{3}) (?:\\.|.)*? (?:\2|\Z)
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | \\["']
    """
)


def read_notebook(path: Path) -> Notebook:
    """A notebook of format 4 as plain data. Raises NotebookError where the file is none."""
    advice = "Give the path of a Jupyter notebook (.ipynb)."
    raw = _content(path, advice)
    try:
        notebook = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise NotebookError(f"{path} is not a notebook: it is not JSON", fix=advice, path=str(path)) from None
    version = notebook.get("nbformat", 4) if isinstance(notebook, dict) else 4
    if version != 4:
        fix = f"Convert it: jupyter nbconvert --to notebook --nbformat 4 {path.name}"
        raise NotebookError(f"{path} has notebook format {str(version)[:20]}, not 4", fix=fix, path=str(path))
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise NotebookError(f"{path} is not a notebook: it has no list of cells", fix=advice, path=str(path))
    if not isinstance(notebook.get("metadata", {}), dict):
        raise NotebookError(f"{path} is not a notebook: its metadata are no object", fix=advice, path=str(path))
    if "nbformat" not in notebook:
        raise NotebookError(f"{path} is not a notebook: it names no format", fix=advice, path=str(path))
    if not isinstance(notebook.get("nbformat_minor", 0), int | None):
        raise NotebookError(f"{path} is not a notebook: its minor format is no number", fix=advice, path=str(path))
    strange = next((cell["cell_type"] for cell in cells if cell["cell_type"] not in _CELL_TYPES), None)
    if strange is not None:
        said = f"{path} is not a notebook: it has a cell of type {strange[:20]!r}"
        raise NotebookError(said, fix="Make it one of code, markdown, raw.", path=str(path))
    return dict(notebook)


def _content(path: Path, advice: str) -> bytes:
    """What a regular file holds: a pipe would be waited for, and a device read for ever."""
    try:
        str(path).encode("utf-8")
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):
            raise NotebookError(f"{path} is no file", fix=advice, path=str(path))
        if facts.st_size > _LARGEST:
            said = f"{path} is larger than {_LARGEST // 1_000_000} MB"
            raise NotebookError(said, fix="Clear its outputs: jupyter nbconvert --clear-output", path=str(path))
        return path.read_bytes()
    except UnicodeEncodeError:
        raise NotebookError(f"the name of {path} is no text", fix="Rename the file.", path=str(path)) from None
    except OSError as error:
        raise NotebookError(f"{path} cannot be read: {error.strerror}", fix=advice, path=str(path)) from None


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return False
    metadata, text = cell.get("metadata", {}), cell.get("source", "")
    if not isinstance(metadata, dict) or not all(isinstance(tag, str) for tag in tags({"metadata": metadata})):
        return False
    return isinstance(text, str) or (isinstance(text, list) and all(isinstance(line, str) for line in text))


def source(cell: dict[str, Any]) -> str:
    """A cell's text; the format allows a list of lines."""
    text = cell.get("source", "")
    return "".join(text) if isinstance(text, list) else str(text)


def tags(cell: dict[str, Any]) -> list[str]:
    found = cell.get("metadata", {}).get("tags", [])
    return list(found) if isinstance(found, list) else []


def code_cells(notebook: Notebook) -> Iterable[tuple[int, dict[str, Any]]]:
    """(index in the notebook, cell) of the code cells."""
    return ((i, cell) for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")


def stripped(notebook: Notebook) -> Notebook:
    """Without outputs, counts and everything a front end or a run added; cell ids made stable."""
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        if "injected-parameters" in tags(cell):
            continue
        kept: dict[str, Any] = {
            "cell_type": cell["cell_type"],
            "id": f"cell-{len(cells)}",
            "metadata": {"tags": tags(cell)} if tags(cell) else {},
            "source": source(cell).splitlines(keepends=True),
        }
        if cell["cell_type"] == "code":
            kept |= {"execution_count": None, "outputs": []}
        elif cell.get("attachments"):
            kept["attachments"] = cell["attachments"]  # pictures pasted into prose
        cells.append(kept)
    metadata = {k: v for k, v in notebook.get("metadata", {}).items() if k in {"kernelspec", "language_info"}}
    metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata["language_info"] = {"name": "python"}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def normalised_code(notebook: Notebook, *, blanks_in_texts: bool = True) -> list[dict[str, Any]]:
    """The code cells as the digest sees them: source without trailing space, tags; no outputs, no ids.

    Without `blanks_in_texts` also without those at the ends of the lines of a text, which are a part of it.
    """
    normal = _without_trailing_space if blanks_in_texts else _with_lines_cut
    code = []
    for _, cell in code_cells(notebook):
        if {"injected-parameters", "release"} & set(tags(cell)):
            continue
        text = normal(source(cell).strip())
        if text:
            code.append({"source": text, "tags": sorted(tags(cell))})
    return code


def _without_trailing_space(code: str) -> str:
    text = code.replace("\r\n", "\n")

    def kept(piece: re.Match[str]) -> str:
        if piece["blanks"]:
            return piece[0] if text[piece.end() : piece.end() + 1] not in ("", "\n") else ""
        return piece[0].rstrip(" \t\r") if piece[0].startswith("#") else piece[0]

    return _PIECES.sub(kept, text)


def _with_lines_cut(code: str) -> str:
    # only where Python ends a line: str.splitlines also cuts inside texts that hold other separators
    return "\n".join(line.rstrip(" \t\r") for line in code.split("\n"))


def code_hash(notebook: Notebook) -> str:
    """SHA-256 of the normalised code cells: the same code has the same hash, whatever it printed."""
    return hashlib.sha256(json.dumps(normalised_code(notebook), ensure_ascii=False).encode()).hexdigest()


def write_notebook(path: Path, notebook: Notebook) -> None:
    """Write whole or not at all; with half of a character, which is no UTF-8, as JSON has it."""
    written = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    if encodable(written) != written:
        written = json.dumps(notebook, indent=1, sort_keys=True)
    write_text(path, written + "\n")


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file whole or not at all: a new file beside it, synced, then renamed over it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def sweep(folder: Path) -> None:
    """Remove what `write_text` leaves in a folder when it is killed half way."""
    for path in folder.glob(".*.????????"):
        with contextlib.suppress(OSError):
            path.unlink()
