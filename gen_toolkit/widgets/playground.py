"""gt.playground: a prompt to try by hand, against several models, in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gen_toolkit import display
from gen_toolkit.datasets.read import dataset
from gen_toolkit.models.gateway import Model
from gen_toolkit.models.scripted import ScriptedModel
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.registry import load_prompt
from gen_toolkit.settings import load_settings
from gen_toolkit.surface import surface
from gen_toolkit.widgets.bench import Bench
from gen_toolkit.widgets.tries import Try


def playground(prompt: Prompt | str, rows: Any = None, *, model: Model | Sequence[Model] = None) -> Playground | None:
    """Edit a prompt, fill in its variables and ask models side by side, with widgets below the cell.

    `prompt` is a prompt, a reference (`label-review@staging`), or a name for a new one. `rows` is anything
    that `gt.dataset` takes: its rows fill in the variables, one after the other. `model` names the aliases
    that are chosen at first (default: the setting `model`); all aliases of the settings can be chosen.

    In a job or a script it prints one line and returns nothing: what is typed into widgets was not reviewed.
    Raises PromptNotFound, DatasetError, UnknownAlias.
    """
    if surface() != "notebook":
        name = prompt if isinstance(prompt, str) else prompt.name
        display.say(f"no playground for {name!r}: this is a {surface()}, and widgets are for notebooks")
        return None
    models, chosen = _models(model)
    return Playground(Bench(_opened(prompt), () if rows is None else dataset(rows), chosen), models)


def _opened(prompt: Prompt | str) -> Prompt:
    if not isinstance(prompt, str):
        return prompt
    return load_prompt(prompt) if "@" in prompt else Prompt(prompt, user="")


def _models(given: Model | Sequence[Model]) -> tuple[dict[str, Model], list[str]]:
    """Every model that can be chosen by its name, and the names of those that are."""
    settings = load_settings().settings
    named = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    known: dict[str, Model] = {name: name for name in dict.fromkeys([*settings.models, "local"])}
    chosen = []
    for each in named:
        name = each.name if isinstance(each, ScriptedModel) else settings.alias(each)[0]
        known[name] = each if isinstance(each, ScriptedModel) else name
        chosen.append(name)
    return known, chosen


class Playground:
    """What `gt.playground` returns. It shows itself; `prompt` and `tries` hold what came of it."""

    def __init__(self, bench: Bench, models: Mapping[str, Model]) -> None:
        from gen_toolkit.widgets.panel import Panel

        self._panel = Panel(bench, models)

    @property
    def prompt(self) -> Prompt:
        """The prompt as it stands in the editor. Raises PromptError while that is none."""
        return self._panel.bench.draft.prompt()

    @property
    def tries(self) -> tuple[Try, ...]:
        """Every try with its answers, the first one first."""
        return tuple(self._panel.bench.tries)

    def stop(self) -> None:
        """End what is being asked."""
        self._panel.stop()

    def __repr__(self) -> str:
        return f"Playground({self._panel.bench.base.name!r}, {len(self.tries)} tries)"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown = self._panel.box._repr_mimebundle_()
        return {**(shown[0] if isinstance(shown, tuple) else shown), "text/plain": repr(self)}
