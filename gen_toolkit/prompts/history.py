"""What happened to a prompt, and the way back: versions and moves of aliases in one line of time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gen_toolkit.errors import PromptError, PromptNotFound
from gen_toolkit.prompts.declared import check_name
from gen_toolkit.tracking import registry
from gen_toolkit.tracking.aliases import Move, check_alias, move, moves, positions


@dataclass(frozen=True)
class Happened:
    """One thing that happened: when, who, what, why. None where the registry does not say."""

    at: float | None
    """Seconds since 1970."""
    by: str | None
    what: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def find_entry(name: str) -> registry.Entry:
    """What the registry knows of a prompt. Raises PromptNotFound."""
    check_name(name)
    found = registry.entry(name)
    if found is None:
        raise PromptNotFound(
            f"there is no prompt {name!r} in the registry",
            fix="`gen prompts list` shows what is there; `gen prompts sync` saves what stands in files.",
            reference=name,
        )
    return found


def log(name: str) -> list[Happened]:
    """Versions and alias moves of a prompt, the newest first; before them, aliases that moved without a record."""
    entry = find_entry(name)
    told = [Happened(v.made_at, v.author, f"version {v.version}", v.comment) for v in registry.history(name)]
    told += [_told(made) for made in moves(entry)]
    told.sort(key=lambda happened: -(happened.at or 0.0))
    return [*_unrecorded(entry), *told]


def _unrecorded(entry: registry.Entry) -> list[Happened]:
    recorded = {made.alias: made.after for made in moves(entry)}
    differ = [alias for alias in sorted({*recorded, *entry.aliases}) if recorded.get(alias) != entry.aliases.get(alias)]
    return [
        Happened(None, None, f"{alias} → {entry.aliases.get(alias, 'nowhere')}", "moved without a record")
        for alias in differ
    ]


def _told(made: Move) -> Happened:
    came = "" if made.before is None else f"{made.before} "
    why = " · ".join(said for said in (made.why, made.gate) if said)
    return Happened(made.at, made.by, f"{made.alias} {came}→ {made.after} ({made.how})", why)


def rollback(name: str, alias: str, why: str = "") -> Move:
    """Let the alias point to where it pointed before; again, and it goes further back.

    Raises PromptError where it has pointed nowhere else. No gate stands in the way back.
    """
    check_alias(alias)
    entry = find_entry(name)
    way = positions(entry, alias)
    if len(way) < 2:
        said = f"has pointed only to {way[0]}" if way else "points nowhere"
        raise PromptError(
            f"alias {alias!r} of prompt {name!r} {said}, so there is no way back",
            fix=f"Name the version: gen prompts promote {name} VERSION {alias}",
        )
    made = move(name, alias, way[-2], "rollback", why=why)
    if made is None:
        raise PromptError(
            f"somebody else has just moved alias {alias!r} of {name!r} to {way[-2]}", fix="Look: gen prompts log."
        )
    return made
