"""Calls put into the journal as they would stand there after some time."""

from __future__ import annotations

import json
import time
from typing import Any

from gen_toolkit import scope
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.tables import calls
from gen_toolkit.process import this_process

DAY = 86400.0
REPLY = {"text": "positive", "finish_reason": "stop", "usage": {}, "cost": None, "seconds": 0.5}
ERROR = {"code": "model-overloaded", "message": "not now", "fix": "Wait.", "partial": "posi", "text": "posi"}


def row(*, days: float = 0.0, **values: Any) -> dict[str, Any]:
    """A call that was answered `days` ago; None for a body means none."""
    asked = time.time() - days * DAY
    made = {
        "id": scope.new_id(), "key": "k" * 64, "cassette_key": "c" * 64, "request_hash": "a" * 64,
        "run": "run-1", "owner": None, "row": None, "alias": "fast", "model": "m", "prompt": "label@1",
        "request": [{"role": "user", "content": "a good film"}], "state": "answered", "reply": REPLY, "error": None,
        "attempts": 1, "unanswered": 0, "input_tokens": 10, "output_tokens": 2, "cost": 3_000_000_000,
        "process": this_process(), "instead_of": None, "pruned_at": None,
        "asked_at": asked, "answered_at": asked + 0.5,
    }  # fmt: skip
    made |= values
    return {n: json.dumps(v) if n in {"request", "reply", "error"} and v is not None else v for n, v in made.items()}


def failed(**values: Any) -> dict[str, Any]:
    return row(**{"state": "failed", "reply": None, "error": ERROR, "cost": None, **values})


def asked(**values: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("reply", "input_tokens", "output_tokens", "cost", "answered_at"))
    return row(**{"state": "asked", "attempts": 0, **nothing, **values})


def insert(*rows: dict[str, Any]) -> list[str]:
    """Put them in; their ids."""
    with open_database().write() as connection:
        connection.execute(calls.insert(), list(rows))
    return [each["id"] for each in rows]


def stored() -> dict[str, Any]:
    """All calls by id."""
    with open_database().read() as connection:
        return {found.id: found for found in connection.execute(calls.select())}
