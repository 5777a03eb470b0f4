"""A playground's widgets put together, and the one place where threads meet.

What is typed and clicked comes on the kernel's thread for widgets; pieces of answers come on the toolkit's
loop; saving and looking into the registry go on threads of their own. All of them change widgets under one
lock, and the loop never waits for it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any

from ipywidgets import HTML, Button, HBox, Layout, Text, ToggleButtons, VBox

from gen_toolkit.loop import event_loop
from gen_toolkit.models.gateway import Model
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.widgets import markup
from gen_toolkit.widgets.asking import ask_all, one_line_of
from gen_toolkit.widgets.bench import Bench
from gen_toolkit.widgets.columns import Columns
from gen_toolkit.widgets.editor import WHOLE, Editor, Values
from gen_toolkit.widgets.tries import Answer
from gen_toolkit.widgets.versions import newest_version

_EVERY = 0.05  # seconds between two looks at what has come
_HALF = Layout(flex="1 1 24em", min_width="0", padding="0 8px 0 0")
_WRAPPED = Layout(flex_flow="row wrap", align_items="flex-start")
_VIEWS = ("Rendered", "Changes", "Code")


class Panel:
    """Draws a bench, and does to it what a person does to the widgets."""

    def __init__(self, bench: Bench, models: Mapping[str, Model]) -> None:
        self.bench, self._models = bench, models
        self._lock, self._painting = threading.RLock(), False
        self._asked: asyncio.Task[None] | None = None
        self._due = False
        self._said, self._is_looked_up = "", bench.base.version is not None
        self._editor, self._values = Editor(bench, self._hear), Values(bench, self._hear)
        self._columns = Columns(bench, list(models), self._hear, self.run, self.stop)
        self._heading, self._fault, self._side, self._note = HTML(), HTML(), HTML(), HTML()
        self._view = ToggleButtons(options=_VIEWS, style={"button_width": "auto"})
        self._view.observe(self._hear(lambda _: self._look_up()), "value")
        self._comment = Text(placeholder="what changed, and why", description="note", layout=Layout(flex="2 1 16em"))
        self._alias = Text(placeholder="staging", description="alias", layout=Layout(flex="1 1 10em"))
        self._save = Button(description="Save version", icon="save", layout=Layout(width="10em"))
        self._save.on_click(self._hear(lambda _: self.save(self._comment.value, self._alias.value.strip())))
        left = VBox([self._editor.box, self._values.box], layout=_HALF)
        self._side.layout = Layout(max_height="34em", overflow="auto")
        right = VBox([self._view, self._fault, self._side], layout=_HALF)
        saving = HBox([self._comment, self._alias, self._save], layout=_WRAPPED)
        halves = HBox([left, right], layout=_WRAPPED)
        self.box = VBox([self._heading, halves, self._columns.box, saving, self._note], layout=WHOLE)
        self._paint()

    def run(self) -> None:
        """Ask the chosen models; returns at once."""
        begun = self.bench.begin(time.time())
        rendered = self.bench.look.rendered
        assert rendered is not None, "there is no try without messages"
        models = {name: self._models[name] for name in begun.models}
        self._said = ""

        def tell(column: int, answer: Answer) -> None:
            self.bench.answered(begun.number, column, answer)
            self._soon()

        def start() -> None:
            self._asked = event_loop().create_task(ask_all(rendered, models, begun.streamed, tell))
            self._asked.add_done_callback(lambda _: self._ended(begun.number))

        event_loop().call_soon_threadsafe(start)

    def stop(self) -> None:
        """End what is being asked: connections are closed, and what has come stays."""
        event_loop().call_soon_threadsafe(lambda: self._asked and self._asked.cancel())

    def _ended(self, number: int) -> None:
        """On the loop: what was stopped before it began is over, too."""
        self.bench.end(number)
        self._soon()

    def save(self, comment: str, alias: str) -> None:
        """Save the draft as a version; returns at once, and says in a line what came of it."""
        prompt = self.bench.draft.prompt()
        self._say("saving …")
        self._save.disabled = True

        def work() -> Callable[[], object]:
            saved = prompt.save(comment, alias=alias or None)
            return lambda: self._saved(saved, alias)

        self._aside(work)

    def _saved(self, version: Prompt, alias: str) -> None:
        self.bench.saved(version)
        self._is_looked_up = True
        self._comment.value = ""
        self._say(f"saved as {version.reference}{f', which {alias} points to now' if alias else ''}")

    def _look_up(self) -> None:
        """Changes are shown against the newest version, which is looked for when somebody wants to see them."""
        if self._view.value != "Changes" or self._is_looked_up:
            return
        name = self.bench.base.name
        self._say("looking for the saved version …")

        def work() -> Callable[[], object]:
            found = newest_version(name)
            return lambda: self._found(found)

        self._aside(work)

    def _found(self, version: Prompt | None) -> None:
        self._is_looked_up = True
        self._say("")
        if version is not None:
            self.bench.compare_with(version)

    def _aside(self, work: Callable[[], Callable[[], object]]) -> None:
        """Do slow work on a thread of its own, and then what it returns as if a person had done it."""

        def done() -> None:
            try:
                then = work()
            except Exception as error:  # noqa: BLE001 - it is said where a person looks
                then = _raiser(error)
            self._act(then)

        threading.Thread(target=copy_context().run, args=(done,), daemon=True, name="gen_toolkit playground").start()

    def _hear(self, act: Callable[[Any], object]) -> Callable[[Any], None]:
        def heard(change: Any) -> None:
            with self._lock:
                if not self._painting:  # else it is what was just painted that comes back
                    self._act(lambda: act(change["new"] if isinstance(change, Mapping) else change))

        return heard

    def _act(self, act: Callable[[], object]) -> None:
        with self._lock:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - what a widget's callback raises is seen by nobody
                self._say(one_line_of(error), is_fault=True)
            self._paint()

    def _say(self, line: str, *, is_fault: bool = False) -> None:
        self._said = markup.fault(line) if is_fault else markup.quiet(line)
        self._save.disabled = False

    def _soon(self) -> None:
        """On the loop: paint a moment later, once for all that has come by then."""
        if not self._due:
            self._due = True
            event_loop().call_later(_EVERY, self._paint_answers)

    def _paint_answers(self) -> None:
        self._due = False
        if not self._lock.acquire(blocking=False):
            self._soon()
            return
        try:
            self._painting = True
            self._columns.paint_answers()
        finally:
            self._painting = False
            self._lock.release()

    def _paint(self) -> None:
        self._painting = True
        try:
            self._editor.paint()
            self._values.paint()
            self._columns.paint()
            self._heading.value = markup.heading(self.bench.base.name, self.bench.standing)
            self._fault.value = markup.fault(self.bench.look.error)
            self._side.value = self._looked_at()
            self._note.value = self._said
        finally:
            self._painting = False

    def _looked_at(self) -> str:
        if self._view.value == "Changes":
            return markup.changes(self.bench.changes, self.bench.base_name)
        if self._view.value == "Code":
            return markup.code(self.bench.code)
        rendered = self.bench.look.rendered
        return "" if rendered is None else markup.messages(rendered)


def _raiser(error: Exception) -> Callable[[], object]:
    def again() -> None:
        raise error

    return again
