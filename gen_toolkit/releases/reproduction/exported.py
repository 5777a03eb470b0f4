"""A run in one file: its release, what was given, asked, answered, shown and kept, so that it can be executed again.

The file is JSON, the same bytes for the same run. No path of a machine, no secret, no address of a model is in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gen_toolkit.errors import InputError, NotebookError, ReleaseError
from gen_toolkit.ipynb import read_notebook
from gen_toolkit.releases.promotion.leaks import refuse_leaks, texts_of_call, texts_of_notebook, texts_of_values
from gen_toolkit.releases.seal import BYTECODE
from gen_toolkit.text import one_line, scrub

_MOST = 500_000_000  # bytes of a file that is read


def _is_inside(name: str) -> str:
    parts = name.split("/")
    if not all(parts) or {".", ".."} & set(parts) or len(name) > 300 or "\\" in name or not name.isprintable():
        raise ValueError("it is no name of a file inside a release")
    return name


class Part(BaseModel):
    """A file of the release: its text, or its bytes in base64."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    text: str | None = None
    base64: str | None = None

    @classmethod
    def of(cls, content: bytes) -> Part:
        sha256 = hashlib.sha256(content).hexdigest()
        try:
            return cls(sha256=sha256, text=content.decode("utf-8"))
        except UnicodeDecodeError:
            return cls(sha256=sha256, base64=base64.b64encode(content).decode())

    @property
    def content(self) -> bytes:
        """Raises ValueError where it is not what was exported."""
        try:
            told = base64.b64decode(self.base64 or "", validate=True) if self.text is None else self.text.encode()
        except ValueError:
            told = b""
        if hashlib.sha256(told).hexdigest() != self.sha256:
            raise ValueError("it was changed")
        return told


class Exported(BaseModel):
    """What is known of a run that was executed, as far as executing it once more needs it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    run: str
    title: str
    """Pipeline and release, for people."""
    release: Annotated[dict[Annotated[str, AfterValidator(_is_inside)], Part], Field(max_length=10_000)]
    """The files of the release, or of what was tried, by relative name."""
    parameters: dict[str, Any]
    kept: dict[str, Any]
    notebook: dict[str, Any]
    """As executed, its outputs normalised."""
    calls: dict[str, dict[str, Any]]
    """By key what a cassette holds of each: `reply` or `error`."""
    models: dict[str, dict[str, Any]]
    model: str
    seed: int
    due: float
    effects: dict[str, Any] = {}
    """By key what `gt.once` gave."""
    rules: str = ""
    """The pipeline's own rules for what may differ, as its sanitize.cfg has them."""

    def to_text(self, *, personal: bool = True) -> str:
        """The file. Raises CheckFailed where it would hold a secret or, with `personal`, personal data."""
        what = f"the file of run {self.run[:13]}"
        refuse_leaks(self._texts(), personal=personal, what=what)
        files = ((f"{name} of the release", part.text or "") for name, part in self.release.items())
        refuse_leaks(files, personal=False, what=what)  # they were promoted, or are somebody's own notebook
        told = json.dumps(self.model_dump(exclude_none=True), ensure_ascii=False, indent=1, sort_keys=True)
        # halves of characters, which a model may send, stand as the escapes that JSON has
        return scrub(told.encode("utf-8", "backslashreplace").decode()) + "\n"

    def _texts(self) -> Iterator[tuple[str, str]]:
        """(place, text) of all that would leave."""
        yield from texts_of_notebook(self.notebook, "the executed notebook")
        yield from texts_of_values(self.parameters, "parameter")
        yield from texts_of_values(self.kept, "kept value")
        yield from texts_of_values(self.effects, "what gt.once gave for")
        for number, entry in enumerate(self.calls.values(), 1):
            yield f"call {number}", texts_of_call(entry)
        yield "the settings of model aliases", json.dumps(self.models, ensure_ascii=False)
        yield "the pipeline's sanitize.cfg", self.rules

    def unpack(self, folder: Path, source: str) -> None:
        """Write release and cassette into an empty folder: `release/`, `cassette.jsonl`.

        Raises ReleaseError naming the file of the release that is not what was exported.
        """
        for name, part in self.release.items():
            if BYTECODE in name.split("/"):
                continue  # of a file that was exported when it was not left out; it would be executed unseen
            path = folder / "release" / name
            try:
                content = part.content
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except (OSError, ValueError) as error:
                raise ReleaseError(
                    f"{source}: {name} of the release cannot be used: {getattr(error, 'strerror', None) or error}",
                    fix="Export the run anew; a release is never edited.",
                    file=name,
                ) from None
        lines = (json.dumps({"key": key, **entry}, sort_keys=True) + "\n" for key, entry in sorted(self.calls.items()))
        (folder / "cassette.jsonl").write_text("".join(lines), encoding="utf-8")
        (folder / "notebook.ipynb").write_text(json.dumps(self.notebook), encoding="utf-8")
        try:
            read_notebook(folder / "notebook.ipynb")
        except NotebookError:
            raise InputError(f"{source}: what it shows is no notebook", fix="Export the run anew.") from None


def read_exported(path: Path) -> Exported:
    """The run in a file of `gen runs export`. Raises InputError; files of the release are proven by `unpack`."""
    try:
        if path.stat().st_size > _MOST:
            raise ValueError(f"it is larger than {_MOST // 1_000_000} MB")
        return Exported.model_validate(json.loads(path.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"{one_line('.'.join(map(str, first['loc'])))}: {first['msg'].removeprefix('Value error, ')}"
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:
        problem = str(error)
    raise InputError(
        f"{path.name} is no run that can be executed again: {one_line(problem, 200)}",
        fix="Give the file that `gen runs export` wrote.",
        path=str(path),
    )
