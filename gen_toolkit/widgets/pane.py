"""A box of HTML that hears keys and clicks. The one widget that has JavaScript of its own; views are built on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Pane(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """What is shown is made in the kernel, as escaped HTML; what is pressed comes back, in order.

    The module is sent by the kernel and fetches nothing. In JupyterLab the box is out of reach of the
    notebook's own single-letter commands while it has the focus.
    """

    _esm = (_HERE / "pane.js").read_text(encoding="utf-8")
    _css = (_HERE / "pane.css").read_text(encoding="utf-8")

    html = traitlets.Unicode().tag(sync=True)
    on = traitlets.Unicode().tag(sync=True)
    """What is shown, by a name of its own; it comes back with each event, so that none hits what was not seen."""
    heard = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Keys that are told to the kernel, by their names in a browser (`j`, `ArrowLeft`); others do what they do."""
    fields = traitlets.Dict().tag(sync=True)
    """From a key to the field that it brings the cursor into."""

    def __init__(
        self,
        keys: Sequence[str],
        fields: Mapping[str, str],
        hear: Callable[[str, str, str], None],
        draw: Callable[[], tuple[str, str]],
    ) -> None:
        """`hear` is told (what, value, on) of each event; then `draw` returns (html, on)."""
        html, on = draw()
        super().__init__(html=html, on=on, heard=list(keys), fields=dict(fields))
        self._hear, self._draw = hear, draw
        self.on_msg(self._receive)

    def _receive(self, _: Any, message: Any, __: Any) -> None:
        what, value, on = (str(message.get(key) or "") for key in ("do", "value", "on"))
        self._hear(what, value, on)
        html, now = self._draw()
        with self.hold_sync():
            self.html, self.on = html, now
