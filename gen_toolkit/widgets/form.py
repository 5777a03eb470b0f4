"""gt.form: a pipeline's parameters as a form in a notebook, with the command that it comes to, and a button."""

from __future__ import annotations

from typing import Any

from gen_toolkit import display
from gen_toolkit.releases.overview import pipeline_named
from gen_toolkit.releases.parameters import released_parameters
from gen_toolkit.surface import surface
from gen_toolkit.widgets.form_state import FormState


def form(pipeline: str, *, release: int | None = None) -> Form | None:
    """Fill in the parameters of a pipeline's live release (or of `release`), and run it as `gen run` would.

    What is put in is checked as it is typed. In a job or a script it prints one line and returns nothing.
    Raises NotFound, ReleaseError.
    """
    if surface() != "notebook":
        display.say(f"no form for {pipeline!r}: this is a {surface()}, and widgets are for notebooks")
        return None
    folder = pipeline_named(pipeline).release_folder(release)
    return Form(FormState(pipeline, int(folder.name), released_parameters(folder), is_named=release is not None))


class Form:
    """What `gt.form` returns. It shows itself."""

    def __init__(self, state: FormState) -> None:
        from gen_toolkit.widgets.form_panel import FormPanel

        self._panel = FormPanel(state)

    @property
    def command(self) -> str:
        """What one would type in a terminal to run the same."""
        return self._panel.state.command

    def stop(self) -> None:
        """End the run that was started here, as Ctrl-C would."""
        self._panel.stop()

    def __repr__(self) -> str:
        return f"Form({self.command!r})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown = self._panel.box._repr_mimebundle_()
        return {**(shown[0] if isinstance(shown, tuple) else shown), "text/plain": repr(self)}
