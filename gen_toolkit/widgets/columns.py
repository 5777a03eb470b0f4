"""The lower part of a playground: models, run and stop, the tries, and answers side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ipywidgets import HTML, Button, Checkbox, Dropdown, GridBox, HBox, Layout, VBox

from gen_toolkit.text import one_line
from gen_toolkit.widgets import markup
from gen_toolkit.widgets.bench import Bench
from gen_toolkit.widgets.editor import WHOLE, Hear

_WRAPPED = Layout(flex_flow="row wrap", align_items="center")
_SIDE_BY_SIDE = Layout(grid_template_columns="repeat(auto-fit, minmax(16em, 1fr))", grid_gap="0 8px")
_AUTO = Layout(width="auto", margin="2px 12px 2px 0")
_NOW = 0  # among the tries: none of them, but what stands in the editor


class Columns:
    """What is asked of whom, and what they said."""

    def __init__(
        self, bench: Bench, known: Sequence[str], hear: Hear, run: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        self._bench = bench
        self._models = {name: Checkbox(description=one_line(name), indent=False, layout=_AUTO) for name in known}
        for box in self._models.values():
            box.observe(hear(lambda _: bench.choose(self._chosen())), "value")
        self._stream = Checkbox(description="stream", indent=False, layout=_AUTO)
        self._run = Button(description="Run", icon="play", button_style="primary", layout=Layout(width="8em"))
        self._stop = Button(description="Stop", icon="stop", layout=Layout(width="8em"))
        self._tries = Dropdown(layout=Layout(width="auto", max_width="40em"), tooltip="tries")
        self._answers = GridBox(layout=_SIDE_BY_SIDE)
        self._stream.observe(hear(bench.stream), "value")
        self._run.on_click(hear(lambda _: run()))
        self._stop.on_click(hear(lambda _: stop()))
        self._tries.observe(hear(self._back), "value")
        models = HBox(list(self._models.values()), layout=_WRAPPED)
        buttons = HBox([self._run, self._stop, self._stream, self._tries], layout=_WRAPPED)
        self.box = VBox([models, buttons, self._answers], layout=WHOLE)

    def _chosen(self) -> list[str]:
        return [name for name, box in self._models.items() if box.value]

    def _back(self, number: int) -> None:
        if number != _NOW:
            self._bench.back(number)

    def paint(self) -> None:
        for name, box in self._models.items():
            box.value = name in self._bench.models
        self._stream.value = self._bench.streamed
        self.paint_answers()

    def paint_answers(self) -> None:
        """What changes while models answer, and nothing that a person may be typing into."""
        bench = self._bench
        shown = bench.shown_try
        now = "not run yet" if shown is None else f"changed since try {shown.number}"
        wanted = ((now, _NOW), *((one_line(str(each), 120), each.number) for each in reversed(bench.tries)))
        if self._tries.options != wanted:
            self._tries.options = wanted
        self._tries.value = _NOW if shown is None or bench.is_changed else shown.number
        answers = () if shown is None else shown.answers
        if len(self._answers.children) != len(answers):
            self._answers.children = [HTML() for _ in answers]
        for box, answer in zip(self._answers.children, answers, strict=True):
            box.value = markup.answer(answer)
        # Of the two buttons neither is disabled by being pressed: it would lose the focus, and the keys with it.
        self._run.disabled = bench.look.rendered is None or not bench.models
        self._stop.button_style = "warning" if bench.is_running else ""
