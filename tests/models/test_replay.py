"""In replay nothing leaves the process: not a request, not even a connection."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from openai_server import OpenAIServer

import gen_toolkit as gt

ROWS = [{"text": f"review {number}", "label": "hello"} for number in range(12)]
PROMPT = gt.Prompt("greet", user="{{ text }}")


def evaluated() -> Any:
    return gt.evaluate(PROMPT, ROWS, model="fast", scorer=gt.scorers.exact("label"))


def test_a_second_evaluation_makes_no_call_and_a_replayed_one_no_connection(
    server: OpenAIServer, alias: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluated()
    assert len(server.seen) == first.calls == 12
    second = evaluated()
    assert (len(server.seen), second.calls) == (12, 0)

    tried: list[Any] = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        tried.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.setenv("GEN_TOOLKIT_CALLS", "replay")
    monkeypatch.delenv("THE_KEY")  # nor is a key needed
    replayed = evaluated()
    assert replayed.to_json() == second.to_json() == first.to_json()
    assert tried == []
    assert len(server.seen) == 12
