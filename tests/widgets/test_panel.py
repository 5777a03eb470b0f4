"""The widgets without a browser: what a click does, and that nobody waits for a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from held import Held
from mlflow_store import Store
from openai_server import OpenAIServer, streamed

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import PromptNotFound, UnknownAlias
from gen_toolkit.widgets import playground as module
from gen_toolkit.widgets.playground import Playground

PATIENCE = 30  # seconds
LABEL = gt.Prompt("label", user="{{ text }}: {{ labels | join(' or ') }}?", defaults={"labels": ["good", "bad"]})
ROWS = [{"text": "Great fun."}, {"text": "A bore."}]


@pytest.fixture(autouse=True)
def in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "surface", lambda: "notebook")


@pytest.fixture
def aliases(workspace: Path, server: OpenAIServer) -> None:
    lines = f'model = "m"\nbase_url = "{server.url}"\nprice = {{ input = 1, output = 2 }}\n'
    text = f'model = "fast"\n[models.fast]\n{lines}[models.good]\n{lines}'
    (workspace / "gen_toolkit.toml").write_text(text, encoding="utf-8")


def opened(*arguments: Any, **named: Any) -> Playground:
    made = gt.playground(*arguments, **named)
    assert made is not None
    return made


def widgets(of: Playground, kind: type) -> Iterator[Any]:
    def below(widget: Any) -> Iterator[Any]:
        yield widget
        for child in getattr(widget, "children", ()):
            yield from below(child)

    return (found for found in below(of._panel.box) if isinstance(found, kind))


def button(of: Playground, named: str) -> Any:
    return next(b for b in widgets(of, ipywidgets.Button) if named in (b.description, b.tooltip))


def field(of: Playground, named: str) -> Any:
    kinds = (ipywidgets.Textarea, ipywidgets.Text, ipywidgets.Checkbox, ipywidgets.Dropdown)
    return next(w for w in widgets(of, kinds) if named in (w.description, w.tooltip))


def shown(of: Playground) -> str:
    return "\n".join(html.value for html in widgets(of, ipywidgets.HTML))


def has_run(of: Playground) -> bool:
    """Whether the widgets show that nobody is asked any more."""
    return button(of, "Stop").button_style == ""


def wait(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_typing_renders_at_once_and_a_fault_stops_the_run_button(aliases: None) -> None:
    desk = opened(LABEL, ROWS)
    assert "Great fun.: good or bad?" in shown(desk)
    field(desk, "text of message 1").value = "{{ text"
    assert "message 1 (user): the template cannot be parsed" in shown(desk)
    assert button(desk, "Run").disabled
    field(desk, "text of message 1").value = "{{ text }} And {{ mood }}?"
    assert "needs a value for &#x27;mood&#x27;" in shown(desk)
    field(desk, "mood").value = "mood"
    assert "Great fun. And mood?" in shown(desk)
    assert not button(desk, "Run").disabled
    assert desk.prompt.variables == {"text", "mood"}


def test_rows_are_stepped_through(aliases: None) -> None:
    desk = opened(LABEL, ROWS)
    button(desk, "Next row").click()
    assert field(desk, "text").value == "A bore."
    assert "of 2" in next(widgets(desk, ipywidgets.Label)).value
    button(desk, "Previous row").click()
    assert "Great fun.: good or bad?" in shown(desk)


def test_messages_are_added_removed_and_change_their_role(aliases: None) -> None:
    desk = opened(LABEL, ROWS)
    button(desk, "Add message").click()
    field(desk, "text of message 2").value = "Sure."
    field(desk, "role of message 1").value = "system"
    assert [(m["role"], m["content"]) for m in desk.prompt.messages][1] == ("assistant", "Sure.")
    assert desk.prompt.messages[0]["role"] == "system"
    button(desk, "remove message 1").click()
    assert field(desk, "text of message 1").value == "Sure."
    assert button(desk, "remove message 1").disabled


def test_a_run_does_not_wait_and_shows_what_has_come(aliases: None, server: OpenAIServer) -> None:
    held = Held("goo", "d")
    server.say(held)
    desk = opened(LABEL, ROWS, model=["fast", "good"])
    button(desk, "Run").click()
    wait(lambda: shown(desk).count("goo</pre>") == 2)
    button(desk, "Run").click()
    assert "try 1 is still running" in shown(desk)
    field(desk, "text").value = "typed meanwhile"
    assert "typed meanwhile: good or bad?" in shown(desk)
    held.go.set()
    wait(lambda: has_run(desk))
    assert shown(desk).count("good</pre>") == 2
    assert "12 → 3 tokens · $0.000018" in shown(desk)
    assert [a.reply.text for a in desk.tries[0].answers if a.reply] == ["good", "good"]


def test_stop_keeps_the_text_and_frees_the_run_button(aliases: None, server: OpenAIServer) -> None:
    server.say(Held("goo", "d"))
    desk = opened(LABEL, ROWS)
    button(desk, "Run").click()
    wait(lambda: "goo</pre>" in shown(desk))
    desk.stop()
    wait(lambda: has_run(desk))
    assert "stopped" in shown(desk)
    assert server.hung_up.wait(PATIENCE)


def test_stopped_before_it_began_is_over_all_the_same(aliases: None, server: OpenAIServer) -> None:
    server.say(Held("goo", "d"))
    desk = opened(LABEL, ROWS)
    button(desk, "Run").click()
    button(desk, "Stop").click()
    wait(lambda: has_run(desk))
    assert desk.tries[0].answers[0].state == "stopped"


def test_one_goes_back_to_a_try(aliases: None, server: OpenAIServer) -> None:
    server.say(streamed("first"), streamed("second"))
    desk = opened(LABEL, ROWS)
    for text in ("{{ text }} 1", "{{ text }} 2"):
        field(desk, "text of message 1").value = text
        button(desk, "Run").click()
        wait(lambda: has_run(desk))
    assert "second</pre>" in shown(desk)
    field(desk, "tries").value = 1
    assert "first</pre>" in shown(desk)
    assert "second</pre>" not in shown(desk)
    assert field(desk, "text of message 1").value == "{{ text }} 1"
    field(desk, "text of message 1").value = "{{ text }} 3"
    assert field(desk, "tries").label == "changed since try 1"


def test_a_version_is_saved_and_live_is_refused_with_the_advice(aliases: None, store: Store) -> None:
    desk = opened(LABEL, ROWS)
    field(desk, "text of message 1").value = "{{ text }}?"
    field(desk, "note").value, field(desk, "alias").value = "shorter", "live"
    button(desk, "Save version").click()
    wait(lambda: "moves with an evaluation, not with a save" in shown(desk))
    assert "gen prompts promote label VERSION live" in shown(desk)
    field(desk, "alias").value = "staging"
    button(desk, "Save version").click()
    wait(lambda: "saved as label@1, which staging points to now" in shown(desk))
    assert gt.load_prompt("label@staging") == desk.prompt
    assert "version 1" in shown(desk)
    assert not button(desk, "Save version").disabled


def test_changes_are_against_the_newest_version_of_the_registry(aliases: None, store: Store) -> None:
    gt.Prompt("label", user="{{ text }}: saved").save()
    desk = opened(LABEL, ROWS)
    next(widgets(desk, ipywidgets.ToggleButtons)).value = "Changes"
    wait(lambda: "against label@1" in shown(desk))
    assert "saved</del>" in shown(desk)


def test_a_registry_that_is_none_is_a_line(
    aliases: None, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    desk = opened(LABEL, ROWS)
    button(desk, "Save version").click()
    wait(lambda: "does not answer as it should" in shown(desk))
    assert not button(desk, "Save version").disabled


def test_code_and_models_are_those_that_are_chosen(aliases: None) -> None:
    desk = opened(LABEL, ROWS)
    field(desk, "fast").value, field(desk, "good").value = False, True
    next(widgets(desk, ipywidgets.ToggleButtons)).value = "Code"
    assert "gt.stream(rendered, model=&quot;good&quot;)" in shown(desk)
    field(desk, "good").value = False
    assert button(desk, "Run").disabled


def test_it_opens_on_a_reference_on_a_new_name_and_on_a_model_of_ones_own(aliases: None, store: Store) -> None:
    LABEL.save(alias="staging")
    assert opened("label@staging").prompt.version == 1
    fresh = opened("brand-new", model=gt.ScriptedModel("hello", name="mine"))
    field(fresh, "text of message 1").value = "Hi."
    button(fresh, "Run").click()
    wait(lambda: "hello</pre>" in shown(fresh))
    with pytest.raises(PromptNotFound):
        opened("label@nowhere")
    with pytest.raises(UnknownAlias):
        opened(LABEL, model="nobody")


def test_it_shows_itself_and_says_what_it_is_where_there_are_no_widgets(aliases: None) -> None:
    desk = opened(LABEL, ROWS)
    bundle = desk._repr_mimebundle_()
    assert bundle["text/plain"] == repr(desk) == "Playground('label', 0 tries)"
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize("where", ["job", "script"])
def test_elsewhere_it_prints_one_line_and_returns(
    where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "surface", lambda: where)
    before = scope.current()
    assert gt.playground(LABEL, "no such file") is None
    assert capsys.readouterr().err == (f"no playground for 'label': this is a {where}, and widgets are for notebooks\n")
    assert scope.current() == before
