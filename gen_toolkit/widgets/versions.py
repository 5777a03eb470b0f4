"""What the registry holds of a prompt that is being tried."""

from __future__ import annotations

from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt
from gen_toolkit.tracking import registry


def newest_version(name: str) -> Prompt | None:
    """The newest saved version, or nothing where none was saved. Raises TrackingError."""
    known = registry.entry(name)
    return None if known is None or known.newest is None else load_prompt(f"{name}@{known.newest}")
