"""A model on loopback, and an MLflow store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mlflow_store import store
from openai_server import OpenAIServer

__all__ = ["server", "store"]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    served = OpenAIServer()
    yield served
    served.close()
