"""gt.playground in a real JupyterLab and chromium, against a model on loopback."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from held import Held
from mlflow_store import Store
from openai_server import OpenAIServer, completion, error, streamed
from playwright.sync_api import Locator, expect

import gen_toolkit as gt
from tests.browser.lab import PATIENCE, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.kernel, pytest.mark.timeout(240)]
expect.set_options(timeout=PATIENCE)

IMAGE = "<img src=x onerror='window.injected=1'>"
SCRIPT = "<script>window.injected=1</script>"
OPEN = """
import gen_toolkit as gt
rows = [{"text": "Great fun."}, {"text": "A bore."}]
prompt = gt.Prompt("label", system="Label.", user="{{ text }}", defaults={})
desk = gt.playground(prompt, rows, model=MODELS)
desk
"""


class Desk:
    """An open playground, by what a person sees of it."""

    def __init__(self, notebook: Notebook, code: str = OPEN, models: str = "['fast', 'good']") -> None:
        self.notebook, self.page = notebook, notebook.page
        self.out: Locator = notebook.run(code.replace("MODELS", models))
        self.button("Run").wait_for()

    def button(self, name: str) -> Locator:
        return self.out.get_by_role("button", name=re.compile(rf"(^|\s){name}$"))  # an icon is part of its name

    def box(self, title: str) -> Locator:
        return self.out.get_by_title(title, exact=True)

    def says(self, text: str) -> None:
        expect(self.out.get_by_text(text).first).to_be_visible()

    def has_run(self) -> None:
        expect(self.button("Stop")).not_to_have_class(re.compile("mod-warning"))


def aliases(workspace: Path, server: OpenAIServer, *names: str) -> None:
    lines = f'model = "m"\nbase_url = "{server.url}"\nmax_attempts = 1\nprice = {{ input = 1, output = 2 }}\n'
    text = "".join(f'[models."{name}"]\n{lines}' for name in names)
    (workspace / "gen_toolkit.toml").write_text(f'model = "{names[0]}"\n{text}', encoding="utf-8")


@pytest.mark.long
def test_a_prompt_is_created_edited_run_on_two_models_and_saved(
    notebook: Notebook, workspace: Path, server: OpenAIServer, store: Store
) -> None:
    aliases(workspace, server, "fast", "good")
    server.say(streamed("posi", "tive"))
    desk = Desk(notebook, OPEN.replace("playground(prompt", "playground('label-review'"))

    desk.box("text of message 1").fill("{{ text }}\nPositive {{ or")
    desk.says("message 1 (user): the template cannot be parsed, line 2")
    expect(desk.button("Run")).to_be_disabled()
    desk.box("text of message 1").fill("{{ text }}\nPositive or not?")
    desk.says("Great fun.\nPositive or not?")
    desk.button("Next row").click()
    desk.says("A bore.\nPositive or not?")
    desk.out.get_by_label("text", exact=True).fill("By hand.")
    desk.says("By hand.\nPositive or not?")

    desk.button("Run").click()
    desk.has_run()
    expect(desk.out.get_by_text("positive", exact=True)).to_have_count(2)
    expect(desk.out.get_by_text("12 → 3 tokens · $0.000018")).to_have_count(2)
    assert {body["messages"][0]["content"] for body in server.seen} == {"By hand.\nPositive or not?"}

    desk.out.get_by_label("note").fill("first words")
    desk.out.get_by_label("alias").fill("live")
    desk.button("Save version").click()
    desk.says("moves with an evaluation, not with a save")
    desk.out.get_by_label("alias").fill("staging")
    desk.button("Save version").click()
    desk.says("saved as label-review@1, which staging points to now")
    assert gt.load_prompt("label-review@staging").messages[0]["content"] == "{{ text }}\nPositive or not?"

    desk.box("text of message 1").fill("{{ text }}\nGood or not?")
    desk.button("Changes").click()
    expect(desk.out.locator("del")).to_have_text("Positive")
    expect(desk.out.locator("ins")).to_have_text("Good")

    desk.button("Code").click()
    desk.says("gt.Prompt(")
    code = desk.out.locator("pre", has_text="import gen_toolkit").inner_text()
    server.say(completion("positive"))
    again = notebook.run(code + "\nprint(rendered, [reply.text for reply in replies.values()])")
    expect(again).to_contain_text("By hand.\nGood or not? ['positive', 'positive']")
    said = notebook.run("print(desk.prompt.messages[0]['content'], len(desk.tries))")
    expect(said).to_contain_text("Good or not? 1")


@pytest.mark.long
def test_a_stream_shows_what_has_come_and_can_be_stopped_while_the_kernel_goes_on(
    notebook: Notebook, workspace: Path, server: OpenAIServer
) -> None:
    aliases(workspace, server, "fast", "good")
    held = Held("posi", "tive")
    server.say(held)
    desk = Desk(notebook)
    desk.button("Run").click()
    expect(desk.out.get_by_text("posi", exact=True)).to_have_count(2)
    assert not held.go.is_set()
    expect(notebook.run("print(6 * 7)")).to_have_text("42")  # the kernel is free
    held.go.set()
    expect(desk.out.get_by_text("positive", exact=True)).to_have_count(2)
    desk.has_run()

    server.say(Held("nega", "tive"))
    desk.button("Run").click()
    expect(desk.out.get_by_text("nega", exact=True)).to_have_count(2)
    desk.button("Stop").click()
    expect(desk.out.get_by_text("stopped")).to_have_count(2 + 1)  # the columns, and the try in the list
    assert server.hung_up.wait(PATIENCE / 1000)
    desk.has_run()

    desk.box("text of message 2").fill("{{ text }} Again.")
    first = desk.box("tries").locator("option", has_text="try 1").get_attribute("value")
    desk.box("tries").select_option(first)
    expect(desk.out.get_by_text("positive", exact=True)).to_have_count(2)
    expect(desk.box("text of message 2")).to_have_value("{{ text }}")


@pytest.mark.long
def test_a_model_that_fails_is_one_line_in_its_column(
    notebook: Notebook, workspace: Path, server: OpenAIServer
) -> None:
    aliases(workspace, server, "fast", "good")
    server.say(error(500, "out of order"), error(401, "no such key"), streamed("fine"))
    desk = Desk(notebook)
    desk.button("Run").click()
    desk.has_run()
    lines = desk.out.get_by_role("alert")
    expect(lines).to_have_count(2)
    assert {"500", "401"} == {code for code in ("500", "401") if code in "".join(lines.all_inner_texts())}
    assert not any("\n" in line or "Traceback" in line for line in lines.all_inner_texts())
    desk.button("Run").click()
    desk.has_run()
    expect(desk.out.get_by_text("fine", exact=True)).to_have_count(2)


@pytest.mark.long
def test_markup_in_any_text_creates_no_element(notebook: Notebook, workspace: Path, server: OpenAIServer) -> None:
    alias = "<img src=x>"
    aliases(workspace, server, "fast", alias)
    server.say(streamed(IMAGE, SCRIPT, "\ud83d"), error(400, IMAGE + SCRIPT))
    desk = Desk(
        notebook,
        f"""
import gen_toolkit as gt
hostile = {IMAGE + SCRIPT!r} + "\\ud83d"
rows = gt.dataset([{{"id": "<img src=x>", "text": hostile}}], id="id")
prompt = gt.Prompt("label", system=hostile, user="{{{{ text }}}}")
gt.playground(prompt, rows, model=["fast", {alias!r}])
""",
    )
    desk.button("Run").click()
    desk.has_run()
    expect(desk.out.get_by_role("alert").first).to_contain_text("<script>")
    desk.out.get_by_label("note").fill(IMAGE)
    desk.out.get_by_label("alias").fill(IMAGE)
    desk.button("Save version").click()
    desk.says("cannot be an alias")
    for view in ("Changes", "Code", "Rendered"):
        desk.button(view).click()
        desk.box("text of message 1").fill(f"{IMAGE} {view} {SCRIPT}")
        expect(desk.out.get_by_text(f"{view} <script>").first).to_be_visible()
    desk.box("text of message 1").fill("{{ " + IMAGE)
    desk.says("message 1 (system): the template cannot be parsed")
    assert desk.out.locator(".jupyter-widgets").locator("img, script, iframe, svg").count() == 0
    assert desk.page.evaluate("() => window.injected") is None


@pytest.mark.long
def test_everything_is_reached_by_keyboard(notebook: Notebook, workspace: Path, server: OpenAIServer) -> None:
    aliases(workspace, server, "fast", "good")
    server.say(streamed("posi", "tive"))
    desk = Desk(notebook, models="['fast']")
    keyboard = desk.page.keyboard
    desk.box("role of message 1").focus()
    reached: list[Any] = []
    for _ in range(30):
        reached.append(
            desk.page.evaluate("() => [document.activeElement.title, document.activeElement.innerText.trim()]")
        )
        keyboard.press("Tab")
    names = [name or text for name, text in reached]
    wanted = [
        "remove message 1",
        "text of message 1",
        "Add message",
        "Previous row",
        "Next row",
        "Code",
        "Run",
        "tries",
    ]
    assert [name for name in names if name in wanted] == wanted

    desk.button("Next row").focus()
    keyboard.press("Enter")
    desk.says("A bore.")
    expect(desk.button("Next row")).to_be_focused()
    desk.out.get_by_label("row", exact=True).focus()
    keyboard.press("ArrowDown")
    desk.says("Great fun.")
    desk.button("Run").focus()
    keyboard.press("Space")
    desk.has_run()
    expect(desk.out.get_by_text("positive", exact=True)).to_have_count(1)
    expect(desk.button("Run")).to_be_focused()
