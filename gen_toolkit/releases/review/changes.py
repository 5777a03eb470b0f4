"""What changed since the live release; of a first release, what it runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from gen_toolkit.prompts.diff import Change
from gen_toolkit.releases.difference import Difference, Fact, difference
from gen_toolkit.releases.review.document import Block, Diff, Fold, Line, Said, Section, Table, Value, many
from gen_toolkit.releases.review.lines import diff_of, shown
from gen_toolkit.releases.side import Side

_SMALL = 40  # lines of a change that is open from the start
_MOST = 60  # changes of one kind
_FEW = 6  # packages that need no fold
_NOTHING = Side("nothing", {"code": [], "parameters": {}, "prompts": {}, "models": {}, "include": {}}, {})
_KINDS = {
    "prompts": ("Versions of prompts", "prompt"),
    "parameters": ("Parameters", "parameter"),
    "models": ("Models", "what"),
    "include": ("Included files, by SHA-256", "file"),
}


def changes(live: Side | None, new: Side) -> Section:
    """By kind: prompts word by word, cells line by line, then each value that differs."""
    if live is None:
        return Section("What it runs", tuple(_whole(new)))
    found = difference(live, new)
    summary = Line((Value(found.summary()), "." if found.is_empty else ""))
    return Section(f"What changed since {live.title}", (summary, *_blocks(found)))


def _blocks(found: Difference) -> Iterator[Block]:
    yield from _texts(found.texts, "prompt")
    yield from _texts(found.cells, "code")
    yield from _texts(found.files, "included files")
    for kind, (title, column) in _KINDS.items():
        facts = getattr(found, kind)
        if facts:
            yield Fold((f"{title}: {len(facts)} changed",), (_table(column, facts),), is_open=kind != "include")
    if found.environment:
        packages = _table("package", found.environment)
        title = f"Environment: {many(len(found.environment), 'package')} changed"
        yield Fold((title,), (packages,), is_open=len(found.environment) <= _FEW)


def _texts(found: Sequence[Change], kind: str) -> Iterator[Block]:
    for title, changes in _grouped(found[:_MOST]):
        yield _folded(title, [(part, diff_of(change)) for part, change in changes])
    if len(found) > _MOST:
        yield Line((f"{len(found) - _MOST} more changes of {kind} are not shown; gen release diff has them.",))


def _grouped(found: Iterable[Change]) -> Iterator[tuple[str, list[tuple[str, Change]]]]:
    """The parts of one prompt together: `label@live: message 1`."""
    for title, changes in groupby(found, key=lambda change: change.part.partition(": ")[0]):
        yield title, [(change.part.partition(": ")[2], change) for change in changes]


def _folded(title: str, parts: Sequence[tuple[str, Diff]]) -> Fold:
    signs = [line.sign for _, diff in parts for line in diff.lines]
    counted = f"  +{signs.count('+')} −{signs.count('-')}" if {"+", "-"} & set(signs) else ""
    blocks: list[Block] = []
    for part, diff in parts:
        blocks += [Line((Value(part),)), diff] if part else [diff]
    cut = any(diff.cut for _, diff in parts)
    return Fold((Value(title), counted), tuple(blocks), is_open=len(signs) <= _SMALL and not cut)


def _table(column: str, facts: Sequence[Fact]) -> Table:
    rows: list[tuple[Said, ...]] = [
        ((Value(fact.name, True),), _value(fact.old), _value(fact.new)) for fact in facts[:_MOST]
    ]
    if len(facts) > _MOST:
        rows.append(((f"{len(facts) - _MOST} more",), (), ()))
    return Table((column, "live", "new"), tuple(rows))


def _value(value: Any) -> Said:
    if value is None:
        return ("—",)
    if isinstance(value, Mapping):
        return (Value(", ".join(f"{key} {_plain(item)}" for key, item in value.items()), True),)
    return (Value(_plain(value), True),)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _whole(new: Side) -> Iterator[Block]:
    """The same parts of a release that follows none, without signs of addition on everything."""
    found = difference(_NOTHING, new)
    for title, changes in _grouped((*found.texts[:_MOST], *found.cells[:_MOST], *found.files[:_MOST])):
        parts = [(part, shown(_added(change))) for part, change in changes]
        yield _folded(title.removesuffix(" added"), parts)
    for kind, (title, column) in _KINDS.items():
        facts = getattr(found, kind)
        if facts:
            rows = tuple(((Value(fact.name, True),), _value(fact.new)) for fact in facts[:_MOST])
            yield Fold((title,), (Table((column, "value"), rows),), is_open=True)
    packages = new.environment.get("packages", {})
    yield Line(("Python ", Value(new.environment.get("python")), f", {many(len(packages), 'package')}."))


def _added(change: Change) -> str:
    return "".join(text for sign, text in change.pieces if sign != "-")
