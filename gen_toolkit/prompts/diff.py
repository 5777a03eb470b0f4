"""What differs between two prompts, word by word: each message, and each thing that a version declares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

from gen_toolkit.messages.request import Message
from gen_toolkit.text import scrub

Sign = Literal["=", "-", "+"]
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LONG = 2000  # pieces; comparing takes the square of them unless those that are everywhere are left out


@dataclass(frozen=True)
class Change:
    """A part that differs (`message 1`, `output`, `fragment a/b`), as pieces: kept, removed, added."""

    part: str
    pieces: tuple[tuple[Sign, str], ...]

    def to_json(self) -> dict[str, Any]:
        return {"part": self.part, "pieces": [list(piece) for piece in self.pieces]}

    def __str__(self) -> str:
        marks = {"=": ("", ""), "-": ("[-", "-]"), "+": ("{+", "+}")}
        return "".join(f"{marks[sign][0]}{text}{marks[sign][1]}" for sign, text in self.pieces)

    def shown(self, context: int = 2) -> str:
        """The same for reading: of long stretches that are kept, `context` lines beside what changed."""
        last = len(self.pieces) - 1
        shortened = []
        for number, (sign, text) in enumerate(self.pieces):
            lines = text.split("\n")
            head = 0 if number == 0 else context + 1
            tail = 0 if number == last else context + 1
            if sign == "=" and len(lines) > head + tail + 1:
                lines = [*lines[:head], "…", *lines[len(lines) - tail :]]
            shortened.append((sign, "\n".join(lines)))
        return str(Change(self.part, tuple(shortened)))


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The parts in which two versions' contents differ."""
    pairs = [*_paired(old["messages"], new["messages"]), *_declared(old, new)]
    return [Change(part, tuple(words(before, after))) for part, before, after in pairs if before != after]


def words(old: str, new: str) -> list[tuple[Sign, str]]:
    """Pieces that make up both texts: those with "=" and "-" the old one, with "=" and "+" the new one.

    Secrets are masked before: of their pieces nobody could say that they are parts of one.
    """
    old, new = scrub(old), scrub(new)
    found: list[tuple[Sign, str]] = []
    for before, after in _blocks(old.splitlines(keepends=True), new.splitlines(keepends=True)):
        if before == after:
            _add(found, "=", before)
            continue
        for left, right in _blocks(_WORDS.findall(before), _WORDS.findall(after)):
            if left == right:
                _add(found, "=", left)
            else:
                _add(found, "-", left)
                _add(found, "+", right)
    return found


def _blocks(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    is_long = max(len(old), len(new)) > _LONG
    for _, a, b, c, d in SequenceMatcher(None, old, new, autojunk=is_long).get_opcodes():
        yield "".join(old[a:b]), "".join(new[c:d])


def _add(found: list[tuple[Sign, str]], sign: Sign, text: str) -> None:
    if text and found and found[-1][0] == sign:
        found[-1] = (sign, found[-1][1] + text)
    elif text:
        found.append((sign, text))


def _paired(old: list[Message], new: list[Message]) -> Iterator[tuple[str, str, str]]:
    """(name, old text, new text); messages that are there on both sides are matched, so that one more shifts none."""
    left, right = [_told(message) for message in old], [_told(message) for message in new]
    for _, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for before, after in zip_longest(range(a, b), range(c, d)):
            name = f"message {(before if after is None else after) + 1}"
            yield name, "" if before is None else left[before], "" if after is None else right[after]


def _told(message: Message) -> str:
    """A message as one text, its role as a heading; parts that are no text as JSON."""
    plain = set(message) == {"role", "content"} and isinstance(message["content"], str)
    said = message["content"] if plain else _json({key: message[key] for key in message if key != "role"})
    return f"# {message['role']}\n{said}"


def _declared(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    fragments = "fragments"
    for key in sorted((old.keys() | new.keys()) - {"messages", fragments}):
        before, after = (content.get(key) if key == "output" else content.get(key) or None for content in (old, new))
        yield "variables" if key == "types" else key, _json(before), _json(after)
    theirs, ours = old.get(fragments, {}), new.get(fragments, {})
    for name in sorted(theirs.keys() | ours.keys()):
        yield f"fragment {name}", theirs.get(name, ""), ours.get(name, "")


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
