"""One side of a comparison: a release, or a notebook as it would become one now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen_toolkit.errors import NotFound
from gen_toolkit.ipynb import normalised_code, read_notebook
from gen_toolkit.releases.check import checked
from gen_toolkit.releases.freeze import Frozen, environment, freeze, verify
from gen_toolkit.releases.pipeline import Pipeline

_PARTS = ("parameters", "prompts", "prompt_files", "fragments", "models", "include")


@dataclass(frozen=True)
class Side:
    """What the digest covers, and the environment beside it."""

    title: str
    content: Mapping[str, Any]
    environment: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    """The texts of included files, by name; what the digest has of them is their hash."""


def side_of_release(pipeline: Pipeline, number: int | None = None) -> Side:
    """A release, by default the live one. Raises ReleaseError where it is not what was promoted."""
    folder = pipeline.release_folder(number)
    manifest = verify(folder)
    code = normalised_code(read_notebook(folder / "notebook.ipynb"))
    content = {"code": code, **{part: manifest.get(part, {}) for part in _PARTS}}
    files = _texts({name: (folder / "include" / name).read_bytes() for name in manifest["include"]})
    return Side(f"release {manifest['release']}", content, manifest["environment"], files)


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: content.decode("utf-8", "replace") for name, content in files.items()}


def side_of_notebook(pipeline: Pipeline, path: Path | None = None) -> Side:
    """The working notebook of a pipeline, by default the one that its live release was made of.

    Raises CheckFailed where it could not be promoted as it stands, NotFound where it is gone.
    """
    settings = pipeline.settings()
    if path is None:
        path = pipeline.folder.parents[1] / verify(pipeline.release_folder())["notebook"]
        if not path.is_file():
            raise NotFound(
                f"the notebook {path} of pipeline {pipeline.name!r} is gone",
                fix="Name the notebook: gen release drift NAME --notebook FILE.",
            )
    subject = checked(path, tuple(settings.get("include", ())))
    frozen = freeze(subject, tuple(settings.get("models", ())))
    return side_of(path.name, frozen)


def side_of(title: str, frozen: Frozen) -> Side:
    """What a notebook would be frozen to, in this environment."""
    return Side(title, frozen.content, environment(), _texts(frozen.files))
