"""Freezing: the notebook with everything it runs, addressed by one digest."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from gen_toolkit.errors import FragmentError, NotebookError, PromptNotFound, ReleaseError
from gen_toolkit.ipynb import (
    code_cells,
    normalised_code,
    read_notebook,
    source,
    stripped,
    tags,
    write_notebook,
    write_text,
)
from gen_toolkit.jobs.values import as_json
from gen_toolkit.messages.request import digest
from gen_toolkit.models.gateway import pin
from gen_toolkit.prompts.fragments import fragments_of
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt
from gen_toolkit.releases.finding import Subject
from gen_toolkit.settings import load_settings
from gen_toolkit.tracking import registry

FORMAT = 1
_IF_ANY = ("prompt_files", "fragments")  # parts of the content that are left out where there is nothing


@dataclass(frozen=True)
class Frozen:
    """What a release consists of, before it has a number."""

    content: dict[str, Any]
    """What the digest covers."""
    notebook: dict[str, Any]
    include: tuple[Path, ...]
    versions: dict[str, dict[str, int]]
    """Prompts the notebook defines itself: the registry's versions by hash."""

    @property
    def digest(self) -> str:
        return digest(self.content)


def freeze(subject: Subject, extra_models: tuple[str, ...] = ()) -> Frozen:
    """Resolve prompts and aliases, read included files. Raises where one of them does not exist."""
    notebook = stripped(subject.notebook)
    references = subject.references
    files = tuple(_included(subject))
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
        "include": {_relative(subject, path): _sha256(path) for path in files},
        **{key: value for key, value in also.items() if value},
    }
    saved = references.saved | {prompt.name for prompt in prompt_files.values()}
    versions = {name: registry.versions(name) for name in sorted(saved)}
    return Frozen(content, notebook, files, {name: known for name, known in versions.items() if known})


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


def _included(subject: Subject) -> list[Path]:
    root = subject.workspace.root.resolve()
    files: list[Path] = []
    for name in subject.include:
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.exists():
            raise ReleaseError(f"include names {name!r}, which is not in the workspace", fix="Correct pipeline.toml.")
        files += [path] if path.is_file() else sorted(p for p in path.rglob("*.py") if "__pycache__" not in p.parts)
    return files


def _relative(subject: Subject, path: Path) -> str:
    return path.relative_to(subject.workspace.root.resolve()).as_posix()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_release(frozen: Frozen, folder: Path, subject: Subject, facts: dict[str, Any]) -> None:
    """Write notebook, manifest and included files into `folder`. `facts` stand beside the digest."""
    head = release_cell(facts["name"], facts["release"], frozen.digest) if facts.get("release") else None
    notebook = {**frozen.notebook, "cells": [*([head] if head else []), *frozen.notebook["cells"]]}
    write_notebook(folder / "notebook.ipynb", notebook)
    for path in frozen.include:
        target = folder / "include" / _relative(subject, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    secrets = {item.default.variable for item in subject.parameters.items if hasattr(item.default, "variable")}
    manifest = {
        "format": FORMAT,
        "digest": frozen.digest,
        **facts,
        "notebook": _relative_name(subject),
        "parameters": frozen.content["parameters"],
        "prompts": frozen.content["prompts"],
        "versions": frozen.versions,
        "models": frozen.content["models"],
        "include": frozen.content["include"],
        **{key: frozen.content[key] for key in _IF_ANY if key in frozen.content},
        "secrets": sorted((secrets - {None}) | subject.references.secrets),
        "defaults": {item.name: as_json(item.default) for item in subject.parameters.items},
        "environment": environment(),
    }
    write_text(folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", mode=0o644)
    (folder / "notebook.ipynb").chmod(0o644)


def _generated(notebook: dict[str, Any]) -> list[str]:
    """The cells that the digest leaves out: only the one that promotion wrote may be among them."""
    return [source(cell) for _, cell in code_cells(notebook) if {"release", "injected-parameters"} & set(tags(cell))]


def _head(facts: dict[str, Any], sha: str) -> str:
    return source(release_cell(facts["name"], facts["release"], sha))


def _relative_name(subject: Subject) -> str:
    path, root = subject.path.resolve(), subject.workspace.root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def release_cell(name: str, number: int, sha: str) -> dict[str, Any]:
    """The generated first cell: it finds the release, so that plain papermill and Airflow run it too."""
    code = (
        f"# Release {number} of {name}, made by `gen promote`; this cell is not part of its digest.\n"
        "from gen_toolkit.releases.enter import enter_release\n"
        f'enter_release("{name}", {number}, "{sha}")'
    )
    return {
        "cell_type": "code",
        "id": "release",
        "metadata": {"tags": ["release"]},
        "source": code.splitlines(keepends=True),
        "execution_count": None,
        "outputs": [],
    }


def environment() -> dict[str, Any]:
    """Python, platform and installed packages, by name and version."""
    packages = {d.metadata["Name"].lower(): d.version for d in distributions() if d.metadata["Name"]}
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "packages": dict(sorted(packages.items())),
    }


def verify(folder: Path, *, beside: bool = True) -> dict[str, Any]:  # noqa: ARG001 - nothing beside it is proven yet
    """The manifest of a release, after proving that nothing of it was changed. Raises ReleaseError.

    Without `beside` only of what runs: the notebook, what it includes, and the manifest.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        notebook = read_notebook(folder / "notebook.ipynb")
        content = {
            "code": normalised_code(notebook),
            **{key: manifest[key] for key in ("parameters", "prompts", "models")},
            "include": {name: _sha256(folder / "include" / name) for name in manifest["include"]},
            **{key: manifest[key] for key in _IF_ANY if key in manifest},
        }
        generated = _generated(notebook)
        expected = [_head(manifest, manifest["digest"])] if manifest["release"] else []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NotebookError) as error:
        raise ReleaseError(f"the release in {folder} cannot be read: {error}", fix="Restore it from git.") from None
    if manifest.get("format") != FORMAT:
        raise ReleaseError(f"{folder} has format {manifest.get('format')}", fix="Use a newer gen_toolkit.")
    if digest(content) != manifest["digest"] or generated != expected:
        raise ReleaseError(
            f"the release in {folder} is not what was promoted: its digest differs",
            fix="Restore it from git; a release is never edited, promote again instead.",
            folder=str(folder),
        )
    return dict(manifest)
