"""What a form holds: of each parameter the text that stands in its field. No widgets, no input, no output."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from gen_toolkit.errors import ParameterError
from gen_toolkit.jobs.parameters import Parameter, Parameters
from gen_toolkit.jobs.values import as_text


class FormState:
    """Texts are read, checked and handed on just as `gen run -p name=text` does."""

    def __init__(self, pipeline: str, release: int, parameters: Parameters, *, is_named: bool = False) -> None:
        self.pipeline, self.release, self._is_named = pipeline, release, is_named
        self.parameters = parameters
        self.texts = {item.name: as_text(item.default) for item in parameters.items}
        self.problems: dict[str, str] = {}
        """Of each parameter whose text is no value of it, why not."""

    def type(self, name: str, text: str) -> None:
        self.texts[name] = text
        problem = _problem(self._item(name), text)
        self.problems = {**self.problems, name: problem} if problem else _without(self.problems, name)

    def _item(self, name: str) -> Parameter:
        return next(item for item in self.parameters.items if item.name == name)

    @property
    def arguments(self) -> list[str]:
        """Of `gen`: only what differs from the release's own values is given."""
        changed = [item for item in self.parameters.items if self.texts[item.name] != as_text(item.default)]
        release = ["--release", str(self.release)] if self._is_named else []
        given = [part for item in changed for part in ("-p", f"{item.name}={self.texts[item.name]}")]
        return ["run", self.pipeline, *release, *given]

    @property
    def command(self) -> str:
        """As one types it in a terminal."""
        return shlex.join(["gen", *self.arguments])


def _problem(item: Parameter, text: str) -> str:
    if text.startswith("@"):
        return f"parameter {item.name}: a text that begins with @ would name a file."
    if "\0" in text:
        return f"parameter {item.name}: a command line cannot hold the character 0."
    try:
        item.check(text, from_text=True)
    except ParameterError as error:
        return str(error)
    return ""


def _without(problems: Mapping[str, str], name: str) -> dict[str, str]:
    return {other: problem for other, problem in problems.items() if other != name}
