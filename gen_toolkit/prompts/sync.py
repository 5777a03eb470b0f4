"""Bringing the prompt files of the workspace to the registry: text first, so that what is there makes no version."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from gen_toolkit.prompts.collect import Filed, collect
from gen_toolkit.prompts.registry import changed_about, describe, save_prompt
from gen_toolkit.tracking import registry

State = Literal["new", "changed", "described", "same"]


@dataclass(frozen=True)
class Synced:
    """A file, and how it stands to the registry: before the sync, or before what would be one."""

    name: str
    path: str
    state: State
    version: int | None
    """The version that has the file's text; None where there is none yet."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sync(comment: str = "", *, check: bool = False) -> list[Synced]:
    """Save every prompt file that the registry does not have; with `check` only say which.

    Every file is read before the first is saved: one that is wrong stops all. Raises PromptError, TrackingError.
    """
    return [_compared(filed) if check else _saved(filed, comment) for filed in collect().values()]


def _saved(filed: Filed, comment: str) -> Synced:
    found = _compared(filed)
    if found.state in ("new", "changed"):
        saved = save_prompt(filed.prompt, comment or f"from {filed.path}", None)
        found = replace(found, version=saved.version)
    if found.state != "same":
        describe(filed.prompt)
    return found


def _compared(filed: Filed) -> Synced:
    prompt = filed.prompt
    entry = registry.entry(prompt.name)
    version = registry.versions(prompt.name).get(prompt.hash) if entry else None
    state: State = "same"
    if version is None:
        state = "changed" if entry else "new"
    elif changed_about(prompt, entry):
        state = "described"
    return Synced(prompt.name, filed.path, state, version)
