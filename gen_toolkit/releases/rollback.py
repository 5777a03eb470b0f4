"""gen release rollback: what was live before is live again, and nothing of any release is touched."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gen_toolkit.errors import ReleaseError
from gen_toolkit.releases.freeze import verify
from gen_toolkit.releases.moves import Live, Move, moves_of, recorded
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.settings import load_settings


@dataclass(frozen=True)
class RolledBack:
    """What is live now, and what was."""

    pipeline: str
    was: int | None
    live: int
    moved: bool
    """False: it was live already."""
    override: str
    """Why the ledger says so and pipeline.toml does not; "" where that does."""

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def rollback(name: str, to: int | None = None, reason: str = "") -> RolledBack:
    """Make another release live: `to`, by default the one that was live before this one.

    It is proven to be what was promoted first. Where pipeline.toml is not to be changed, because its folder is
    read-only or no checkout, the ledger says which one is live, as long as the file says what it says now.
    Raises ReleaseError, NotFound, and DatabaseError where the move cannot be put on record: then nothing moved.
    """
    pipeline = pipeline_of(load_settings().workspace, name)
    instead = why_not_in_the_file(pipeline)
    with contextlib.nullcontext() if instead else pipeline.alone():
        before = pipeline.standing
        number = before_the_live_one(pipeline, before) if to is None else to
        verify(pipeline.release_folder(number))
        if before.number == number and (instead or before.said == number):
            return RolledBack(name, number, number, False, instead if before.override else "")
        if instead:
            with recorded(name, "override", before, number, reason):
                pass
        else:
            pipeline.set_live(number, "rollback", reason)
    return RolledBack(name, before.number, number, True, "" if before.said == number else instead)


def why_not_in_the_file(pipeline: Pipeline) -> str:
    """Why a change of pipeline.toml is no way to go back here; "" where it is."""
    for path in (pipeline.folder, pipeline.file):
        if path.exists() and not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return f"{path} is read-only"
    root = pipeline.folder.resolve()
    if not any((folder / ".git").exists() for folder in root.parents):
        return f"{pipeline.folder.parents[1]} is no git checkout"
    return ""


def before_the_live_one(pipeline: Pipeline, live: Live) -> int:
    """The release that was live before. Raises ReleaseError where there is none, or none is known."""
    if live.number is None:
        raise ReleaseError(f"pipeline {pipeline.name!r} has no live release", fix="Name one: --to N.")
    stack = stack_of(moves_of(pipeline.name), live.number)
    found = stack[-2] if len(stack) > 1 else _replaced(pipeline, live.number)
    if found is None:
        others = [str(number) for number in pipeline.numbers() if number != live.number]
        raise ReleaseError(
            f"nothing is known to have been live before release {live.number} of {pipeline.name!r}",
            fix=f"Name the release: --to N; there are: {', '.join(others)}." if others else "It is the only release.",
        )
    return found


def stack_of(moves: Sequence[Move], live: int) -> list[int]:
    """What was live before what, the live one last: promotion puts on top, going back takes off.

    So going back twice goes back by two, and what was gone back from is not gone back to. What somebody did to
    the file by hand shows in the next move, or in what is live now.
    """
    stack: list[int] = []
    for move in moves:
        if move.was is not None:
            _to(stack, move.was)
        if move.kind == "promote" and stack[-1:] != [move.live]:
            stack.append(move.live)
        else:
            _to(stack, move.live)
    _to(stack, live)
    return stack


def _to(stack: list[int], number: int) -> None:
    """Back to the newest place of `number`; else on top of what is older, where the record begins later."""
    is_there = number in stack
    while stack and (stack[-1] != number if is_there else stack[-1] > number):
        stack.pop()
    if not is_there:
        stack.append(number)


def _replaced(pipeline: Pipeline, number: int) -> int | None:
    """What was live when a release was promoted: the release itself knows, wherever it was copied to."""
    try:
        facts = json.loads((pipeline.releases / str(number) / "manifest.json").read_text(encoding="utf-8"))
        found = facts["replaces"]
    except (OSError, ValueError, KeyError, TypeError):  # damaged: a reason to go back, and no reason not to
        return None
    return found if found in pipeline.numbers() and found != number else None
