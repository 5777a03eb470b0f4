"""Rules for what may differ between two executions, in nbval's form: the toolkit's own, and a pipeline's."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gen_toolkit.errors import ReleaseError
from gen_toolkit.text import scrub
from gen_toolkit.workspace import find_workspace

FILE = "sanitize.cfg"
_OWN = Path(__file__).with_name(FILE)
_RULE = re.compile(r"^regex: (.*)$\n^replace: ?(.*)$", re.MULTILINE)  # as nbval reads it


@dataclass(frozen=True)
class Rules:
    """What takes the place of what, in this order."""

    rules: tuple[tuple[re.Pattern[str], str], ...]
    places: tuple[tuple[str, str], ...] = ()
    """Folders of this machine, and what they are called instead."""

    def applied(self, text: str) -> str:
        """The text as it is the same each time; secrets are masked."""
        text = self._placed(scrub(text))
        for pattern, replacement in self.rules:
            text = pattern.sub(replacement, text)
        return text

    def without_places(self, text: str) -> str:
        """The text as it may leave this machine."""
        return self._placed(scrub(text))

    def _placed(self, text: str) -> str:
        if self._places is not None:
            text = self._places.sub(lambda match: self._names[match[0]], text)
        return text

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(self.places)

    @cached_property
    def _places(self) -> re.Pattern[str] | None:
        longest_first = sorted(self._names, key=len, reverse=True)
        # whole names of folders only: /home/a is no part of /home/anna
        return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))})(?![\\w.-])") if self._names else None


def rules_for(pipeline: Path | None = None, workspaces: Iterable[Path] = ()) -> Rules:
    """The toolkit's own rules, and those of the pipeline in that folder, where it has some.

    `workspaces` are the folders that are called `[workspace]`; without any, the current one. Raises ReleaseError for
    a rule that is none.
    """
    own = _read(_OWN)
    more = _read(pipeline / FILE) if pipeline is not None and (pipeline / FILE).is_file() else ()
    return Rules((*own, *more), _places(tuple(workspaces) or (find_workspace().root,)))


def _read(path: Path) -> tuple[tuple[re.Pattern[str], str], ...]:
    try:
        written = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path} cannot be read: {error}", fix="Make it a text in UTF-8.") from None
    found = []
    for regex, replacement in _RULE.findall(written):
        try:
            pattern = re.compile(regex)
            pattern.sub(replacement, "")  # which reads the replacement, too
        except (re.error, IndexError) as error:
            raise ReleaseError(f"{path}: {regex!r} → {replacement!r} is no rule ({error})", fix="Correct it.") from None
        found.append((pattern, replacement))
    return tuple(found)


def _places(workspaces: tuple[Path, ...]) -> tuple[tuple[str, str], ...]:
    named = [
        *((path, "[workspace]") for path in workspaces),
        (Path(sys.prefix), "[environment]"),
        (Path(sys.base_prefix), "[python]"),
        (Path(tempfile.gettempdir()), "[temporary]"),
        (Path.home(), "~"),
    ]
    found: dict[str, str] = {}
    for path, name in named:
        for written in (str(path), str(path.resolve())):
            if len(written) > 3:  # not the root itself
                found.setdefault(written, name)
    return tuple(found.items())
