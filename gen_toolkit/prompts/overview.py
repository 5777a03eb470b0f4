"""What one looks at: all prompts with their files, one version with everything it is, two versions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gen_toolkit.errors import PromptNotFound, nearest
from gen_toolkit.messages.request import digest
from gen_toolkit.prompts.collect import Filed, collect
from gen_toolkit.prompts.diff import Change, diff
from gen_toolkit.prompts.history import find_entry
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import find_version, parse_reference
from gen_toolkit.tracking import registry

FILE = "file"
"""Instead of a version: the text of the prompt's file."""


@dataclass(frozen=True)
class Line:
    """A prompt in the list."""

    name: str
    newest: int | None
    aliases: Mapping[str, int]
    file: str
    """Its file, and which version that is; "" where it has none."""
    owner: str
    description: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def overview() -> list[Line]:
    """Every prompt of the registry and of the workspace's files, by name."""
    files, known = collect(), {entry.name: entry for entry in registry.entries()}
    return [_line(name, known.get(name), files.get(name)) for name in sorted({*files, *known})]


def _line(name: str, entry: registry.Entry | None, filed: Filed | None) -> Line:
    entry = entry or registry.Entry(name)
    file, owner, description = "", entry.owner, entry.description
    if filed is not None:
        version = registry.versions(name).get(filed.prompt.hash) if entry.newest else None
        file = f"{filed.path} ({'not synced' if version is None else f'version {version}'})"
        owner, description = filed.prompt.owner, filed.prompt.description
    return Line(name, entry.newest, entry.aliases, file, owner, description)


def details(reference: str) -> dict[str, Any]:
    """A version (by default the newest) with everything that is known of it, as plain data."""
    name = reference.partition("@")[0]
    entry = find_entry(name)
    version = find_version(*parse_reference(reference if "@" in reference else f"{name}@{entry.newest}"))
    name = version.name
    content = version.content
    return {
        "name": f"{name}@{version.version}",
        "description": entry.description,
        "owner": entry.owner,
        "aliases": {alias: number for alias, number in entry.aliases.items() if number == version.version},
        "comment": version.comment,
        "author": version.author,
        "made_at": version.made_at,
        "hash": version.hash,
        "variables": content.get("types", {}) or sorted(Prompt.from_content(name, content).variables),
        **{key: content.get(key) for key in ("untrusted", "output", "options", "defaults")},
        "messages": content["messages"],
        "fragments": {n: {"hash": digest(text), "text": text} for n, text in content.get("fragments", {}).items()},
    }


def compare(name: str, old: str, new: str) -> list[Change]:
    """What differs between two versions; each a number, an alias, or `file`."""
    return diff(_content(name, old), _content(name, new))


def _content(name: str, which: str) -> dict[str, Any]:
    if which != FILE:
        return find_version(name, which).content
    files = collect()
    if name not in files:
        raise PromptNotFound(
            f"no file of the workspace holds a prompt {name!r}", fix=nearest(name, files), reference=name
        )
    return files[name].prompt.content()
