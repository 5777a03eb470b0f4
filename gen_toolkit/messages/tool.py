"""Tools a model may ask for: what it is told of them, and what it asked. They are never run here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tool:
    """A function as a model sees it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments: an object."""

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}


@dataclass(frozen=True)
class ToolCall:
    """What a model wants called. `arguments` is None where what it wrote is no JSON object: see `written`."""

    id: str
    name: str
    written: str
    """The arguments as the model wrote them."""

    @property
    def arguments(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self.written or "{}")
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def to_json(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name, "written": self.written}
