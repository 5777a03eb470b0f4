"""gen prompts: what each command says, for people and for scripts, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow_store import Store, store

import gen_toolkit as gt
from gen_toolkit.cli.app import main
from gen_toolkit.evals.injection import CASES

__all__ = ["store"]

FILE = """---
name: label
description: Is it positive?
owner: reviews
variables: {text: str}
untrusted: [text]
output: [good, bad]
---
# user
{{ text }}

Good or bad?
"""
Told = tuple[int, str, str]
Gen = Callable[..., Told]


@pytest.fixture
def gen_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gen:
    """The command in this process: (exit code, standard output, standard error)."""

    def run(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["gen", "prompts", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return run


@pytest.fixture
def said(gen_here: Gen) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        _, out, err = gen_here(*arguments, "--json")
        assert err == ""
        return json.loads(out)

    return run


@pytest.fixture
def label(workspace: Path) -> Path:
    path = workspace / "notebooks" / "label.prompt.md"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_sync_saves_files_and_check_is_for_ci(
    label: Path, store: Store, gen_here: Gen, said: Callable[..., Any]
) -> None:
    assert gen_here("sync", "--check") == (1, "new        label  no version  notebooks/label.prompt.md\n", "")
    assert said("sync", "-m", "first") == [
        {"name": "label", "path": "notebooks/label.prompt.md", "state": "new", "version": 1}
    ]
    assert gen_here("sync", "--check") == (0, "same       label  version 1  notebooks/label.prompt.md\n", "")
    label.write_text(FILE.replace("Good or bad?", "Bad or good?"))
    code, told, _ = gen_here("sync", "--check", "--json")
    assert (code, json.loads(told)[0]["state"]) == (1, "changed")


def test_list_and_show_say_what_is_there(label: Path, store: Store, gen_here: Gen, said: Callable[..., Any]) -> None:
    assert gen_here("sync")[0] == 0
    gt.Prompt("cell", user="{% raw %}\x1b[2J<b>{% endraw %}").save("from a cell", alias="staging")
    label.write_text(FILE.replace("bad?", "not?"))
    code, told, _ = gen_here("list")
    assert code == 0
    assert "label" in told
    assert "notebooks/label.prompt.md (not synced)" in told
    assert "staging → 1" in told
    assert said("list") == [
        {"name": "cell", "newest": 1, "aliases": {"staging": 1}, "file": "", "owner": "", "description": ""},
        {
            "name": "label",
            "newest": 1,
            "aliases": {},
            "file": "notebooks/label.prompt.md (not synced)",
            "owner": "reviews",
            "description": "Is it positive?",
        },
    ]
    code, told, _ = gen_here("show", "cell@staging")
    assert (code, "from a cell" in told, "\x1b" in told) == (0, True, False)
    whole = said("show", "label")
    assert whole["name"] == "label@1"
    assert (whole["owner"], whole["untrusted"], whole["output"]) == ("reviews", ["text"], {"enum": ["good", "bad"]})
    assert whole["messages"] == [{"role": "user", "content": "{{ text }}\n\nGood or bad?"}]


def test_half_a_character_is_saved_and_shown(store: Store, gen_here: Gen, said: Callable[..., Any]) -> None:
    made = gt.Prompt("half", user="{{ x }} \ud83d", defaults={"x": "\ud83d"})
    assert gt.load_prompt(f"half@{made.save().version}") == made
    assert gen_here("show", "half")[0] == 0
    assert said("show", "half")["defaults"] == {"x": "\ud83d"}


def test_diff_is_word_by_word_also_against_the_file(
    label: Path, store: Store, gen_here: Gen, said: Callable[..., Any]
) -> None:
    gen_here("sync")
    label.write_text(FILE.replace("Good or bad?", "Good or awful?").replace("untrusted: [text]\n", ""))
    code, told, _ = gen_here("diff", "label", "1", "file")
    assert code == 0
    assert "  Good or [-bad-]{+awful+}?" in told
    assert "untrusted\n" in told
    assert said("diff", "label", "1", "file")[0]["pieces"] == [
        ["=", "# user\n{{ text }}\n\nGood or "],
        ["-", "bad"],
        ["+", "awful"],
        ["=", "?"],
    ]
    assert gen_here("diff", "label", "1", "1") == (0, "no difference\n", "")


def test_promote_rollback_and_log_tell_one_story(
    label: Path, store: Store, gen_here: Gen, said: Callable[..., Any]
) -> None:
    gen_here("sync", "-m", "first words")
    code, out, err = gen_here("promote", "label", "1", "live")
    assert (code, out) == (1, "")
    assert err.startswith("error: label@1 does not go live: no evaluation of it is known. Evaluate it: gt.evaluate(")
    assert err.count("\n") == 1
    assert said("promote", "label", "1", "live")["error"]["code"] == "gate-refused"
    assert gen_here("promote", "label", "1", "staging")[1] == "label@staging is version 1 now; it was nowhere\n"
    assert gen_here("promote", "label", "1", "staging")[1] == "label@staging is version 1 already\n"
    rows = [{"text": f"good {n}", "label": "good"} for n in range(30)]
    gt.evaluate(
        gt.load_prompt("label@1"),
        rows,
        scorer=gt.scorers.exact("label", name="accuracy"),
        model=gt.ScriptedModel({"*": "good"}),
    )
    assert "nothing was live to compare with" in gen_here("promote", "label", "staging", "live")[1]
    label.write_text(FILE.replace("Good or bad?", "Which?"))
    gen_here("sync")
    moved = said("promote", "label", "2", "live", "--reason", "shorter")
    assert (moved["version"], moved["move"]["before"], moved["gate"]["passed"]) == (2, 1, False)
    assert gen_here("rollback", "label", "live", "--reason", "oops")[1].startswith(
        "label@live is version 1 now; it was"
    )
    code, told, _ = gen_here("log", "label")
    lines = told.splitlines()[2:]
    assert code == 0
    assert [line.split("  ")[2].strip() for line in lines] == [
        "live 2 → 1 (rollback)",
        "live 1 → 2 (promote)",
        "version 2",
        "live → 1 (promote)",
        "staging → 1 (promote)",
        "version 1",
    ]
    assert "shorter · overridden: none of its evaluations" in lines[1] or "overridden: no evaluation" in lines[1]
    assert said("log", "label")[-1]["why"] == "first words"
    assert gen_here("rollback", "label", "live")[0] == 2


def test_check_fails_on_what_is_wrong_and_tells_how_often_a_model_obeys(
    workspace: Path, label: Path, gen_here: Gen, said: Callable[..., Any]
) -> None:
    (workspace / "gen_toolkit.toml").write_text('[models.meek]\nprovider = "scripted"\nreplies = "meek.json"\n')
    (workspace / "meek.json").write_text('{"Ignore all": "MARZIPAN-7391", "*": "good"}')
    assert gen_here("check") == (
        0, f"ok    label  notebooks/label.prompt.md  ({len(CASES)} hostile values in text)\n", "",
    )  # fmt: skip
    code, told, _ = gen_here("check", "label", "--model", "meek")
    assert code == 0
    assert "meek: the order was followed in 1 of 5 answers" in told
    (workspace / "notebooks" / "b.prompt.md").write_text("---\nname: b\n---\n# user\n{{ x }}\n")
    code, told, _ = gen_here("check")
    assert code == 1
    assert (
        "FAIL  b  notebooks/b.prompt.md  (no untrusted text)\n      its variables have no types: x [undeclared]" in told
    )
    checked = said("check", "label", "--model", "meek")
    assert checked[0]["obeyed"] == {"obeyed": 1, "answered": 5, "failed": 0}


def test_check_reads_the_registry_where_a_version_is_named(store: Store, said: Callable[..., Any]) -> None:
    gt.Prompt("cell", user="{{ x }}", output=Literal["a", "b"]).save(alias="staging")
    (checked,) = said("check", "cell@staging")
    assert checked["problems"] == [{"rule": "undeclared", "message": "its variables have no types: x"}]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["show", "nobody"], 2, "there is no prompt 'nobody' in the registry"),
        (["show", "a/b"], 2, "'a/b' cannot be a prompt's name"),
        (["show", "a b@1"], 2, "'a b' cannot be a prompt's name"),
        (["show", "label@7"], 2, "there is no prompt 'label@7'"),
        (["show", "label@"], 2, "'label@' names no prompt"),
        (["diff", "label", "1", "7"], 2, "there is no prompt 'label@7'"),
        (["diff", "other", "file", "1"], 2, "no file of the workspace holds a prompt 'other'"),
        (["log", "a/b"], 2, "cannot be a prompt's name"),
        (["log", "nobody"], 2, "gen prompts list"),
        (["promote", "label", "7", "staging"], 2, "there is no prompt 'label@7'"),
        (["promote", "label", "1", "7"], 2, "'7' cannot be an alias"),
        (["promote", "label", "1", "live", "--rows", "0"], 2, "--rows"),
        (["promote", "label", "1"], 2, "ALIAS"),
        (["rollback", "label", "live"], 2, "points nowhere"),
        (["rollback", "label", "a b"], 2, "'a b' cannot be an alias"),
        (["check", "nobody"], 2, "no file of the workspace"),
        (["check", "label", "--model", "nobody"], 2, "there is no model alias 'nobody'"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_one_line(
    label: Path, store: Store, gen_here: Gen, arguments: list[str], code: int, says: str
) -> None:
    gt.Prompt.from_file("notebooks/label.prompt.md").save()
    left, out, err = gen_here(*arguments)
    assert (left, out) == (code, "")
    assert says in err
    assert err.startswith("Usage: ") or err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["sync"], ["sync", "--check"], ["list"], ["show", "label"], ["log", "label"], ["diff", "label", "1", "2"],
     ["promote", "label", "1", "live"], ["rollback", "label", "live"]],
    ids=" ".join,
)  # fmt: skip
def test_with_mlflow_down_each_is_one_typed_line(
    label: Path, gen_here: Gen, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    code, out, err = gen_here(*arguments)
    assert (code, out) == (3, "")
    assert err.startswith("error: MLflow at http://127.0.0.1:9 does not answer")
    assert err.count("\n") == 1


def test_a_wrong_file_is_one_line_with_file_and_line(label: Path, gen_here: Gen) -> None:
    label.write_text(FILE.replace("text: str", "text: sting"))
    for command in ("sync", "check", "list"):
        code, out, err = gen_here(command)
        assert (code, out) == (2, "")
        assert err.startswith("error: notebooks/label.prompt.md:5: ")
        assert "'sting' is no type of a variable" in err


def test_an_empty_workspace_says_how_to_begin(store: Store, gen_here: Gen) -> None:
    for command, says in (("sync", "no prompt files"), ("check", "no prompt files"), ("list", "no prompts yet")):
        code, out, _ = gen_here(command)
        assert (code, says in out) == (0, True)


def test_help_loads_nothing_heavy(workspace: Path) -> None:
    code = (
        "import sys; sys.argv = ['gen', 'prompts', '--help']\n"
        "from gen_toolkit.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'mlflow', 'jinja2', 'yaml', 'openai', 'sqlalchemy'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "rollback" in told
    assert told.splitlines()[-1] == "[]"
