"""Real requests and replies without what is nobody's business."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal

from gen_toolkit import text
from gen_toolkit.alias import GuardRules
from gen_toolkit.models.gateway import mask
from gen_toolkit.models.guard import Rules

Private = Literal["secrets", "email", "card"]
ALL: tuple[Private, ...] = ("secrets", "email", "card")


def redacted(what: Collection[Private] = ALL) -> Callable[[Any], Any]:
    """What becomes of plain data: in every text what the workspace's aliases guard against, and `what`, is redacted.

    Secrets that this process has read always are.
    """
    rules = Rules(GuardRules.model_validate(dict.fromkeys(what, "redact")))
    guards = mask(None)

    def masked(data: Any) -> Any:
        if isinstance(data, str):
            return text.scrub(rules.applied(guards(data))[0])
        if isinstance(data, dict):
            return {name: masked(inner) for name, inner in data.items()}
        return [masked(inner) for inner in data] if isinstance(data, list) else data

    return masked
