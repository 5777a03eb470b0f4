"""Where an alias of a prompt points, and every move of it: a tag a move, so that no move overwrites another's.

MLflow moves an alias and sets a tag in two steps. The alias goes first; a move whose tag was never
written (a crash, somebody in the MLflow UI) is seen as a position that no record explains.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gen_toolkit import text
from gen_toolkit.errors import PromptError
from gen_toolkit.scope import new_id
from gen_toolkit.tracking.alone import alone
from gen_toolkit.tracking.registry import Entry, author, entry, opened

How = Literal["save", "promote", "rollback"]
# MLflow's own rule, and nothing that reads as a version (`7`, `v7`, `latest`)
_ALIAS = re.compile(r"(?!\d+$|[vV]\d+$|(?i:latest)$)[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_MOVE = "gen_toolkit.move."
_LONGEST_REASON = 2000


@dataclass(frozen=True)
class Move:
    """An alias that went from one version to another; `before` is None for its first."""

    alias: str
    before: int | None
    after: int
    how: How
    at: float
    """Seconds since 1970."""
    by: str
    why: str = ""
    gate: str = ""
    """What the gate said, of a move that had to pass one."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def check_alias(alias: str) -> None:
    if not _ALIAS.fullmatch(alias):
        raise PromptError(
            f"{alias!r} cannot be an alias: it would read as a version, or is no word",
            fix="Use letters, digits, '-' and '_': staging, live.",
        )


def move(name: str, alias: str, version: int, how: How, *, why: str = "", gate: str = "") -> Move | None:
    """Let the alias point to a version, and record that it does. Nothing where it points there already."""
    check_alias(alias)
    with opened() as mlflow, alone("prompts.lock"):
        known = entry(name)
        before = known.aliases.get(alias) if known else None
        if before == version:
            return None
        mlflow.set_prompt_alias(name, alias, version)
        reason = text.scrub(why)[:_LONGEST_REASON]
        made = Move(alias, before, version, how, time.time(), author(), reason, text.scrub(gate)[:_LONGEST_REASON])
        mlflow.set_prompt_tag(name, _MOVE + new_id(), json.dumps(made.to_json(), ensure_ascii=False))
    return made


def moves(prompt: Entry) -> list[Move]:
    """Every recorded move of the prompt's aliases, the oldest first."""
    recorded = sorted((key, value) for key, value in prompt.tags.items() if key.startswith(_MOVE))
    return [Move(**json.loads(value)) for _, value in recorded]


def positions(prompt: Entry, alias: str) -> list[int]:
    """Where the alias has pointed, the present last. A rollback takes what it left behind off the list."""
    stack: list[int] = []
    for made in (made for made in moves(prompt) if made.alias == alias):
        if made.before is not None and made.before != (stack[-1] if stack else None):
            stack.append(made.before)  # somebody else had moved it there
        if made.how == "rollback" and made.after in stack:
            del stack[len(stack) - stack[::-1].index(made.after) :]
        else:
            stack.append(made.after)
    now = prompt.aliases.get(alias)
    if now is not None and now != (stack[-1] if stack else None):
        stack.append(now)
    return stack
