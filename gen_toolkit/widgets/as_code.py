"""A cell of Python that asks what a playground asks."""

from __future__ import annotations

import io
import keyword
from collections.abc import Iterator, Mapping, Sequence
from pprint import pformat
from token import STRING
from tokenize import generate_tokens
from typing import Any

from gen_toolkit.errors import FragmentError
from gen_toolkit.messages.request import Message
from gen_toolkit.prompts.prompt import Prompt

_WIDE = 100
_NOTHING = object()


def as_code(prompt: Prompt, values: Mapping[str, Any], models: Sequence[str], *, streamed: bool = False) -> str:
    """Literals only: nothing that stands in a text or a value is code.

    A saved prompt is loaded by its version, any other is written out. Values that are the prompt's defaults
    are left to it.
    """
    given = {name: value for name, value in values.items() if prompt.defaults.get(name, _NOTHING) != value}
    lines = ["import gen_toolkit as gt", "", *_made(prompt), *_argued("rendered = prompt", given), ""]
    return _double_quoted("\n".join([*lines, *_asked(models, streamed)]))


def _double_quoted(code: str) -> str:
    """With its texts in the quotes that formatters write, where that changes no escape."""
    lines = code.split("\n")
    for token in generate_tokens(io.StringIO(code).readline):
        if token.type == STRING and token.string.startswith("'") and '"' not in token.string:
            (row, start), (_, end) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = f'{line[:start]}"{line[start + 1 : end - 1]}"{line[end:]}'
    return "\n".join(lines)


def _made(prompt: Prompt) -> list[str]:
    if prompt.version is not None:
        return [f"prompt = gt.load_prompt({f'{prompt.name}@{prompt.version}'!r})"]
    content = prompt.content()
    declared = {key: content.get(key) for key in ("output", "defaults", "types", "untrusted", "options")}
    fragments = {} if _files_say_the_same(prompt) else prompt.fragments
    also = {**declared, "description": prompt.description, "owner": prompt.owner, "fragments": fragments}
    given = {**_texts(prompt.messages), **{key: value for key, value in also.items() if value}}
    return _argued("prompt = gt.Prompt", given, prompt.name)


def _texts(messages: Sequence[Message]) -> dict[str, Any]:
    """As `system` and `user` where that is all there is, else as `messages`."""
    roles = [message["role"] for message in messages]
    plain = all(set(message) == {"role", "content"} and isinstance(message["content"], str) for message in messages)
    if plain and roles in (["user"], ["system"], ["system", "user"]):
        return {message["role"]: message["content"] for message in messages}
    return {"messages": [dict(message) for message in messages]}


def _files_say_the_same(prompt: Prompt) -> bool:
    try:
        return not prompt.fragments or Prompt("now", messages=prompt.messages).fragments == prompt.fragments
    except FragmentError:
        return False


def _argued(function: str, arguments: Mapping[str, Any], *first: str) -> list[str]:
    """A call, on one line where it fits, else with a line an argument."""
    named = {name: value for name, value in arguments.items() if not keyword.iskeyword(name)}
    others = {name: value for name, value in arguments.items() if keyword.iskeyword(name)}
    parts = [*map(repr, first), *(f"{name}={value!r}" for name, value in named.items())]
    parts += [f"**{others!r}"] if others else []
    line = f"{function}({', '.join(parts)})"
    if len(line) <= _WIDE:
        return [line]
    lines = [f"{function}(", *(f"    {value!r}," for value in first)]
    for name, value in named.items():
        lines += _argument(f"    {name}=", value)
    return [*lines, *([f"    **{others!r},"] if others else []), ")"]


def _argument(begin: str, value: Any) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value.rstrip("\n"):
        yield f"{begin}("
        yield from (f"        {line!r}" for line in value.splitlines(keepends=True))
        yield "    ),"
        return
    told = pformat(value, width=_WIDE - 8, sort_dicts=False).split("\n")
    if len(told) == 1 or isinstance(value, str):
        yield f"{begin}{value!r},"
        return
    yield begin + told[0]
    yield from (f"    {line}" for line in told[1:-1])
    yield f"    {told[-1]},"


def _asked(models: Sequence[str], streamed: bool) -> list[str]:
    match list(models):
        case []:
            return ["reply = gt.chat(rendered)", "reply"]
        case [model] if streamed:
            return [f"for piece in gt.stream(rendered, model={model!r}):", '    print(piece, end="")']
        case [model]:
            return [f"reply = gt.chat(rendered, model={model!r})", "reply"]
        case several:
            return [f"replies = {{model: gt.chat(rendered, model=model) for model in {several!r}}}", "replies"]
