"""The left side of a playground: messages and options to edit, values of variables to step through or type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import BoundedIntText, Button, Dropdown, HBox, Label, Layout, Text, Textarea, VBox

from gen_toolkit.text import encodable, one_line
from gen_toolkit.widgets.bench import Bench
from gen_toolkit.widgets.draft import ROLES, Draft

Hear = Callable[[Callable[[Any], object]], Callable[[Any], None]]
"""Makes of what is to happen an observer for a widget: `widget.observe(hear(act), "value")`."""
WHOLE = Layout(width="100%", margin="2px 0")
_NARROW = Layout(width="9em")
_FITTING = Layout(width="auto")


class Editor:
    """The draft's messages, one below the other, and its options."""

    def __init__(self, bench: Bench, hear: Hear) -> None:
        self._bench, self._hear = bench, hear
        self._turns: list[_Turn] = []
        self._box = VBox()
        self._add = Button(description="Add message", icon="plus", layout=_FITTING)
        self._options = Text(placeholder='{"temperature": 0}', description="options", layout=WHOLE)
        self._add.on_click(hear(lambda _: bench.edit(bench.draft.with_another())))
        self._options.observe(hear(lambda text: bench.edit(bench.draft.with_options(text))), "value")
        self.box = VBox([self._box, HBox([self._add]), self._options])

    def paint(self) -> None:
        draft = self._bench.draft
        while len(self._turns) < len(draft.turns):
            self._turns.append(_Turn(len(self._turns), self._bench, self._hear))
        shown = self._turns[: len(draft.turns)]
        if len(self._box.children) != len(shown):
            self._box.children = [turn.box for turn in shown]
        for turn in shown:
            turn.paint(draft)
        self._options.value = encodable(draft.options)


class _Turn:
    """The widgets of one message."""

    def __init__(self, number: int, bench: Bench, hear: Hear) -> None:
        self._number = number
        self._role = Dropdown(options=ROLES, layout=_NARROW, tooltip=f"role of message {number + 1}")
        self._remove = Button(description="Remove", tooltip=f"remove message {number + 1}", layout=_FITTING)
        self._text = Textarea(layout=WHOLE, tooltip=f"text of message {number + 1}")
        self._role.observe(hear(lambda role: bench.edit(bench.draft.with_turn(number, role=role))), "value")
        self._text.observe(hear(lambda text: bench.edit(bench.draft.with_turn(number, text=text))), "value")
        self._remove.on_click(hear(lambda _: bench.edit(bench.draft.without(number))))
        self.box = VBox([HBox([self._role, self._remove]), self._text])

    def paint(self, draft: Draft) -> None:
        turn = draft.turns[self._number]
        if turn.role not in self._role.options:
            self._role.options = [*self._role.options, turn.role]
        self._role.value = turn.role
        self._text.value = encodable(turn.text)
        self._text.rows = lines_of(turn.text, 2, 16)
        self._text.disabled = self._role.disabled = turn.kept is not None
        self._remove.disabled = len(draft.turns) == 1


class Values:
    """A field for every variable of the draft, and the row that fills them."""

    def __init__(self, bench: Bench, hear: Hear) -> None:
        self._bench, self._hear = bench, hear
        self._fields: dict[str, Textarea] = {}
        self._box = VBox()
        last = max(len(bench.rows), 1)
        self._row = BoundedIntText(1, min=1, max=last, description="row", layout=Layout(width="11em"))
        self._row.style.description_width = "initial"
        self._note = Label()
        before = Button(description="Previous row", layout=_FITTING)
        after = Button(description="Next row", layout=_FITTING)
        before.on_click(hear(lambda _: bench.go(bench.position - 1)))
        after.on_click(hear(lambda _: bench.go(bench.position + 1)))
        self._row.observe(hear(lambda number: bench.go(number - 1)), "value")
        steps = HBox([before, self._row, after, self._note])
        self.box = VBox([steps, self._box] if bench.rows else [self._box])

    def paint(self) -> None:
        bench = self._bench
        if bench.rows:
            self._row.value = bench.position + 1
            row = bench.rows[bench.position]
            self._note.value = one_line(f"of {len(bench.rows):,} · {getattr(row, 'id', '')[:8]}").rstrip(" ·")
        names = bench.variables
        if names or bench.look.prompt is not None:  # while a template is broken its fields stay
            self._show(names)
        for name, field in self._fields.items():
            field.value = encodable(bench.fields.texts.get(name, ""))
            field.rows = lines_of(field.value, 1, 8)

    def _show(self, names: list[str]) -> None:
        for name in names:
            if name not in self._fields:
                self._fields[name] = self._field(name)
        shown = [self._fields[name] for name in names]
        if list(self._box.children) != shown:
            self._box.children = shown

    def _field(self, name: str) -> Textarea:
        field = Textarea(description=name, layout=WHOLE, rows=1)
        field.observe(self._hear(lambda text: self._bench.type(name, text)), "value")
        return field


def lines_of(text: str, least: int, most: int) -> int:
    """How many lines a box needs for a text, about."""
    lines = sum(1 + len(line) // 60 for line in text.split("\n")[: most + 1])
    return min(max(lines, least), most)
