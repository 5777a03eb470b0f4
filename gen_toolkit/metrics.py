"""What can be a metric: MLflow's are floats."""

from __future__ import annotations

from typing import Any


def as_metric(value: Any) -> float | None:
    """A kept value as MLflow takes it for a metric; None: it is no number, or one beyond every float."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
