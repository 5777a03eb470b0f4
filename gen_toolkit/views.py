"""The interactive view of an object, found by entry point: what is below the widgets does not import them.

The group is `gen_toolkit.views`, the name is the kind of object (`comparison`, `review`), the value a
function of the object that returns a widget. It is loaded when such an object is first displayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from gen_toolkit.errors import SettingError
from gen_toolkit.surface import surface

WIDGET = "application/vnd.jupyter.widget-view+json"


def with_view(kind: str, of: object, plain: Mapping[str, str]) -> dict[str, Any]:
    """The bundle that IPython asks for: the plain one, in a notebook with the interactive view over it.

    Outside a notebook, in a job, or where no such view is installed, the plain one alone. It is also what a
    page without widgets shows (a notebook on GitHub); JupyterLab waits for the view until the cell is run again.
    """
    if surface() != "notebook":
        return dict(plain)
    view = _view(kind)
    if view is None:
        return dict(plain)
    shown = view(of)._repr_mimebundle_()
    widget = shown[0] if isinstance(shown, tuple) else shown or {}
    return {**plain, WIDGET: widget[WIDGET]} if WIDGET in widget else dict(plain)


def _view(kind: str) -> Any | None:
    for point in entry_points(group="gen_toolkit.views", name=kind):
        try:
            return point.load()
        except Exception as error:
            package = point.dist.name if point.dist else point.value
            raise SettingError(
                f"the view {kind!r} of package {package!r} cannot be loaded: {error}",
                fix=f"Repair or uninstall {package}.",
            ) from error
    return None
