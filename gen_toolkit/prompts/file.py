"""`*.prompt.md`: a prompt as a text file that people review. Front matter, then a heading a message.

    ---
    name: greet
    variables: {name: str}
    ---
    # system
    Be kind.

    # user
    Hello {{ name }}!

Blank lines around a message do not count. A line of a message that reads as a heading begins with a
backslash, which is not part of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gen_toolkit import scope
from gen_toolkit.errors import PromptError, ReleaseError, nearest
from gen_toolkit.messages.output import Output
from gen_toolkit.prompts.frontmatter import read_front_matter
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.source import located, read_source, shown
from gen_toolkit.prompts.template import parts, variables

SUFFIX = ".prompt.md"
_KEYS: dict[str, Any] = {
    "name": str,
    "description": str,
    "owner": str,
    "variables": dict,
    "untrusted": list,
    "output": list | dict,
    "options": dict,
    "defaults": dict,
}
_WANTED = dict.fromkeys(_KEYS, "keys with values") | {
    "name": "a text",
    "description": "a text",
    "owner": "a text",
    "untrusted": "a list of variables",
    "output": "a list of labels, or a JSON Schema",
}
HEADING = re.compile(r"(?P<escape>\\*)#[ \t]*(?P<role>system|user|assistant|developer)[ \t]*:?[ \t]*", re.IGNORECASE)
_EXACT = re.compile(r"# (system|user|assistant|developer)[ \t]*")


def load_file(path: str | Path) -> Prompt:
    """See Prompt.from_file."""
    if scope.current().release is not None:
        frozen = scope.frozen_manifest().get("prompt_files", {})
        if str(path) not in frozen:
            raise ReleaseError(
                f"the prompt file {str(path)!r} is not frozen in this release; frozen: "
                f"{', '.join(sorted(frozen)) or 'none'}",
                fix="Promote again: the path must be a literal text, and the file must exist at promotion.",
            )
        return Prompt.from_content(frozen[str(path)]["name"], frozen[str(path)]["content"])
    file = located(path)
    return parse(read_source(file), shown(file))


def parse(text: str, where: str, fragments: Mapping[str, str] | None = None) -> Prompt:
    """The prompt that a file's text holds. `where` is the file, for messages."""
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        raise _wrong(where, 1, "the file does not begin with front matter", "Begin with a line '---', then 'name: …'.")
    data, places = read_front_matter("\n".join(lines[1:end]), where)
    _check_keys(data, places, where)
    messages = _messages(lines[end + 1 :], end + 2, where)
    untrusted = data.get("untrusted") or []
    for content, line in [(message["content"], line) for message, line in messages]:
        _check_template("\n" * (line - 1) + content, where, frozenset(untrusted))
    try:
        Output.of(_output(data))
    except PromptError as error:
        raise _wrong(where, places["output"], error.message, error.fix) from None
    try:
        return Prompt(
            data.get("name") or "",
            messages=[message for message, _ in messages],
            output=_output(data),
            defaults=data.get("defaults"),
            types=data.get("variables"),
            untrusted=untrusted,
            options=data.get("options"),
            description=data.get("description") or "",
            owner=data.get("owner") or "",
            fragments=fragments,
        )
    except PromptError as error:
        part = str(error.data.get("part", ""))
        raise _placed(error, where, places.get("variables" if part == "types" else part, 1)) from None


def _check_keys(data: dict[str, Any], places: dict[str, int], where: str) -> None:
    for key, value in data.items():
        if key not in _KEYS:
            known = ", ".join(_KEYS)
            raise _wrong(
                where, places[key], f"{key!r} is no key of front matter", nearest(key, _KEYS) or f"Use {known}."
            )
        if value is not None and not isinstance(value, _KEYS[key]):
            wanted = {str: "a text", dict: "keys with values", list: "a list"}.get(
                _KEYS[key], "labels, or a JSON Schema"
            )
            raise _wrong(where, places[key], f"{key!r} is {type(value).__name__}", f"Give {wanted}.")
    lists = [key for key in ("untrusted", "output") if isinstance(data.get(key), list)]
    for key in lists:
        for item in data[key]:
            if not isinstance(item, str):
                said = json.dumps(item, ensure_ascii=False)
                raise _wrong(where, places[key], f"{said} in {key!r} is no text", f'Quote it: "{item}".')
    for name, kind in (data.get("variables") or {}).items():
        if not isinstance(kind, str):
            raise _wrong(where, places["variables"], f"variable {name!r} has no type", f"Write {name}: str.")


def _output(data: dict[str, Any]) -> dict[str, Any] | None:
    given = data.get("output")
    return {"enum": given} if isinstance(given, list) else given


def _messages(lines: list[str], first: int, where: str) -> list[tuple[dict[str, str], int]]:
    """(message, number of its first line) of each heading."""
    found: list[tuple[str, list[str], int]] = []
    for number, line in enumerate(lines, first):
        heading = HEADING.fullmatch(line)
        if heading and not heading["escape"]:
            if not _EXACT.fullmatch(line):
                fix = f"Write '# {heading['role'].lower()}', or '\\{line.strip()}' where it is text."
                raise _wrong(where, number, f"{line.strip()!r} is almost a heading", fix)
            found.append((heading["role"], [], number + 1))
        elif found:
            found[-1][1].append(line[1:] if heading else line)
        elif line.strip():
            raise _wrong(where, number, "a text before the first heading", "Begin with '# system' or '# user'.")
    if not found:
        raise _wrong(where, first - 1, "there is no message", "Write '# user', and the text below.")
    messages = []
    for role, body, number in found:
        content = "\n".join(body)
        if not content.strip():
            raise _wrong(where, number - 1, f"the {role} message is empty", "Write its text below the heading.")
        blank = len(content) - len(content.lstrip("\n"))
        messages.append(({"role": role, "content": content.strip("\n")}, number + blank))
    return messages


def _check_template(padded: str, where: str, untrusted: frozenset[str]) -> None:
    """Parsed with as many lines before it as the file has, so that faults name the file's line."""
    try:
        parts(padded)
        variables(padded, untrusted)
    except PromptError as error:
        line = int(error.data.get("line", 1))
        said = error.message.removeprefix(f"line {line}: ").replace(f", line {line}:", ":", 1)
        raise _placed(type(error)(said, fix=error.fix, **error.data), where, line) from None


def _wrong(where: str, line: int, problem: str, fix: str) -> PromptError:
    return PromptError(f"{where}:{line}: {problem}", fix=fix, path=where, line=line)


def _placed(error: PromptError, where: str, line: int) -> PromptError:
    data = {**error.data, "path": where, "line": line}
    return type(error)(f"{where}:{line}: {error.message}", fix=error.fix, **data)
