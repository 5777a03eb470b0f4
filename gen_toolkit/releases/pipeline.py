"""A pipeline: a folder of releases under one name, and the operator's file beside them."""

from __future__ import annotations

import contextlib
import errno
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_toolkit.alerts.declared import read_channels
from gen_toolkit.amount import Amount
from gen_toolkit.errors import InputError, NotFound, ReleaseError, SettingError, nearest
from gen_toolkit.ipynb import write_text
from gen_toolkit.releases.files import reading, stay_inside, writing
from gen_toolkit.releases.moves import Kind, Live, live_of, recorded
from gen_toolkit.releases.one_at_a_time import one_at_a_time
from gen_toolkit.releases.promotion.gates import read_gates
from gen_toolkit.settings import load_settings
from gen_toolkit.workspace import Workspace

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_KEYS = {
    "live": "a whole number",
    "include": "a list of texts",
    "models": "a list of texts",
    "warm": "a list of texts",
    "timeout_s": "a number",
    "cell_timeout_s": "a number",
    "silence_timeout_s": "a number",
    "memory_mb": "a number",
    "output_mb": "a number",
    "budget": 'an amount like "5 USD"',
    "retries": "a table",
    "schedule": "a table",
    "alerts": "a table",
    "gates": "a table",
    "environment": '"refuse" or "warn"',
    "personal_data": '"refused" or "allowed"',
}


@dataclass(frozen=True)
class Pipeline:
    """`pipelines/NAME`: `pipeline.toml` and `releases/N/`."""

    name: str
    folder: Path

    @property
    def releases(self) -> Path:
        return self.folder / "releases"

    @property
    def file(self) -> Path:
        return self.folder / "pipeline.toml"

    def settings(self) -> dict[str, Any]:
        """The operator's file. Raises SettingError naming what is wrong in it."""
        try:
            data = tomllib.loads(self._text())
        except (OSError, ValueError, RecursionError) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise SettingError(f"{self.file} cannot be read: {said}", fix="Correct the file.") from None
        for key in data.keys() - _KEYS.keys():
            raise SettingError(
                f"{self.file}: {key!r} is not known",
                fix=nearest(key, _KEYS) or f"Known: {', '.join(sorted(_KEYS))}.",
            )
        for key, value in data.items():
            if not _fits(_KEYS[key], value):
                raise SettingError(f"{self.file}: {key} is {value!r}", fix=f"It must be {_KEYS[key]}.")
        read_gates(data.get("gates"), str(self.file))
        if "alerts" in data:  # refused now, and not when there is something to tell
            read_channels(data["alerts"], str(self.file), load_settings().settings.alerts)
        return data

    @property
    def standing(self) -> Live:
        """Which release is live, and who says so. Raises SettingError, and DatabaseError where nobody can tell."""
        return live_of(self.name, self.settings().get("live"))

    @property
    def live(self) -> int | None:
        return self.standing.number

    def numbers(self) -> list[int]:
        """Of what stands in `releases/`, damaged or not."""
        with reading(self.releases):
            if not self.releases.is_dir():
                return []
            return sorted(int(path.name) for path in self.releases.iterdir() if _NUMBER.fullmatch(path.name))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, no other process changes this pipeline. Raises SetupError where that cannot be had."""
        workspace = Workspace(self.folder.parents[1], None)
        with writing(workspace.records):
            locks = workspace.prepare() / "locks"
            locks.mkdir(exist_ok=True)
        with one_at_a_time(locks / f"{self.name}.lock", f"pipeline {self.name!r}"):
            yield

    def set_live(self, number: int, kind: Kind = "promote", reason: str = "") -> Live:
        """Have the file say which release is live, and the ledger since when, by whom and why; returns what was."""
        with self.alone():
            before = self.standing
            if not before.number == before.said == number:
                with recorded(self.name, kind, before, number, reason):
                    self.edit(lambda document: document.update(live=number))
        return before

    def edit(self, change: Callable[[TOMLDocument], object]) -> None:
        """Have `change` edit the file: whole or not at all, and what it does not touch stays as it is."""
        import tomlkit

        with self.alone(), writing(self.file):
            self.settings()  # refused by name where it cannot be read
            before = self._text()
            document = tomlkit.parse(before)
            change(document)
            after = tomlkit.dumps(document)
            if after == before:
                return
            for left in self.folder.glob(f".{self.file.name}.????????"):  # by one that was killed half way
                left.unlink()
            write_text(self.file, after, mode=0o644)

    def release_folder(self, number: int | None = None) -> Path:
        """The folder of a release, by default of the live one. Raises NotFound or ReleaseError."""
        wanted = self.live if number is None else number
        if wanted is None:
            raise ReleaseError(
                f"pipeline {self.name!r} has no live release",
                fix=f"Run: gen promote NOTEBOOK --as {self.name}",
            )
        folder = self.releases / str(wanted)
        stay_inside(self.folder.parents[1], folder)
        with reading(folder):
            is_there = (folder / "manifest.json").is_file()
        if not is_there:
            raise NotFound(
                f"pipeline {self.name!r} has no release {wanted}",
                fix=f"It has: {', '.join(map(str, self.numbers())) or 'none'}.",
            )
        return folder

    def _text(self) -> str:
        """What the file says, byte for byte; "" where there is none."""
        if not self.file.is_symlink() and not self.file.exists():
            return ""
        if not self.file.is_file():  # a pipe would never end
            raise OSError(errno.EINVAL, "it is no file")
        return self.file.read_bytes().decode("utf-8")


def _fits(wanted: str, value: Any) -> bool:
    if wanted == _KEYS["budget"]:
        try:
            return isinstance(value, str) and bool(Amount.of(value))
        except InputError:
            return False
    if wanted.startswith('"'):
        return isinstance(value, str) and f'"{value}"' in wanted.split(" or ")
    if wanted == "a table":
        return isinstance(value, dict)
    if wanted == "a list of texts":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if wanted == "a whole number":
        return isinstance(value, int) and not isinstance(value, bool) and bool(_NUMBER.fullmatch(str(value)))
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def pipeline_of(workspace: Workspace, name: str, *, must_exist: bool = True) -> Pipeline:
    """The pipeline of that name. Raises ReleaseError for a name that is no safe slug, NotFound."""
    if not _NAME.fullmatch(name):
        raise ReleaseError(
            f"{name!r} cannot be a pipeline's name",
            fix="Use lower-case letters, digits, '-' and '_', at most 63.",
        )
    found = Pipeline(name, workspace.pipelines / name)
    stay_inside(workspace.root, found.file, found.releases)
    with reading(found.releases):
        is_there = found.releases.is_dir()
    if must_exist and not is_there:
        known = sorted(p.parent.name for p in workspace.pipelines.glob("*/releases"))
        raise NotFound(
            f"there is no pipeline {name!r}; there are: {', '.join(known) or 'none'}",
            fix=nearest(name, known) or f"Make it: gen promote NOTEBOOK --as {name}",
        )
    return found
