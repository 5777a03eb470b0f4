"""The server on loopback, and the alias `fast` that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openai_server import OpenAIServer

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


@pytest.fixture
def alias(workspace: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write the alias `fast`; keywords are lines of TOML."""
    monkeypatch.setenv("THE_KEY", KEY)
    monkeypatch.setattr("gen_toolkit.models.links.retry._FIRST_PAUSE", 0.01)

    def write(**lines: str) -> None:
        given = {"model": '"m"', "base_url": f'"{server.url}"', "api_key": '"env:THE_KEY"', **lines}
        toml = "\n".join(f"{name} = {value}" for name, value in given.items() if value)
        (workspace / "gen_toolkit.toml").write_text(f'model = "fast"\n[models.fast]\n{toml}\n')

    write()
    return write
