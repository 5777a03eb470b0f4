"""An object finds its interactive view by entry point, in notebooks only."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from gen_toolkit import views
from gen_toolkit.errors import SettingError

PLAIN = {"text/plain": "plain", "text/html": "<b>plain</b>"}


class Widget:
    def __init__(self, of: object) -> None:
        self.of = of

    def _repr_mimebundle_(self) -> dict[str, Any]:
        return {"text/plain": "Widget()", views.WIDGET: {"model_id": str(self.of)}}


def provided(monkeypatch: pytest.MonkeyPatch, surface: str, *points: EntryPoint) -> None:
    monkeypatch.setattr(views, "surface", lambda: surface)
    monkeypatch.setattr(views, "entry_points", lambda group, name: [p for p in points if p.name == name])


def test_in_a_notebook_the_view_is_laid_over_the_plain_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    provided(monkeypatch, "notebook", EntryPoint("thing", "test_views:Widget", "gen_toolkit.views"))
    assert views.with_view("thing", "it", PLAIN) == {**PLAIN, views.WIDGET: {"model_id": "it"}}
    assert views.with_view("other", "it", PLAIN) == PLAIN


@pytest.mark.parametrize("surface", ["job", "script"])
def test_in_a_job_or_script_no_view_is_even_loaded(monkeypatch: pytest.MonkeyPatch, surface: str) -> None:
    provided(monkeypatch, surface, EntryPoint("thing", "not_there:View", "gen_toolkit.views"))
    assert views.with_view("thing", "it", PLAIN) == PLAIN


def test_a_view_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    provided(monkeypatch, "notebook", EntryPoint("thing", "not_there:View", "gen_toolkit.views"))
    with pytest.raises(SettingError, match="the view 'thing' of package 'not_there:View' cannot be loaded"):
        views.with_view("thing", "it", PLAIN)
