"""The widgets of a form: a field for each parameter, what is wrong, the command, and how its run goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Button, HBox, Layout, VBox

from gen_toolkit import text
from gen_toolkit.jobs.shape import described
from gen_toolkit.widgets import markup
from gen_toolkit.widgets.command import Command
from gen_toolkit.widgets.form_fields import field
from gen_toolkit.widgets.form_state import FormState

_PRE = "white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0"


class FormPanel:
    """Draws a state, and does to it what a person does to the widgets. One run at a time."""

    def __init__(self, state: FormState) -> None:
        self.state = state
        self._lock = threading.Lock()
        self._command: Command | None = None
        self._faults = {item.name: HTML() for item in state.parameters.items}
        rows = [self._row(item) for item in state.parameters.items]
        self._line, self._progress, self._outcome = HTML(), HTML(), HTML()
        self._run = Button(description="Run", icon="play", button_style="primary", layout=Layout(width="8em"))
        self._stop = Button(description="Stop", icon="stop", layout=Layout(width="8em"))
        self._run.on_click(lambda _: self.run())
        self._stop.on_click(lambda _: self.stop())
        heading = HTML(markup.heading(state.pipeline, f"release {state.release}"))
        buttons = HBox([self._run, self._stop, self._progress])
        self.box = VBox([heading, *rows, self._line, buttons, self._outcome])
        self._paint()

    def _row(self, item: Any) -> HBox:
        said = markup.quiet(" · ".join(filter(None, [described(item.type), item.description])))
        beside = VBox([HTML(said), self._faults[item.name]], layout=Layout(min_width="0", flex="1 1 12em"))
        return HBox([field(item, self._hear(item.name)), beside], layout=Layout(flex_flow="row wrap"))

    def _hear(self, name: str) -> Callable[[str], None]:
        def heard(typed: str) -> None:
            self.state.type(name, typed)
            self._paint()

        return heard

    def run(self) -> None:
        """Start the job; returns at once. What it says is shown as it comes."""
        with self._lock:
            if self.state.problems or (self._command is not None and not self._command.is_over):
                return
            self._command = Command(self.state.arguments, self._say)
        self._progress.value = markup.quiet("starting …")
        self._outcome.value = ""
        self._paint()
        self._command.start(self._ended)

    def stop(self) -> None:
        if self._command is not None:
            self._command.stop()

    def _say(self, line: str) -> None:
        self._progress.value = markup.quiet(text.one_line(line, 110))

    def _ended(self, code: int, said: str) -> None:
        self._progress.value = markup.quiet(f"ended with exit code {code}")
        self._outcome.value = f'<pre data-shown="outcome" style="{_PRE}">{text.html(said)}</pre>'
        self._paint()

    def _paint(self) -> None:
        is_running = self._command is not None and not self._command.is_over
        for name, shown in self._faults.items():
            shown.value = markup.fault(self.state.problems.get(name, ""))
        self._line.value = (
            f'<pre data-shown="command" style="{_PRE};user-select:all">{text.html(self.state.command)}</pre>'
        )
        self._run.disabled = bool(self.state.problems) or is_running
        self._stop.disabled = not is_running
