"""gt.form: a field for each parameter by its type, and a run that is just what a terminal would start."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import BoundedIntText, Checkbox, DatePicker, Dropdown, Text, Textarea
from notebook_cells import KEEPS, written
from released import released

import gen_toolkit as gt
from gen_toolkit.errors import NotFound
from gen_toolkit.jobs.parameters import read_parameters
from gen_toolkit.releases.promotion.promote import promote
from gen_toolkit.widgets import form as form_module
from gen_toolkit.widgets.command import Command
from gen_toolkit.widgets.form_panel import FormPanel
from gen_toolkit.widgets.form_state import FormState

DECLARED = """from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal
from annotated_types import Ge, Le
from gen_toolkit import Secret
class Tone(Enum):
    calm = "quiet"
    loud = 2
limit: Annotated[int, Ge(1), Le(100)] = 20  # how many <b>rows</b>
free: int = 3
mode: Literal["fast", "careful"] | None = None
tone: Tone = Tone.calm
dry: bool = False
maybe: bool | None = None
day: date = date(2026, 1, 31)
tags: list[str] = []
extra: Any = {}
key: Secret = Secret("env:KEY")
"""


@pytest.fixture
def panel() -> FormPanel:
    return FormPanel(FormState("label", 1, read_parameters(DECLARED)))


def field(panel: FormPanel, name: str) -> Any:
    return next(row.children[0] for row in panel.box.children[1:-3] if row.children[0].description == name)


def test_each_type_has_its_field(panel: FormPanel) -> None:
    kinds = {item.name: type(field(panel, item.name)) for item in panel.state.parameters.items}
    assert kinds == {
        "limit": BoundedIntText, "free": Text, "mode": Dropdown, "tone": Dropdown, "dry": Checkbox, "maybe": Dropdown,
        "day": DatePicker, "tags": Textarea, "extra": Textarea, "key": Text,
    }  # fmt: skip
    assert field(panel, "mode").options == ("fast", "careful", "null")
    assert field(panel, "tone").options == ("calm", "loud")
    assert (field(panel, "limit").min, field(panel, "limit").max) == (1, 100)


def test_what_is_put_into_fields_comes_into_the_command(panel: FormPanel) -> None:
    import datetime

    for name, value in {"limit": 7, "mode": "careful", "tone": "loud", "dry": True, "maybe": "false"}.items():
        field(panel, name).value = value
    field(panel, "day").value = datetime.date(2026, 12, 31)
    assert panel.state.command == (
        "gen run label -p limit=7 -p mode=careful -p tone=loud -p dry=true -p maybe=false -p day=2026-12-31"
    )
    assert panel.state.problems == {}


def test_what_is_wrong_is_said_beside_the_field_and_nothing_can_be_started(panel: FormPanel) -> None:
    field(panel, "tags").value = "<script>alert(1)</script>"
    row = next(row for row in panel.box.children[1:-3] if row.children[0].description == "tags")
    assert "list" in row.children[1].children[1].value
    assert "<script>" not in row.children[1].children[1].value
    buttons = panel.box.children[-2].children
    assert (buttons[0].disabled, buttons[1].disabled) == (True, True)
    field(panel, "tags").value = "[]"
    assert not buttons[0].disabled


def test_a_description_is_text(panel: FormPanel) -> None:
    said = panel.box.children[1].children[1].children[0].value
    assert "int &gt;= 1 and &lt;= 100 · how many &lt;b&gt;rows&lt;/b&gt;" in said


def test_outside_a_notebook_it_is_a_line(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gt.form("label") is None
    assert "no form for 'label': this is a script" in capsys.readouterr().err


def test_in_a_notebook_it_is_of_the_live_release(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_module, "surface", lambda: "notebook")
    released(workspace)
    promote(written(workspace / "notebooks/label.ipynb", KEEPS, parameters="word: str = 'x'"), "label")
    assert repr(gt.form("label")) == "Form('gen run label')"
    named = gt.form("label", release=1)
    assert named is not None
    assert named.command == "gen run label --release 1"
    with pytest.raises(NotFound):
        gt.form("nowhere")


def test_a_command_tells_its_lines_and_how_it_ended(workspace: Path) -> None:
    ended = threading.Event()
    said: list[Any] = []
    lines: list[str] = []

    def end(code: int, printed: str) -> None:
        said.extend([code, printed])
        ended.set()

    command = Command(["run", "nowhere"], lines.append)
    command.start(end)
    assert ended.wait(120)
    assert said[0] == 2
    assert "there is no pipeline 'nowhere'" in said[1]
    assert lines == [said[1]]
    assert command.is_over
    command.stop()  # of what is over: nothing
