"""Files and registry: what is there already makes no version, whoever saves it, and however many at once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store
from notebook_cells import environment_of_nobody

import gen_toolkit as gt
from gen_toolkit.errors import PromptError
from gen_toolkit.prompts.collect import collect
from gen_toolkit.prompts.sync import sync
from gen_toolkit.tracking import registry


def filed(workspace: Path, path: str, name: str, text: str = "{{ x }}?", more: str = "") -> Path:
    file = workspace / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"---\nname: {name}\n{more}---\n# user\n{text}\n", encoding="utf-8")
    return file


def states(check: bool = False) -> list[tuple[str, str, int | None]]:
    return [(synced.name, synced.state, synced.version) for synced in sync(check=check)]


def test_files_are_found_in_the_whole_workspace_but_not_where_others_live(workspace: Path) -> None:
    filed(workspace, "notebooks/a.prompt.md", "a")
    filed(workspace, "reviews/deep/b.prompt.md", "b")
    filed(workspace, "notebooks/pipelines/c.prompt.md", "c")
    elsewhere = [".venv", "mlruns/runs", "pipelines/x/releases/1", "node_modules/y", ".git", "notebooks/.hidden"]
    for number, folder in enumerate([*elsewhere, "env/lib", "other"]):
        filed(workspace, f"{folder}/x.prompt.md", f"x{number}")
    (workspace / "env" / "pyvenv.cfg").touch()
    (workspace / "other" / "gen_toolkit.toml").touch()
    (workspace / "notebooks" / "notes.md").write_text("no prompt")
    assert {name: found.path for name, found in collect().items()} == {
        "a": "notebooks/a.prompt.md",
        "b": "reviews/deep/b.prompt.md",
        "c": "notebooks/pipelines/c.prompt.md",
    }


def test_two_files_with_one_name_are_refused_and_both_are_named(workspace: Path, store: Store) -> None:
    filed(workspace, "notebooks/a.prompt.md", "label")
    filed(workspace, "notebooks/b.prompt.md", "label", "other")
    with pytest.raises(PromptError, match=r"notebooks/b\.prompt\.md and notebooks/a\.prompt\.md both hold") as raised:
        sync()
    assert raised.value.exit_code == 2


def test_one_wrong_file_stops_all_before_anything_is_saved(workspace: Path, store: Store) -> None:
    filed(workspace, "notebooks/a.prompt.md", "good")
    filed(workspace, "notebooks/b.prompt.md", "bad", "{{ x")
    with pytest.raises(PromptError, match=r"notebooks/b\.prompt\.md:5: "):
        sync()
    assert registry.entries() == []


def test_a_sync_saves_what_is_new_and_changed_and_nothing_twice(workspace: Path, store: Store) -> None:
    filed(workspace, "notebooks/a.prompt.md", "a")
    filed(workspace, "notebooks/b.prompt.md", "b")
    assert states(check=True) == [("a", "new", None), ("b", "new", None)]
    assert registry.entries() == []
    assert states() == [("a", "new", 1), ("b", "new", 1)]
    assert states() == states(check=True) == [("a", "same", 1), ("b", "same", 1)]
    filed(workspace, "notebooks/a.prompt.md", "a", "{{ x }}!")
    assert states(check=True) == [("a", "changed", None), ("b", "same", 1)]
    assert states() == [("a", "changed", 2), ("b", "same", 1)]
    filed(workspace, "notebooks/a.prompt.md", "a")
    assert states() == [("a", "same", 1), ("b", "same", 1)]  # what it was once, it is again


def test_a_version_says_who_saved_it_and_why(workspace: Path, store: Store) -> None:
    filed(workspace, "notebooks/a.prompt.md", "a")
    sync()
    filed(workspace, "notebooks/a.prompt.md", "a", "changed {{ x }}")
    sync("it was too short")
    newest, first = registry.history("a")
    assert (newest.version, newest.comment, first.comment) == (2, "it was too short", "from notebooks/a.prompt.md")
    assert newest.author == first.author == registry.author()
    assert newest.made_at is not None
    assert time.time() - newest.made_at < 60


def test_owner_and_description_follow_the_file_without_a_version(workspace: Path, store: Store) -> None:
    filed(workspace, "notebooks/a.prompt.md", "a")
    sync()
    filed(workspace, "notebooks/a.prompt.md", "a", more="owner: reviews\ndescription: Labels.\n")
    assert states(check=True) == states() == [("a", "described", 1)]
    assert states() == [("a", "same", 1)]
    entry = registry.entry("a")
    assert entry is not None
    assert (entry.owner, entry.description, entry.newest) == ("reviews", "Labels.", 1)
    filed(workspace, "notebooks/a.prompt.md", "a", more="owner: reviews\n")
    assert states() == [("a", "described", 1)]
    assert states() == [("a", "same", 1)]


def test_a_cell_that_names_no_owner_leaves_the_one_of_the_file(workspace: Path, store: Store) -> None:
    filed(workspace, "notebooks/a.prompt.md", "a", more="owner: reviews\ndescription: Labels.\n")
    sync()
    gt.Prompt("a", user="{{ x }}?", description="Labels.").save()
    assert states(check=True) == [("a", "same", 1)]
    gt.Prompt("a", user="{{ x }}?", description="Labels reviews.").save()
    entry = registry.entry("a")
    assert entry is not None
    assert (entry.owner, entry.description) == ("reviews", "Labels reviews.")


def test_what_a_file_no_longer_says_goes_together_with_its_old_text(workspace: Path, store: Store) -> None:
    filed(workspace, "notebooks/a.prompt.md", "a", more="owner: reviews\ndescription: Labels.\n")
    sync()
    filed(workspace, "notebooks/a.prompt.md", "a", "{{ x }}!")
    assert states() == [("a", "changed", 2)]
    assert states(check=True) == [("a", "same", 2)]


def test_what_a_cell_saved_first_is_no_other_version_from_its_file(workspace: Path, store: Store) -> None:
    made = gt.Prompt("a", user="{{ x }}?", types={"x": str}, untrusted=["x"], options={"seed": 1})
    assert made.save().version == 1
    made.to_file("notebooks/a.prompt.md")
    assert states() == [("a", "same", 1)]
    assert gt.load_prompt("a@1") == gt.Prompt.from_file("notebooks/a.prompt.md")


def test_a_changed_fragment_changes_all_that_include_it(workspace: Path, store: Store) -> None:
    shared = workspace / "notebooks" / "fragments" / "tone.md"
    shared.parent.mkdir()
    shared.write_text("Be kind.")
    filed(workspace, "notebooks/a.prompt.md", "a", '{% include "tone" %}')
    filed(workspace, "notebooks/b.prompt.md", "b", "alone")
    sync()
    shared.write_text("Be brief.")
    assert states() == [("a", "changed", 2), ("b", "same", 1)]
    assert [gt.load_prompt(f"a@{n}")().messages[0]["content"] for n in (1, 2)] == ["Be kind.", "Be brief."]


@pytest.mark.parametrize("text", ["x" * 99_960, "é" * 16_000], ids=["ascii", "beyond"])
def test_the_longest_text_that_the_registry_takes_comes_back(store: Store, text: str) -> None:
    made = gt.Prompt("long", user=text)
    made.save()
    assert gt.load_prompt("long@1") == made


@pytest.mark.parametrize(
    "long",
    [
        gt.Prompt("long", user="x" * 100_000),
        gt.Prompt("long", user="é" * 20_000),
        gt.Prompt("long", user="{{ x }}", defaults={"x": "y" * 100_000}),
        gt.Prompt("long", user="x", output={"enum": ["y" * 100_000, "z"]}),
    ],
    ids=["text", "beyond ASCII", "defaults", "output"],
)
def test_a_longer_one_is_refused_in_our_words_before_mlflow_is_asked(
    long: gt.Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(PromptError, match=r"prompt 'long' has 1[\d,]+ characters as the registry stores it.*100,000"):
        long.save()


RACE = """
import sys, time
import gen_toolkit as gt
from gen_toolkit.prompts.sync import sync
from gen_toolkit.tracking.store import client
from gen_toolkit.settings import load_settings
client(load_settings().tracking_uri).search_prompts()
print("ready", flush=True)
sys.stdin.readline()
print([(s.name, s.version) for s in sync()])
"""


def test_syncs_at_once_make_one_version_each(
    workspace: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two in one workspace, and one that shares no lock with them, as on another machine with the same server."""
    roots = [workspace, workspace, tmp_path / "other"]
    for root in roots:
        root.mkdir(exist_ok=True)
        (root / "gen_toolkit.toml").write_text('experiment = "race"\n')
        for number in range(5):
            filed(root, f"notebooks/p{number}.prompt.md", f"p{number}")
    environment = {**environment_of_nobody(), "MLFLOW_TRACKING_URI": store.uri, "PYTHONWARNINGS": "ignore"}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", RACE], cwd=root, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for root in roots
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    told = []
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        out, err = child.communicate(timeout=90)
        assert child.returncode == 0, err[-2000:]
        told.append(out)
    assert told[0] == told[1] == told[2]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    for number in range(5):
        (version,) = registry.history(f"p{number}")
        assert f"('p{number}', {version.version})" in told[0]


def test_a_version_that_another_machine_made_meanwhile_is_the_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = registry._register

    def late(mlflow: Any, **arguments: Any) -> int:
        mlflow.register_prompt(**{**arguments, "tags": dict(arguments["tags"])})
        return really(mlflow, **arguments)

    monkeypatch.setattr(registry, "_register", late)
    assert gt.Prompt("a", user="x").save(alias="staging").version == 1
    assert [version.version for version in registry.history("a")] == [1]
    assert gt.Prompt("a", user="y").save().version == 3  # 2 was taken back, and no number is used twice
