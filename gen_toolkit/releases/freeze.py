"""Freezing: the notebook with everything it runs, addressed by one digest."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gen_toolkit.errors import FragmentError, PromptNotFound
from gen_toolkit.ipynb import normalised_code, stripped, write_notebook
from gen_toolkit.jobs.values import as_json
from gen_toolkit.messages.request import digest
from gen_toolkit.models.gateway import pin
from gen_toolkit.prompts.fragments import fragments_of
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt
from gen_toolkit.releases.environment import environment as environment
from gen_toolkit.releases.finding import Subject
from gen_toolkit.releases.head import release_cell
from gen_toolkit.releases.seal import IF_ANY, INCLUDE, NOTEBOOK, seal
from gen_toolkit.releases.seal import verify as verify
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking import registry


@dataclass(frozen=True)
class Frozen:
    """What a release consists of, before it has a number."""

    content: dict[str, Any]
    """What the digest covers."""
    notebook: dict[str, Any]
    files: Mapping[str, bytes]
    """Included files by their path in the workspace."""
    versions: dict[str, dict[str, int]]
    """Prompts the notebook defines itself: the registry's versions by hash."""

    @property
    def digest(self) -> str:
        return digest(self.content)


def freeze(subject: Subject, extra_models: tuple[str, ...] = ()) -> Frozen:
    """Resolve prompts and aliases. Raises where one of them does not exist."""
    notebook = stripped(subject.notebook)
    references = subject.references
    prompt_files = {path: Prompt.from_file(path) for path in sorted(references.prompt_files)}
    also = {
        "prompt_files": {path: {"name": p.name, "content": p.content()} for path, p in prompt_files.items()},
        "fragments": _fragments(sorted(references.fragments)),
    }
    content = {
        "code": normalised_code(notebook),
        "parameters": subject.parameters.json_schema(),
        "prompts": {reference: _prompt(reference) for reference in sorted(references.prompts)},
        "models": {name: pin(name) for name in _with_fallbacks(_aliases(subject) | set(extra_models))},
        "include": {name: sha256(content).hexdigest() for name, content in subject.files.items()},
        **{key: value for key, value in also.items() if value},
    }
    saved = references.saved | {prompt.name for prompt in prompt_files.values()}
    versions = {name: registry.versions(name) for name in sorted(saved)}
    return Frozen(content, notebook, subject.files, {name: known for name, known in versions.items() if known})


def _prompt(reference: str) -> dict[str, Any]:
    try:
        prompt = load_prompt(reference)
    except PromptNotFound:
        return {"absent": True}  # a baseline that does not exist yet stays absent in the job
    return {"version": prompt.version, "content": prompt.content(), "hash": prompt.hash}


def _fragments(names: list[str]) -> dict[str, str]:
    """The texts of fragments that strings of the notebook include; a string may also only look as if it did."""
    found: dict[str, str] = {}
    for name in names:
        with contextlib.suppress(FragmentError):
            found |= fragments_of([f'{{% include "{name}" %}}'])
    return found


def _aliases(subject: Subject) -> set[str]:
    """Aliases named by literals and by the defaults of parameters that are given as a model."""
    found = set(subject.references.models)
    for item in subject.parameters.items:
        if item.name in subject.references.model_parameters:
            found |= aliases_in(item.default)
    if subject.references.default_model:
        found.add(load_settings().settings.model)
    return found


def _with_fallbacks(names: set[str]) -> list[str]:
    """Whoever may answer is pinned, also those who only stand in."""
    settings = load_settings().settings
    return sorted(names | {other for name in names for other, _ in settings.fallbacks(name)})


def aliases_in(value: Any) -> set[str]:
    """The aliases that a parameter's value names: one, several, or with None the workspace's own."""
    if isinstance(value, list):
        return {name for item in value for name in aliases_in(item)}
    named = value.value if isinstance(value, enum.Enum) else value
    return {load_settings().settings.model if named is None else str(named)}


def write_release(frozen: Frozen, folder: Path, subject: Subject, facts: dict[str, Any]) -> None:
    """Write notebook, included files and manifest into `folder`. `facts` stand beside the digest.

    The manifest comes last, and holds the hash of every file that lies in the folder by then.
    """
    head = release_cell(facts["name"], facts["release"], frozen.digest) if facts.get("release") else None
    notebook = {**frozen.notebook, "cells": [*([head] if head else []), *frozen.notebook["cells"]]}
    write_notebook(folder / NOTEBOOK, notebook)
    for name, content in frozen.files.items():
        target = folder / INCLUDE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    secrets = {item.default.variable for item in subject.parameters.items if hasattr(item.default, "variable")}
    manifest = {
        "digest": frozen.digest,
        **facts,
        "notebook": name_of(subject),
        "parameters": frozen.content["parameters"],
        "prompts": frozen.content["prompts"],
        "versions": frozen.versions,
        "models": frozen.content["models"],
        "include": frozen.content["include"],
        **{key: frozen.content[key] for key in IF_ANY if key in frozen.content},
        "secrets": sorted((secrets - {None}) | subject.references.secrets),
        "defaults": {item.name: as_json(item.default) for item in subject.parameters.items},
        "environment": environment(),
    }
    seal(folder, manifest)


def name_of(subject: Subject) -> str:
    """The notebook's path in its workspace."""
    path, root = subject.path.resolve(), subject.workspace.root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
