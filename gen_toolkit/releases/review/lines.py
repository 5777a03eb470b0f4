"""A change line by line, as people read a difference: of what is kept only what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from gen_toolkit.prompts.diff import Change
from gen_toolkit.releases.review.document import Diff, DiffLine
from gen_toolkit.text import scrub

MOST_LINES = 400
"""So many lines of one change are shown."""

_CONTEXT = 3
_LONGEST = 2_000  # characters of a line
_Sign = Literal["=", "-", "+"]
_Pieces = list[tuple[_Sign, str]]


def diff_of(change: Change) -> Diff:
    """The lines of both sides, with what differs inside of them."""
    lines = _shortened(_grouped(_lines(change.pieces)))
    return Diff(tuple(map(_cut, lines[:MOST_LINES])), max(0, len(lines) - MOST_LINES))


def shown(text: str) -> Diff:
    """A text as it is: there is nothing that it differs from."""
    lines = scrub(text).split("\n")
    cut = tuple(_cut(DiffLine("=", (("=", line),))) for line in lines[:MOST_LINES])
    return Diff(cut, max(0, len(lines) - MOST_LINES))


def _lines(pieces: Iterable[tuple[_Sign, str]]) -> Iterator[DiffLine]:
    """Each line of the old side and of the new one, where they are the same once."""
    old: _Pieces = []
    new: _Pieces = []
    for sign, said in _at_ends([*pieces, ("=", "\n")]):  # the last line ends, too
        for number, part in enumerate(scrub(said).split("\n")):
            if number and sign == "=":
                yield from _both(old, new)
                old, new = [], []
            elif number and sign == "-":
                yield DiffLine("-", tuple(old))
                old = []
            elif number:
                yield DiffLine("+", tuple(new))
                new = []
            if part and sign != "+":
                old.append((sign, part))
            if part and sign != "-":
                new.append((sign, part))


def _at_ends(pieces: _Pieces) -> _Pieces:
    """A line put after another is one of its own: what begins with the end of the line before ends with its own."""
    found: _Pieces = []
    for sign, said in pieces:
        if found and found[-1][0] != "=" and sign == "=" and said.startswith("\n"):
            change, text = found[-1]
            alone = len(found) == 1 or found[-2][0] == "="
            if alone and text.startswith("\n"):
                found[-1:] = [("=", "\n"), (change, f"{text[1:]}\n")]
                said = said[1:]
        found.append((sign, said))
    return found


def _both(old: _Pieces, new: _Pieces) -> Iterator[DiffLine]:
    if old == new:
        yield DiffLine("=", tuple(new))
        return
    if old:
        yield DiffLine("-", tuple(old))
    if new:
        yield DiffLine("+", tuple(new))


def _grouped(lines: Iterable[DiffLine]) -> Iterator[DiffLine]:
    """Of lines that differ one after the other those that went come first."""
    added: list[DiffLine] = []
    for line in lines:
        if line.sign == "+":
            added.append(line)
            continue
        if line.sign == "=":
            yield from added
            added = []
        yield line
    yield from added


def _shortened(lines: Iterable[DiffLine]) -> list[DiffLine]:
    """Without what is kept and far from every change; a text that is all one kind stays whole."""
    every = list(lines)
    changed = [number for number, line in enumerate(every) if line.sign != "="]
    near = {n for number in changed for n in range(number - _CONTEXT, number + _CONTEXT + 1)}
    found: list[DiffLine] = []
    left_out: list[DiffLine] = []
    for number, line in enumerate([*every, None]):
        if line is not None and number not in near and changed:
            left_out.append(line)
            continue
        if left_out:  # to leave one out would take as much room
            found += left_out if len(left_out) == 1 else [DiffLine("…", left_out=len(left_out))]
            left_out = []
        if line is not None:
            found.append(line)
    return found


def _cut(line: DiffLine) -> DiffLine:
    room = _LONGEST
    kept: _Pieces = []
    for sign, text in line.pieces:
        if len(text) > room:
            left = sum(len(piece) for _, piece in line.pieces) - _LONGEST
            kept.append((sign, f"{text[:room]}… ({left:,} characters more)"))
            break
        kept.append((sign, text))
        room -= len(text)
    return DiffLine(line.sign, tuple(kept), line.left_out)
