"""gt.drift: how far the notebook that a person works on is from what runs."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gen_toolkit.errors import GenToolkitError, InputError, NotFound
from gen_toolkit.releases.difference import Difference, difference
from gen_toolkit.releases.overview import pipeline_named, pipeline_names
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.side import Side, side_of_notebook, side_of_release
from gen_toolkit.settings import load_settings
from gen_toolkit.surface import surface
from gen_toolkit.tracking.source import notebook_path


def drift(name: str | None = None, *, notebook: str | Path | None = None) -> Difference:
    """The notebook as it is saved, its prompts and its models, against the live release of pipeline `name`.

    Without a name: of the pipeline that was promoted from this notebook. `notebook`: by default the one that this
    is called in, outside of notebooks the one that the live release was made of. A cell that asks for nothing but
    the drift is left out. Raises InputError for a notebook that is not saved, NotFound for one that was never
    promoted, CheckFailed for one that could not be.

    >>> gt.drift("label-reviews")                                                              # doctest: +SKIP
    reviews.ipynb, saved 09:14:05 against release 4: 3 cells, prompt label-review@live: 4 → 6, model local model
    """
    path = _here() if notebook is None else Path(notebook)
    pipeline = pipeline_named(name) if name is not None else _promoted_from(path)
    live = side_of_release(pipeline)
    if surface() == "job":
        return difference(live, live)  # a job runs what is frozen: there is nothing that could have drifted
    if path is not None and not path.is_file():
        raise InputError(f"the notebook {path.name} is not saved yet", fix="Save it, then run the cell again.")
    mine = side_of_notebook(pipeline, path)
    if path is not None:
        saved = time.strftime("%H:%M:%S", time.localtime(path.stat().st_mtime))
        mine = replace(mine, title=f"{path.name}, saved {saved}")
    return difference(_unasked(live), _unasked(mine))


def _here() -> Path | None:
    """The notebook that this kernel runs."""
    path = notebook_path()
    return None if path is None else load_settings().workspace.root / path


def _promoted_from(path: Path | None) -> Pipeline:
    """The pipeline whose live release was made of this notebook."""
    if path is None:
        raise InputError("this is no notebook, so the pipeline must be named", fix='Write gt.drift("NAME").')
    root = load_settings().workspace.root
    found = [name for name in pipeline_names() if _source(pipeline_named(name), root) == path.resolve()]
    if not found:
        advice = f"Promote it: gen promote {path.name} --as NAME; or name a pipeline: gt.drift('NAME')."
        raise NotFound(f"no live release was made of {path.name}", fix=advice)
    if len(found) > 1:
        raise InputError(f"{path.name} was promoted as {', '.join(found)}", fix=f'Write gt.drift("{found[0]}").')
    return pipeline_named(found[0])


def _source(pipeline: Pipeline, root: Path) -> Path | None:
    try:
        manifest = json.loads((pipeline.release_folder() / "manifest.json").read_text(encoding="utf-8"))
        return (root / str(manifest["notebook"])).resolve()
    except (GenToolkitError, OSError, ValueError, KeyError, TypeError):
        return None  # nothing live, or damaged: `gen release verify` says so


def _unasked(side: Side) -> Side:
    code = [cell for cell in side.content["code"] if not _only_asks(cell)]
    return replace(side, content={**side.content, "code": code})


def _only_asks(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is a call of drift and nothing else."""
    try:
        body = ast.parse(cell["source"]).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func) in {"gt.drift", "gen_toolkit.drift", "drift"}
