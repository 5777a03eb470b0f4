"""What a docstring says of a function and its parameters, in Google's or NumPy's style."""

from __future__ import annotations

import inspect
import itertools
import re

_HEADINGS = {"args", "arguments", "parameters", "returns", "raises", "yields", "example", "examples", "note", "notes"}
_PARAMETERS = {"args", "arguments", "parameters"}
_GOOGLE = re.compile(r"(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_NUMPY = re.compile(r"(\w+)\s*(?::.*)?")


def read_docstring(written: str | None) -> tuple[str, dict[str, str]]:
    """(what the function does, the description of each parameter that has one)."""
    lines = inspect.cleandoc(written or "").splitlines()
    sections = [number for number in range(len(lines)) if _heading(lines, number)]
    about = lines[: sections[0]] if sections else lines
    described: dict[str, str] = {}
    for begin, end in itertools.pairwise([*sections, len(lines)]):
        if _heading(lines, begin) in _PARAMETERS:
            described |= _entries(lines[begin + 1 : end])
    return "\n".join(about).strip(), described


def _heading(lines: list[str], number: int) -> str | None:
    """`Args:`, or a word underlined with hyphens."""
    line = lines[number]
    underlined = number + 1 < len(lines) and set(lines[number + 1].strip()) == {"-"}
    word = line.rstrip(": ").lower()
    return word if word in _HEADINGS and (line.rstrip().endswith(":") or underlined) else None


def _entries(lines: list[str]) -> dict[str, str]:
    """Names stand at the section's own depth, what is deeper goes on about the last one."""
    is_numpy = bool(lines) and set(lines[0].strip()) == {"-"}
    lines = [line for line in lines[is_numpy:] if line.strip()]
    depth = min((_depth(line) for line in lines), default=0)
    found: dict[str, list[str]] = {}
    said: list[str] = []
    for line in lines:
        entry = (_NUMPY if is_numpy else _GOOGLE).fullmatch(line.strip()) if _depth(line) == depth else None
        if entry is None:
            said.append(line.strip())
        else:
            said = found.setdefault(entry[1], [])
            said += [entry[2]] if not is_numpy and entry[2] else []
    return {name: " ".join(words) for name, words in found.items() if words}


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
