"""What a prompt declares, held against its text: names, types, defaults, options.

Each refusal carries `part`: the name of the argument that is wrong, so that a file can name its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gen_toolkit.errors import PromptError, UnknownVariable, nearest
from gen_toolkit.prompts.kinds import Kind
from gen_toolkit.text import one_line

if TYPE_CHECKING:
    from gen_toolkit.prompts.prompt import Prompt

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NO_OPTIONS = {"messages", "model", "output", "stream", "tools"}  # a request has a place of its own for them


def check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PromptError(
            f"{name!r} cannot be a prompt's name",
            fix="Use letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit.",
            part="name",
        )


def check_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    for option in sorted(_NO_OPTIONS & options.keys()):
        raise PromptError(
            f"prompt {name!r}: {option!r} is no option of a prompt",
            fix=f"Say it where the model is called: gt.chat(…, {option}=…).",
            part="options",
        )
    try:
        json.dumps(options, allow_nan=False)
    except ValueError:
        raise PromptError(
            f"prompt {name!r}: an option is no number that JSON knows",
            fix="Leave NaN and infinity out.",
            part="options",
        ) from None
    return options


def check_declared(prompt: Prompt, types: Mapping[str, Any] | None) -> dict[str, Kind]:
    """The types of the variables, after defaults, untrusted names and types were found to fit the text.

    Either every variable has a declared type, or none.
    """
    for part, names in (("defaults", prompt.defaults), ("untrusted", prompt.untrusted), ("types", types or {})):
        for unused in sorted(set(names) - prompt.variables):
            said = {"defaults": "has a default for", "untrusted": "calls untrusted", "types": "declares"}[part]
            raise UnknownVariable(
                f"prompt {prompt.name!r} {said} {unused!r}, which its text does not use",
                fix=nearest(unused, prompt.variables) or "Remove it.",
                variable=unused,
                part=part,
            )
    kinds = {name: _kind(prompt, name, declared) for name, declared in (types or {}).items()}
    for undeclared in sorted(prompt.variables - kinds.keys() if kinds else ()):
        raise UnknownVariable(
            f"prompt {prompt.name!r} uses {undeclared!r}, whose type is not declared",
            fix=nearest(undeclared, kinds) or f"Declare it, too: {undeclared}: str",
            variable=undeclared,
            part="types",
        )
    for name, value in prompt.defaults.items():
        _check(prompt, kinds, name, value, "defaults")
    return kinds


def _kind(prompt: Prompt, name: str, declared: Any) -> Kind:
    try:
        return Kind.of(declared)
    except PromptError as error:
        raise PromptError(
            f"prompt {prompt.name!r}, variable {name!r}: {error.message}", fix=error.fix, variable=name, part="types"
        ) from None


def check_value(prompt: Prompt, name: str, value: Any) -> None:
    """Raises PromptError for a value that is not of the variable's declared type."""
    _check(prompt, prompt.types, name, value, "values")


def _check(prompt: Prompt, kinds: Mapping[str, Kind], name: str, value: Any, part: str) -> None:
    if name in kinds and not kinds[name].fits(value):
        raise PromptError(
            f"prompt {prompt.name!r}: {name!r} is declared {kinds[name]}, and {one_line(repr(value), 40)} "
            f"is {type(value).__name__}",
            fix="Give a value of that type, or change the type.",
            variable=name,
            part=part,
        )
