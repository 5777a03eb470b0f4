"""gen check --fix: what may be mended without changing what the notebook does."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from gen_toolkit.errors import NotebookError
from gen_toolkit.ipynb import Notebook, read_notebook, tags, write_notebook

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def mend(path: Path) -> list[str]:
    """Mend the file in place, and say what was done: a line each. An untouched file is not written.

    Raises NotebookError.
    """
    notebook = read_notebook(path)
    done = [said for step in (_without_injected, _with_ids, _with_kernel) for said in step(notebook)]
    if done:
        mode = path.stat().st_mode & 0o777
        try:
            write_notebook(path, notebook)
        except OSError as error:
            raise NotebookError(
                f"{path} cannot be written: {error.strerror}", fix="Make its folder writable.", path=str(path)
            ) from None
        path.chmod(mode)
    return done


def _without_injected(notebook: Notebook) -> list[str]:
    kept = [cell for cell in notebook["cells"] if "injected-parameters" not in tags(cell)]
    removed = len(notebook["cells"]) - len(kept)
    notebook["cells"] = kept
    return [f"removed {removed} cell{'s' * (removed > 1)} that an earlier run had injected"] if removed else []


def _with_ids(notebook: Notebook) -> list[str]:
    """Every cell its own id, where the format has them (4.5 and later)."""
    if not isinstance(minor := notebook.get("nbformat_minor"), int) or minor < 5:
        return []
    seen: set[Any] = set()
    given = 0
    for cell in notebook["cells"]:
        if not isinstance(cell.get("id"), str) or cell["id"] in seen:
            cell["id"] = uuid.uuid4().hex[:8]
            given += 1
        seen.add(cell["id"])
    return [f"gave {given} cell{'s' * (given > 1)} an id of {'their' if given > 1 else 'its'} own"] if given else []


def _with_kernel(notebook: Notebook) -> list[str]:
    metadata = notebook.setdefault("metadata", {})
    kernel = metadata.get("kernelspec")
    if isinstance(kernel, dict) and kernel.get("name"):
        return []
    metadata["kernelspec"] = dict(_KERNEL)
    return ["named the kernel: python3"]
