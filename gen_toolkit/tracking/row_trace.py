"""A row of an evaluation as it is told to MLflow, and the id of its trace."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_TEXT = 100_000
"""Characters of one text in a trace: MLflow's page shows no longer ones. The journal has the whole."""


@dataclass(frozen=True)
class RowTrace:
    """One row, once: what went in, what came out, how it was scored, what it took."""

    row: str
    repeat: int
    inputs: Mapping[str, Any]
    output: Any
    error: str | None
    calls: tuple[str, ...]
    """Ids in the journal."""
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By scorer: `value`, `reason`, `label`."""
    seconds: float = 0.0
    cost: str | None = None
    """USD; None: unknown."""
    usage: Mapping[str, int | None] = field(default_factory=dict)


def trace_key(run: str, row: str, repeat: int = 0) -> bytes:
    """32 bytes that are the same for the same row of the same run: all ids of a trace are made of them."""
    return hashlib.sha256(f"{run}\n{repeat}\n{row}".encode("utf-8", "surrogatepass")).digest()


def trace_id(run: str, row: str, repeat: int = 0) -> str:
    """MLflow's id of the trace of a row; `run` is our id of the evaluation's, or of the grid's cell.

    It depends on nothing else, so that a trace that is delivered twice is one trace.
    """
    return f"tr-{trace_key(run, row, repeat)[:16].hex()}"


def shortened(data: Any) -> Any:
    """The same with every text cut that is longer than a page can show."""
    if isinstance(data, str):
        left = len(data) - LONGEST_TEXT
        return data if left <= 0 else f"{data[:LONGEST_TEXT]}… [{left:,} more characters]"
    if isinstance(data, Mapping):
        return {name: shortened(inner) for name, inner in data.items()}
    return [shortened(inner) for inner in data] if isinstance(data, list | tuple) else data
