"""An evaluation described in a TOML file: read, checked key by key, and made into what `gt.evaluate` takes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gen_toolkit import text
from gen_toolkit.errors import InputError, nearest
from gen_toolkit.evals.choice import Choose
from gen_toolkit.evals.eval_file_scorers import scorer_of
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt

_ADVICE = "docs/eval-files.md shows every key."
_PROMPT_FILE = ".prompt.md"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Rows(_Table):
    """`[dataset]`: where the rows are, and which of them."""

    source: str
    id: str | None = None
    name: str | None = None
    digest: str | None = None
    first: int | None = Field(None, ge=1)
    sample: int | None = Field(None, ge=1)
    seed: int = 0


class _Choice(_Table):
    threshold: float


class _File(_Table):
    """The whole file."""

    name: str | None = None
    prompts: list[str] = Field(min_length=1)
    dataset: str | _Rows
    models: list[str] = []
    options: list[dict[str, Any]] = []
    method: Literal["generate", "choose"] | _Choice = "generate"
    scorers: list[dict[str, Any]] = Field(min_length=1)
    repeats: int = Field(1, ge=1)
    baseline: str | None = None
    detect: float | None = None
    group: str | None = None
    budget: str | None = None
    calls: Literal["live", "reuse", "replay"] | None = None
    cassette: str | None = None
    traces: int | Literal["all"] = 20


@dataclass(frozen=True)
class EvalFile:
    """One file, read."""

    path: Path
    cassette: str | None
    """Relative to the workspace; with `calls = "replay"` all answers come from it."""
    _told: _File

    def asked(self) -> dict[str, Any]:
        """The arguments of `gt.evaluate`. Raises InputError, or one of its kinds, for what is not there."""
        told = self._told
        return {
            "subject": _single([_prompt(reference, self.path, "prompts") for reference in told.prompts]),
            "rows": _rows(told.dataset),
            "scorer": [scorer_of(table, number, self.path) for number, table in enumerate(told.scorers)],
            "model": _single(told.models) if told.models else None,
            "options": _single(told.options) if told.options else None,
            "method": Choose(told.method.threshold) if isinstance(told.method, _Choice) else told.method,
            "repeats": told.repeats,
            "baseline": None if told.baseline is None else _baseline(told.baseline, self.path),
            "detect": told.detect,
            "group": told.group,
            "budget": told.budget,
            "calls": told.calls,
            "traces": told.traces,
            "name": told.name or self.path.stem,
        }


def read_eval_file(path: Path) -> EvalFile:
    """Raises InputError that names the file and the key, and the nearest key that there is."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix=_ADVICE, path=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {text.one_line(error, 120)}", fix=_ADVICE, path=str(path)) from None
    try:
        told = _File.model_validate(data)
    except ValidationError as error:
        _refuse(path, error)
    return EvalFile(path, told.cassette, told)


def _refuse(path: Path, error: ValidationError) -> NoReturn:
    """The first thing that is wrong, keys that nobody knows before all else: they explain what is missing."""
    found = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")[0]
    # pydantic names the alternatives of a value, too (`dataset._Rows.source`): no key is called so
    key = ".".join(str(part) for part in found["loc"] if not _is_alternative(str(part)))
    where = f"{path}: key {key!r}"
    if found["type"] == "extra_forbidden":
        known = _known(found["loc"])
        fix = nearest(str(found["loc"][-1]), known) or f"There are: {', '.join(known)}."
        raise InputError(f"{where} is not known", fix=fix, path=str(path), key=key)
    if found["type"] == "missing":
        raise InputError(f"{where} is missing", fix=_ADVICE, path=str(path), key=key)
    held = text.one_line(repr(found["input"]), 60)
    said = text.one_line(found["msg"][:1].lower() + found["msg"][1:], 120)
    raise InputError(f"{where} holds {held}: {said}", fix=_ADVICE, path=str(path), key=key)


def _is_alternative(part: str) -> bool:
    return part in {"str", "int", "_Rows", "_Choice"} or part.startswith(("literal[", "function-"))


def _known(place: tuple[Any, ...]) -> list[str]:
    tables: Mapping[str, type[BaseModel]] = {"dataset": _Rows, "method": _Choice}
    return list((tables.get(str(place[0]), _File) if len(place) > 1 else _File).model_fields)


def _prompt(reference: str, path: Path, key: str) -> Prompt:
    if reference.endswith(_PROMPT_FILE):
        return Prompt.from_file(reference)
    if "@" not in reference:
        raise InputError(
            f"{path}: {key} holds {reference!r}, which names no version and no file",
            fix=f"Write NAME@4, NAME@staging, or the path of a file *{_PROMPT_FILE}.",
            path=str(path),
            key=key,
        )
    return load_prompt(reference)


def _baseline(reference: str, path: Path) -> str | Prompt:
    """A reference stays one: it may not exist yet."""
    is_reference = "@" in reference and not reference.endswith(_PROMPT_FILE)
    return reference if is_reference else _prompt(reference, path, "baseline")


def _rows(told: str | _Rows) -> Any:
    from gen_toolkit.datasets.read import dataset

    if isinstance(told, str):
        return dataset(told)
    rows = dataset(told.source, id=told.id, name=told.name, digest=told.digest)
    if told.sample is not None:
        rows = rows.sample(told.sample, seed=told.seed)
    return rows if told.first is None else rows[: told.first]


def _single(many: Iterable[Any]) -> Any:
    """One alone gives a result, several give a grid."""
    found = list(many)
    return found[0] if len(found) == 1 else found
