from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def _as_users_have_it(delivered: None) -> None:
    """MLflow is told in the background, whatever is killed, stopped or down beside it."""
