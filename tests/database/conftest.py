from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _as_users_have_it(migrated: None) -> None:
    """The migrations are what is tested here."""
