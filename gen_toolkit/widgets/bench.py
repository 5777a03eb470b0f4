"""What a playground holds: the draft, the values, the chosen models, the tries. No widgets, no input, no output."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import GenToolkitError, InputError, MissingVariable
from gen_toolkit.messages.request import Rendered
from gen_toolkit.prompts.diff import Change, diff
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.widgets.as_code import as_code
from gen_toolkit.widgets.draft import Draft
from gen_toolkit.widgets.fields import Fields
from gen_toolkit.widgets.tries import Answer, Try


@dataclass(frozen=True)
class Look:
    """What the draft and the values come to: messages, or the one line that says why there are none."""

    prompt: Prompt | None = None
    rendered: Rendered | None = None
    error: str = ""


class Bench:
    """Changed by whoever holds it, one at a time; `look` is always that of the present draft and values."""

    def __init__(self, prompt: Prompt, rows: Sequence[Mapping[str, Any]], models: Sequence[str]) -> None:
        self.draft = Draft.of(prompt)
        self.rows, self.position = rows, 0
        self.fields = Fields().filled(prompt.defaults)
        self.models = tuple(models)
        """Chosen, in the order in which they stand side by side."""
        self.streamed = True
        self.base = prompt
        """What changes are shown against: the saved version, else what the playground was opened with."""
        self.tries: list[Try] = []
        self.shown: int | None = None
        """The number of the try whose answers are shown."""
        self.is_changed = False
        """Whether something was changed since that try."""
        if rows:
            self.fields = self.fields.filled(rows[0])
        self.look = self._look()

    def edit(self, draft: Draft) -> None:
        self._change(draft=draft)

    def type(self, name: str, value: str) -> None:
        """A value by hand."""
        self._change(fields=self.fields.typed(name, value))

    def go(self, position: int) -> None:
        """Take the values of the row at this position; beyond the ends it stays at the end."""
        if self.rows:
            position = min(max(position, 0), len(self.rows) - 1)
            self._change(position=position, fields=self.fields.filled(self.rows[position]))

    def choose(self, models: Sequence[str]) -> None:
        self._change(models=tuple(models))

    def stream(self, streamed: bool) -> None:
        self._change(streamed=streamed)

    def _change(self, **changes: Any) -> None:
        vars(self).update(changes)
        self.is_changed = True
        if not changes.keys().isdisjoint({"draft", "fields"}):
            self.look = self._look()

    def _look(self) -> Look:
        prompt = None
        try:
            prompt = self.draft.prompt()
            values = self.fields.values(prompt.variables, prompt.types)
            return Look(prompt, prompt(**values))
        except MissingVariable as error:
            has_field = prompt is not None and error.variable in prompt.variables
            return Look(prompt, None, f"{error.message}. Fill in its field." if has_field else str(error))
        except GenToolkitError as error:
            return Look(prompt, None, str(error))

    @property
    def variables(self) -> list[str]:
        """Those that have a field: of the draft, in the order of names."""
        return [] if self.look.prompt is None else sorted(self.look.prompt.variables)

    def begin(self, at: float) -> Try:
        """A new try, with every answer awaited.

        Raises InputError where there is nothing to ask, nobody is asked, or the last try is still running.
        """
        if self.is_running:
            raise InputError(f"try {len(self.tries)} is still running", fix="Stop it, or wait for it.")
        if self.look.rendered is None:
            raise InputError(self.look.error)
        if not self.models:
            raise InputError("no model is chosen", fix="Choose one or more.")
        answers = tuple(map(Answer, self.models))
        begun = Try(
            len(self.tries) + 1, self.draft, self.fields, self.position, self.models, self.streamed, answers, at
        )
        self.tries.append(begun)
        self.shown, self.is_changed = begun.number, False
        return begun

    def answered(self, number: int, column: int, answer: Answer) -> None:
        """What the model in this column of a try has said by now."""
        self.tries[number - 1] = self.tries[number - 1].with_answer(column, answer)

    def end(self, number: int) -> None:
        """Nobody works on this try any more."""
        for column, answer in enumerate(self.tries[number - 1].answers):
            if not answer.is_over:
                self.answered(number, column, replace(answer, state="stopped"))

    @property
    def shown_try(self) -> Try | None:
        return None if self.shown is None else self.tries[self.shown - 1]

    def back(self, number: int) -> None:
        """Everything as it was at that try, with its answers."""
        was = self.tries[number - 1]
        self._change(
            draft=replace(was.draft, origin=self.draft.origin),
            fields=was.fields,
            position=was.position,
            models=was.models,
            streamed=was.streamed,
        )
        self.shown, self.is_changed = number, False

    def compare_with(self, version: Prompt) -> None:
        """Changes are shown against this version from now on."""
        self.base = version

    def saved(self, version: Prompt) -> None:
        """The draft was saved as this version: changes are shown against it from now on."""
        self.base = version
        self.draft = replace(self.draft, origin=version)
        self.look = self._look()

    @property
    def base_name(self) -> str:
        return str(self.base.reference) if self.base.version else "the text that it was opened with"

    @property
    def standing(self) -> str:
        """Which version the draft is, or that it is none yet."""
        prompt = self.look.prompt
        if prompt is not None and prompt == self.base and self.base.version:
            return f"version {self.base.version}"
        return f"changed since version {self.base.version}" if self.base.version else "not saved"

    @property
    def is_running(self) -> bool:
        return bool(self.tries) and not self.tries[-1].is_over

    @property
    def changes(self) -> list[Change]:
        """What differs from the base, word by word; nothing while the draft is no prompt."""
        if self.look.prompt is None:
            return []
        return diff(_scrubbed(self.base), _scrubbed(self.look.prompt))

    @property
    def code(self) -> str:
        """A cell that asks the same; while the draft cannot be asked, the reason as a comment."""
        if self.look.prompt is None or self.look.rendered is None:
            return f"# {self.look.error}"
        prompt = self.base if self.base == self.look.prompt else self.look.prompt
        values = self.fields.values(prompt.variables, prompt.types)
        return as_code(prompt, values, self.models, streamed=self.streamed)


def _scrubbed(prompt: Prompt) -> dict[str, Any]:
    """Before it is cut into words: a piece of a secret would not be known for one."""
    return dict(json.loads(text.scrub(json.dumps(prompt.content()))))
