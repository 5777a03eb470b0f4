"""The reference of a release: the execution that speaks for it, as each later one must show and keep it.

It stands beside the release, outside its digest: reference.ipynb and reference.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import NotebookError, ReleaseError
from gen_toolkit.ipynb import read_notebook, write_text
from gen_toolkit.jobs.fixed import seed_of
from gen_toolkit.jobs.once import effects_of
from gen_toolkit.releases.reproduction.compare import Brought
from gen_toolkit.releases.reproduction.outputs import with_normal_outputs
from gen_toolkit.releases.reproduction.sanitize import rules_for
from gen_toolkit.text import scrub

NOTEBOOK, FACTS, CASSETTE = "reference.ipynb", "reference.json", "cassette.jsonl"


@dataclass(frozen=True)
class Reference:
    """What an execution was given, and what it brought."""

    parameters: Mapping[str, Any]
    brought: Brought
    seed: int | None
    """What `gt.seed()` gave in it; None: not known."""
    due: float | None
    """What `gt.due()` gave in it, in seconds since 1970; None: not known."""
    effects: Mapping[str, Any] = field(default_factory=dict)
    """What `gt.once` gave in it, by key."""


def write_reference(
    folder: Path,
    executed: Path,
    parameters: Mapping[str, Any],
    kept: Mapping[str, Any],
    *,
    owner: str | None = None,
    due: float | None = None,
) -> None:
    """Write the reference into the folder of a release.

    `executed` is the executed notebook, `parameters` what was given to it, as JSON has it. `owner` is the run or
    session that it was executed in, by default the run that the notebook itself names; `due` when it was meant to
    run, in seconds since 1970. Raises NotebookError.
    """
    notebook = read_notebook(executed)
    rules = rules_for()
    owner = owner or notebook.get("metadata", {}).get("gen_toolkit", {}).get("run")
    facts = {
        "parameters": dict(parameters),
        "kept": dict(kept),
        "seed": None if owner is None else seed_of(owner),
        "due": due,
        "effects": {} if owner is None else effects_of(open_database(), owner),
    }
    told = json.dumps(with_normal_outputs(notebook, rules), ensure_ascii=False, indent=1, sort_keys=True)
    write_text(folder / NOTEBOOK, scrub(told) + "\n", mode=0o644)
    told = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
    write_text(folder / FACTS, rules.without_places(told) + "\n", mode=0o644)


def without(folder: Path) -> str:
    """What a release lacks to be tested, in words; "" where it has all."""
    words = {NOTEBOOK: "no reference", FACTS: "no reference", CASSETTE: "no recorded calls"}
    lacks = dict.fromkeys(word for name, word in words.items() if not (folder / name).is_file())
    return f"release {folder.name} has {' and '.join(lacks)} beside it: promote anew to test it" if lacks else ""


def read_reference(folder: Path) -> Reference:
    """The reference of a release. Raises ReleaseError."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        notebook = read_notebook(folder / NOTEBOOK)
        brought = Brought(notebook, dict(facts["kept"]))
        parameters, effects = dict(facts["parameters"]), dict(facts.get("effects", {}))
        return Reference(parameters, brought, facts.get("seed"), facts.get("due"), effects)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NotebookError) as error:
        raise ReleaseError(
            f"the reference of the release in {folder} cannot be read: {error}", fix="Restore it from git."
        ) from None
