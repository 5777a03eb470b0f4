"""Whether an execution showed and kept what another did; if not, the first cell that differs, and where."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from gen_toolkit.ipynb import Notebook, source
from gen_toolkit.releases.reproduction.measured import MASK, MEASURED
from gen_toolkit.releases.reproduction.outputs import code_of, shown, with_normal_outputs
from gen_toolkit.releases.reproduction.sanitize import Rules
from gen_toolkit.text import one_line, terminal

_LINES = 10  # of a diff
_WIDTH = 110  # characters of each
_BREAK = re.compile(r"</(?:tr|div|p|pre|li|summary)>|<br ?/?>")
_APART = re.compile(r"</t[hd]>\s*<t[hd]\b[^>]*>")
_TAG = re.compile(r"<[^<>]*>")
_AROUND = 40  # characters before the first that differs, in a line that is longer than that


@dataclass(frozen=True)
class Brought:
    """What an execution brought: a notebook with outputs, and values by name."""

    notebook: Notebook
    kept: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """The first thing that is not as it was."""

    where: str
    """`cell 5` or `kept accuracy`."""
    what: str
    """Of a cell, its first line; and what of it differs: `stdout`, `text/html`, …"""
    was: str
    now: str

    def diff(self) -> str:
        """A few lines: `-` as it was, `+` as it is."""
        before, after = terminal(self.was).split("\n"), terminal(self.now).split("\n")
        if len(before) == len(after) == 1:
            return "\n".join(_cut(before[0], after[0]))
        told: list[str] = []
        matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
        for kind, a, b, c, d in matcher.get_opcodes():
            if kind == "equal":
                continue
            if b - a == d - c == 1:
                told += _cut(before[a], after[c])
            else:
                told += [f"- {one_line(line, _WIDTH)}" for line in before[a:b]]
                told += [f"+ {one_line(line, _WIDTH)}" for line in after[c:d]]
        more = len(told) - _LINES
        return "\n".join(told[:_LINES] + ([f"… {more} more lines"] if more > 0 else []))

    def to_json(self) -> dict[str, str]:
        return {"where": self.where, "what": self.what, "diff": self.diff()}

    def __str__(self) -> str:
        return f"{self.where} differs: {self.what}"


def first_difference(was: Brought, now: Brought, rules: Rules) -> Difference | None:
    """In the order of the notebook, then of the names of kept values; None where they are the same."""
    before = code_of(with_normal_outputs(was.notebook, rules))
    after = code_of(with_normal_outputs(now.notebook, rules))
    for old, new in zip_longest(before, after):
        number, cell = new or old  # one of them is there
        place, first = f"cell {number}", one_line(source(cell), 60)
        if old is None or new is None:
            what = "it was there" if new is None else "it was not there"
            return Difference(place, f"{what}: {first}", source(old[1]) if old else "", source(new[1]) if new else "")
        found = _first(shown(old[1]), shown(new[1]))
        if found is not None:
            kind, one, other = found
            return Difference(place, f"{kind} of: {first}", *_readable(kind, one, other))
    return _first_kept(_kept(was.kept, rules), _kept(now.kept, rules))


def _first(was: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> tuple[str, str, str] | None:
    """(kind, was, is) of what differs in a cell. An error says most, and markup least."""
    for kind in sorted(was.keys() | now.keys(), key=_telling):
        for one, other in zip_longest(was.get(kind, []), now.get(kind, []), fillvalue=""):
            if one != other:
                return kind, one, other
        if len(was.get(kind, [])) != len(now.get(kind, [])):
            return kind, f"{len(was.get(kind, []))} of this kind", f"{len(now.get(kind, []))} of this kind"
    return None


def _readable(kind: str, was: str, now: str) -> tuple[str, str]:
    """Of markup what a person would read, where that is what differs: a row a line."""
    if kind != "text/html":
        return was, now
    texts = [_TAG.sub("", _APART.sub(" | ", _BREAK.sub("\n", html))) for html in (was, now)]
    return (texts[0], texts[1]) if texts[0] != texts[1] else (was, now)


def _telling(kind: str) -> tuple[int, str]:
    order = ("error", "stdout", "text/plain")
    return (order.index(kind) if kind in order else len(order), kind)


def _kept(kept: Mapping[str, Any], rules: Rules) -> dict[str, str]:
    return {name: MASK if name in MEASURED else rules.applied(written(value)) for name, value in kept.items()}


def written(value: Any) -> str:
    """A kept value as a text. Numbers to 12 digits: the last ones depend on the processor."""
    return json.dumps(_rounded(value), ensure_ascii=False, sort_keys=True)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return value


def _first_kept(was: Mapping[str, str], now: Mapping[str, str]) -> Difference | None:
    for name in sorted(was.keys() | now.keys()):
        one, other = was.get(name), now.get(name)
        if one != other:
            what = "it was not kept" if one is None else "it is no longer kept" if other is None else "another value"
            return Difference(f"kept {name}", what, one or "", other or "")
    return None


def _cut(was: str, now: str) -> list[str]:
    """Both lines, of long ones from just before the first character that differs."""
    start = next((n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    start = max(0, start - _AROUND) if max(len(was), len(now)) > _WIDTH else 0
    mark = "…" if start else ""
    return [f"{sign} {mark}{one_line(line[start:], _WIDTH)}" for sign, line in (("-", was), ("+", now)) if line]
