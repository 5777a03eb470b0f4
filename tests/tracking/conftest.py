from __future__ import annotations

import pytest
from mlflow_store import store

__all__ = ["store"]


@pytest.fixture(autouse=True)
def _as_users_have_it(delivered: None) -> None:
    """MLflow is told in the background."""
