"""Docs cannot lie: every setting, command, state and error that exists is written down."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

import gen_toolkit as gt
from gen_toolkit.alias import Alias
from gen_toolkit.cli.app import app
from gen_toolkit.jobs.ledger import State
from gen_toolkit.releases.pipeline import _KEYS
from gen_toolkit.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = {path.name: path.read_text(encoding="utf-8") for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}" in DOCS["settings.md"]


@pytest.mark.parametrize("name", Alias.model_fields)
def test_every_setting_of_an_alias_is_documented(name: str) -> None:
    assert f"| `{name}`" in DOCS["models.md"]


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_of_a_run_is_documented(state: str) -> None:
    assert state == "running" or f"| `{state}`" in DOCS["jobs.md"]


@pytest.mark.parametrize("key", sorted(_KEYS))
def test_every_key_of_pipeline_toml_is_documented(key: str) -> None:
    assert f"| `{key}`" in DOCS["jobs.md"]


def test_every_rule_of_gen_check_is_documented() -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("gen_toolkit/releases/rules/*.py"))
    for rule in re.findall(r'Finding\(\s*"([a-z-]+)"', rules):
        assert f"| `{rule}`" in DOCS["check.md"]


@pytest.mark.parametrize("command", [command.name for command in app.registered_commands])
def test_every_command_is_named(command: str) -> None:
    assert re.search(rf"gen {command}\b|`{command}`|make {command}\b", DOCS["README.md"] + DOCS["CHANGELOG.md"])


@pytest.mark.parametrize("name", [name for name in gt.__all__ if not name.startswith("_")])
def test_every_public_name_is_mentioned_somewhere(name: str) -> None:
    assert re.search(rf"\b{name}\b", "".join(DOCS.values()))


@pytest.mark.parametrize("path", sorted(DOCS))
def test_links_and_files_named_in_docs_exist(path: str) -> None:
    folder = ROOT if (ROOT / path).exists() else ROOT / "docs"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", DOCS[path]):
        assert (folder / target).exists(), target


def test_a_message_that_names_a_page_of_the_docs_is_right() -> None:
    named = {
        m for f in (ROOT / "gen_toolkit").rglob("*.py") for m in re.findall(r"docs/(\w+\.md)", f.read_text("utf-8"))
    }
    assert named <= set(DOCS)


def test_the_committed_release_is_what_the_notebook_of_the_demo_is() -> None:
    from gen_toolkit.ipynb import normalised_code, read_notebook
    from gen_toolkit.releases.freeze import verify

    folder = ROOT / "pipelines" / "label-reviews" / "releases" / "1"
    manifest = verify(folder)
    assert normalised_code(read_notebook(folder / "notebook.ipynb")) == normalised_code(
        read_notebook(ROOT / manifest["notebook"])
    )
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["format"] == 1


def run(path: str) -> dict[str, Any]:
    """The names that the blocks of Python on a page leave behind, run one after the other."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", DOCS[path], re.DOTALL))
    names: dict[str, Any] = {}
    exec(compile(code, path, "exec"), names)
    return names


def scripted(workspace: Path, **aliases: Mapping[str, Any]) -> None:
    lines = [f'[models.{name}]\nprovider = "scripted"\nreplies = "{name}.json"\n' for name in aliases]
    (workspace / "gen_toolkit.toml").write_text("".join(lines), encoding="utf-8")
    for name, replies in aliases.items():
        (workspace / f"{name}.json").write_text(json.dumps(replies), encoding="utf-8")


@pytest.mark.timeout(120)
def test_the_story_in_the_readme_runs(workspace: Path) -> None:
    scripted(workspace, local={"great": "positive", "*": "negative"})
    names = run("README.md")
    result = names["result"]
    assert isinstance(result, gt.evals.result.Result)  # type: ignore[attr-defined]
    assert len(result.rows) == 150
    assert result.note == "no baseline yet: label-review@live does not exist"
    assert gt.load_prompt("label-review@staging") == names["label"]


def test_the_page_on_structured_answers_runs_and_says_what_comes_out(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replies = {
        "the first program": '```json\n{"name": "Ada Lovelace", "born": 1815,}\n```',
        "born: Field required": '{"name": "Ada Lovelace", "born": 1815}',
        "When was Ada": '{"name": "Ada Lovelace"}',
        "a joy": "good",
        "weather in Oslo": {"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]},
        "temperature": "It is 21 °C in Oslo.",
        "on this picture": "A cat.",
        "one word": "Programmer.",
        "Ada Lovelace?": "The first programmer.",
    }
    vectors = {"a bore": {"vectors": [[0, 1, 0], [1, 0, 0]]}, "a joy": {"vectors": [[0, 1, 0]]}}
    scripted(workspace, local=replies, vectors=vectors)
    names = run("structured.md")
    assert names["answer"].text == "It is 21 °C in Oslo."
    assert names["value"] == {"city": "Oslo", "temperature": 21, "unit": "C"}
    assert (len(names["talk"]), len(names["again"])) == (3, 3)
    assert names["again"].messages == names["talk"].messages
    assert [len(vector) for vector in names["reply"].value] == [3, 3]
    assert capsys.readouterr().out == "Programmer."
    person = gt.chat("Who wrote the first program?", output=names["Person"])
    assert (repr(person.value), person.repairs) == (
        "Person(name='Ada Lovelace', born=1815)",
        ("fences", "trailing comma"),
    )


def test_every_repair_is_documented() -> None:
    code = "".join((ROOT / "gen_toolkit" / name).read_text("utf-8") for name in _REPAIRING)
    named = set(re.findall(r'repairs(?:\.append\(| = \[| \+= \()(?:\s*"([^"]+)")', code))
    named |= {"single quotes", "typographic quotes", "line breaks in a string", "asked again"}
    assert len(named) > 10
    assert all(f"`{name}`" in DOCS["structured.md"] for name in named), named


_REPAIRING = ("messages/repair.py", "messages/tokens.py", "messages/output.py", "models/question.py")
