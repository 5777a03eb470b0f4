"""The generated first cell of a frozen notebook."""

from __future__ import annotations

from typing import Any


def release_cell(name: str, number: int, sha: str) -> dict[str, Any]:
    """The generated first cell: it finds the release, so that plain papermill and Airflow run it too."""
    code = (
        f"# Release {number} of {name}, made by `gen promote`; this cell is not part of its digest.\n"
        "from gen_toolkit.releases.enter import enter_release\n"
        f'enter_release("{name}", {number}, "{sha}")'
    )
    return {
        "cell_type": "code",
        "id": "release",
        "metadata": {"tags": ["release"]},
        "source": code.splitlines(keepends=True),
        "execution_count": None,
        "outputs": [],
    }
