"""What a run may take: time, memory, output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

MOST_OUTPUT_MB = 50
"""Where nothing else is said: a notebook beyond this size opens nowhere."""


@dataclass(frozen=True)
class Limits:
    """None: no limit. Seconds, and MB of a million bytes."""

    timeout: float | None = None
    """Of the whole run."""
    cell_timeout: float | None = None
    """Of each cell."""
    silence_timeout: float | None = None
    """Without any output of the cell that runs."""
    memory_mb: float | None = None
    """Of all processes of the run together."""
    output_mb: float = MOST_OUTPUT_MB
    """Of all cells together: what comes after that is not collected, and the notebook says so."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """As a pipeline.toml names them."""
        return cls(
            timeout=settings.get("timeout_s"),
            cell_timeout=settings.get("cell_timeout_s"),
            silence_timeout=settings.get("silence_timeout_s"),
            memory_mb=settings.get("memory_mb"),
            output_mb=settings.get("output_mb", MOST_OUTPUT_MB),
        )

    def but(self, **given: float | None) -> Self:
        """With these instead, where they are given."""
        return replace(self, **{name: value for name, value in given.items() if value is not None})


UNLIMITED = Limits()
"""As far as nobody says otherwise."""
