"""Kept values in the ledger: small ones as they are, larger ones as files of the attempt, with a word in their place.

So a row of the ledger stays small, whatever a notebook keeps. MLflow has the same files, as artifacts `kept/NAME.json`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_toolkit import text
from gen_toolkit.ipynb import write_text

FOLDER = "kept"
ARTIFACT = "gen_toolkit.artifact"
"""The key by which a word in place of a value is known: where the value is, from the attempt's folder."""
LARGEST = 64_000
"""Characters that a value may have as JSON, to stand in the ledger."""
ROOM = 1_000_000
"""Characters that all of an attempt may have there together."""


def fitted(kept: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """The values for the ledger. One that is too large is written to the folder, and stands as
    `{"gen_toolkit.artifact": "kept/NAME.json", "bytes", "sha256", "items"}`; the same value has the same sum.
    """
    found, room = {}, ROOM
    for name, value in kept.items():
        # as it can be read: scrubbed, and half of a surrogate pair as an escape
        written = text.scrub(json.dumps(value))
        if len(written) <= min(LARGEST, room):
            room -= len(written)
            found[name] = value
            continue
        found[name] = {
            ARTIFACT: f"{FOLDER}/{name}.json",
            "bytes": len(written),
            "sha256": hashlib.sha256(written.encode()).hexdigest(),
            "items": len(value) if isinstance(value, list | dict) else None,
        }
        if folder is not None and folder.is_dir():
            with contextlib.suppress(OSError):  # a full disk: MLflow has it, or will
                (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
                write_text(folder / FOLDER / f"{name}.json", written + "\n")
    return found


def is_elsewhere(value: Any) -> bool:
    """Whether this stands in place of a value."""
    return isinstance(value, dict) and ARTIFACT in value


def whole(value: Any, folder: Path | None) -> Any:
    """The value itself, where it is to be had; else the word in its place."""
    if not is_elsewhere(value) or folder is None:
        return value
    path = folder / FOLDER / Path(str(value[ARTIFACT])).name
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    return value


def word(value: Mapping[str, Any]) -> str:
    """`1,500 items, 230 kB, in kept/rows.json`"""
    many = f"{value['items']:,} items, " if value.get("items") is not None else ""
    return f"{many}{value['bytes'] / 1000:,.0f} kB, in {value[ARTIFACT]}"
