"""Rules for what may differ between two executions, in nbval's form: the toolkit's own, and a pipeline's."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gen_toolkit.errors import ReleaseError
from gen_toolkit.text import scrub
from gen_toolkit.workspace import find_workspace

FILE = "sanitize.cfg"
WORKSPACE = "[workspace]"
"""What the workspace's folder is called in what is kept."""
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

    def also(self, workspace: Path) -> Rules:
        """With one more folder that is called WORKSPACE."""
        return replace(self, places=(*self.places, (str(workspace), WORKSPACE)))

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
    """The toolkit's own rules, and those of the pipeline in that folder.

    `workspaces` are the folders that are called WORKSPACE; without any, the current one. Raises ReleaseError for a
    rule that is none.
    """
    more = "" if pipeline is None else pipelines_rules(pipeline)
    return rules_from(more, workspaces, str(pipeline and pipeline / FILE))


def pipelines_rules(pipeline: Path) -> str:
    """The text of a pipeline's sanitize.cfg; "" where it has none."""
    path = pipeline / FILE
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path} cannot be read: {error}", fix="Make it a text in UTF-8.") from None


def rules_from(more: str, workspaces: Iterable[Path] = (), source: str = FILE) -> Rules:
    """The toolkit's own rules, and those in a text of that form; `source` is where they stand."""
    own = _read(_OWN.read_text(encoding="utf-8"), str(_OWN))
    return Rules((*own, *_read(more, source)), _places(tuple(workspaces) or (find_workspace().root,)))


def _read(text: str, source: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for regex, replacement in _RULE.findall(text):
        try:
            pattern = re.compile(regex)
            pattern.sub(replacement, "")  # which reads the replacement, too
        except (re.error, IndexError) as error:
            said = f"{source}: {regex!r} → {replacement!r} is no rule ({error})"
            raise ReleaseError(said, fix="Correct it.") from None
        found.append((pattern, replacement))
    return tuple(found)


def _places(workspaces: tuple[Path, ...]) -> tuple[tuple[str, str], ...]:
    named = [
        *((path, WORKSPACE) for path in workspaces),
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
