"""What is done with each row of a cell: a function called, or a prompt rendered and answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gen_toolkit.datasets.dataset import Row
from gen_toolkit.evals.choice import Choose
from gen_toolkit.evals.functions import Functions
from gen_toolkit.messages.request import Rendered
from gen_toolkit.models.chat import ask
from gen_toolkit.models.gateway import Door, Model
from gen_toolkit.prompts.prompt import Prompt


@dataclass(frozen=True)
class Task:
    """One cell's work. The door to its model is opened once, and not by every row."""

    title: str
    function: Callable[..., Any] | None = None
    prompt: Prompt | None = None
    asked: Model = None
    door: Door | None = None
    choose: Choose | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Sent with every request, over those of the alias."""
    concurrency: int = 8

    @property
    def model(self) -> str:
        """The alias; empty where a function asks whom it likes."""
        return "" if self.door is None else self.door.alias

    @property
    def method(self) -> str:
        return str(self.choose or "generate")

    def rendered(self, row: Row) -> Rendered:
        """The prompt with the row's columns. Raises PromptError where a value does not fit."""
        assert self.prompt is not None, "a function renders nothing"
        return self.prompt(**{name: row[name] for name in self.prompt.variables if name in row})

    async def value(self, row: Row, functions: Functions) -> tuple[Any, Mapping[str, float] | None]:
        """(value, label probabilities or None) of a row."""
        if self.prompt is None or self.door is None:
            assert self.function is not None, "a task has a prompt or a function"
            return await functions.call(self.function, row), None
        choosing = self.choose is not None
        reply = await ask(self.rendered(row), self.door, choosing=choosing, options=self.options)
        if self.choose is None or reply.probabilities is None:
            return reply.value, reply.probabilities
        label = self.choose.pick(reply.probabilities)
        output = self.prompt.output
        return (output.parse(label) if output else label), reply.probabilities
