"""Promotion: the same notebook is the same release, and what runs is what was reviewed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import KEEPS, MODEL, code, furnish, written
from released import promoted

from gen_toolkit.errors import (
    CheckFailed,
    GenToolkitError,
    NotFound,
    ParameterError,
    ReleaseError,
    SettingError,
    SetupError,
)
from gen_toolkit.ipynb import read_notebook, write_notebook
from gen_toolkit.locks import lock
from gen_toolkit.releases.moves import moves_of
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.promotion.promote import Promoted
from gen_toolkit.releases.seal import seal, verify
from gen_toolkit.releases.start import run_release

ASK = "import gen_toolkit as gt\ngt.keep('label', gt.chat('a good film', model=model).value)"
MODEL_PARAMETER = "model: str = 'dry'\nlimit: int = 3"


@pytest.fixture
def path(workspace: Path) -> Path:
    return written(furnish(workspace, mlflow=False) / "notebooks/label.ipynb", KEEPS)


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    notebook = read_notebook(path)
    change(notebook)
    write_notebook(path, notebook)
    return path


def folder_of(made: Promoted) -> Path:
    return made.pipeline.releases / str(made.number)


def refuses_to_run(name: str, given: dict[str, str], kind: type[GenToolkitError], says: str, **more: Any) -> None:
    """Refused before anything started: no run's folder is made."""
    with pytest.raises(kind, match=says) as caught:
        run_release(name, given, **more)
    assert caught.value.exit_code == 2
    assert caught.value.fix
    assert not Path("mlruns/runs").exists()


def test_promoting_the_same_notebook_again_makes_nothing(path: Path) -> None:
    first, again = promoted(path, "label"), promoted(path, "label")
    assert (first.number, first.made) == (1, True)
    assert (again.number, again.made, again.digest) == (1, False, first.digest)
    assert first.pipeline.numbers() == [1]


@pytest.mark.parametrize(
    "change",
    [
        lambda n: n["cells"][1].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "3"}]),
        lambda n: n["cells"][1].update(execution_count=7, id="other"),
        lambda n: n["cells"][1].update(source=n["cells"][1]["source"].replace("\n", "  \n") + "\n\n"),
        lambda n: n["metadata"].update(kernelspec={"name": "mine", "display_name": "Mine", "language": "python"}),
        lambda n: n["cells"].append(code("x = 1", "injected-parameters")),
        lambda n: n["cells"].append(code("  \n")),
        lambda n: n["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": "# Title"}),
    ],
)
def test_what_is_not_code_does_not_make_another_release(path: Path, change: Callable[[Any], object]) -> None:
    first = promoted(path, "label")
    assert promoted(edited(path, change), "label").digest == first.digest


@pytest.mark.parametrize(
    "change",
    [
        lambda n: n["cells"][1].update(source=n["cells"][1]["source"] + "\nx = 1"),
        lambda n: n["cells"].append(code("x = 1")),
        lambda n: n["cells"][0].update(source="limit: int = 4"),
        lambda n: n["cells"][1]["metadata"].update(tags=["raises-exception"]),
    ],
)
def test_other_code_is_the_next_release_and_goes_live(path: Path, change: Callable[[Any], object]) -> None:
    first = promoted(path, "label")
    second = promoted(edited(path, change), "label")
    assert (second.number, second.made, second.pipeline.live) == (2, True, 2)
    assert second.digest != first.digest
    assert verify(folder_of(first))["digest"] == first.digest


def test_what_the_model_is_belongs_to_the_release(path: Path) -> None:
    written(path, ASK, parameters=MODEL_PARAMETER)
    first = promoted(path, "label")
    Path("gen_toolkit.toml").write_text(MODEL + "options = {temperature = 1}\n")
    assert promoted(path, "label").number == first.number + 1


def test_machines_write_one_key_of_the_operators_file_and_keep_the_rest(path: Path) -> None:
    operators = "# ours\ntimeout_s = 60  # a minute\n\nlive = 7 # by hand\nmodels = [\n  'dry', # cheap\n]\n"
    Path("pipelines/label").mkdir(parents=True)
    Path("pipelines/label/pipeline.toml").write_text(operators)
    made = promoted(path, "label")
    assert made.pipeline.file.read_text() == operators.replace("live = 7", "live = 1")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tiemout_s = 3", "Did you mean 'timeout_s'"),
        ("timeout_s = '3'", "must be a number"),
        ("timeout_s = -1", "must be a number"),
        ("budget = '5 EUR'", "must be an amount"),
        ("budget = 5", "must be an amount"),
        ("live = 'one'", "must be a whole number"),
        ("include = 'helpers.py'", "must be a list"),
        ("models = [1]", "must be a list"),
        ("live = ", "cannot be read"),
    ],
)
def test_a_wrong_operators_file_is_refused_by_name(path: Path, line: str, says: str) -> None:
    Path("pipelines/label").mkdir(parents=True)
    Path("pipelines/label/pipeline.toml").write_text(line)
    with pytest.raises(SettingError, match=says) as caught:
        promoted(path, "label")
    assert "pipeline.toml" in caught.value.message


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "A", "a b", "a" * 64, "-x", "ü", "a\n"])
def test_a_name_that_is_no_plain_slug_is_refused(path: Path, name: str) -> None:
    with pytest.raises(ReleaseError, match="cannot be a pipeline's name"):
        promoted(path, name)
    assert not Path("pipelines").exists()


def test_a_notebook_that_breaks_a_rule_is_not_promoted(path: Path) -> None:
    with pytest.raises(CheckFailed, match="keeps-nothing") as caught:
        promoted(written(path, "x = limit"), "label")
    assert caught.value.exit_code == 1
    assert [finding["rule"] for finding in caught.value.data["findings"]] == ["keeps-nothing"]
    assert not Path("pipelines").exists()


def test_included_files_are_frozen_and_part_of_the_digest(path: Path) -> None:
    Path("pipelines/label").mkdir(parents=True)
    Path("pipelines/label/pipeline.toml").write_text("include = ['helpers.py']\n")
    Path("helpers.py").write_text("x = 1\n")
    first = promoted(written(path, KEEPS, "import helpers"), "label")
    assert (folder_of(first) / "include/helpers.py").read_text() == "x = 1\n"
    Path("helpers.py").write_text("x = 2\n")
    assert promoted(path, "label").number == 2
    Path("pipelines/label/pipeline.toml").write_text("include = ['helpers.py', '../outside.py']\n")
    with pytest.raises(ReleaseError, match="not in the workspace"):
        promoted(path, "label")


def _add_cell(folder: Path, *tags: str) -> None:
    edited(folder / "notebook.ipynb", lambda n: n["cells"].insert(1, code("import os", *tags)))


def _in_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


TAMPERED: dict[str, Callable[[Path], object]] = {
    "a cell more": _add_cell,
    "a cell more, tagged as generated": lambda f: _add_cell(f, "release"),
    "a cell more, tagged as injected": lambda f: _add_cell(f, "injected-parameters"),
    "a generated cell that does more": lambda f: edited(
        f / "notebook.ipynb", lambda n: n["cells"][0].update(source="import os")
    ),
    "no generated cell": lambda f: edited(f / "notebook.ipynb", lambda n: n["cells"].pop(0)),
    "a changed default": lambda f: edited(
        f / "notebook.ipynb", lambda n: n["cells"][1].update(source="limit: int = 9")
    ),
    "another digest": lambda f: _in_manifest(f, lambda m: m.update(digest="0" * 64)),
    "another number": lambda f: _in_manifest(f, lambda m: m.update(release=7)),
    "another model": lambda f: _in_manifest(f, lambda m: m["models"].update(dear={"provider": "openai"})),
    "a prompt more": lambda f: _in_manifest(f, lambda m: m["prompts"].update({"a@live": {"absent": True}})),
    "another schema": lambda f: _in_manifest(f, lambda m: m["parameters"].update(additionalProperties=True)),
    "a file that is not there": lambda f: _in_manifest(f, lambda m: m["include"].update({"x.py": "0" * 64})),
    "a newer format": lambda f: _in_manifest(f, lambda m: m.update(format=4)),
    "a manifest that is a list": lambda f: (f / "manifest.json").write_text("[]"),
    "a manifest that is no JSON": lambda f: (f / "manifest.json").write_text("{"),
    "a notebook that is none": lambda f: (f / "notebook.ipynb").write_text("{}"),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_a_release_that_was_changed_does_not_run(path: Path, tamper: Callable[[Path], object]) -> None:
    tamper(folder_of(promoted(path, "label")))
    refuses_to_run("label", {}, ReleaseError, "release")


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_promoting_again_what_was_changed_makes_a_release_that_runs(
    path: Path, tamper: Callable[[Path], object]
) -> None:
    tamper(folder_of(promoted(path, "label")))
    again = promoted(path, "label")
    assert (again.number, again.made, again.pipeline.live) == (2, True, 2)
    assert verify(folder_of(again))["digest"] == again.digest


def test_of_two_releases_of_a_digest_the_one_that_was_not_changed_is_found(path: Path) -> None:
    notebook = folder_of(promoted(path, "label")) / "notebook.ipynb"
    was = notebook.read_text()
    notebook.write_text("{}")
    second = promoted(path, "label")
    notebook.write_text(was)
    assert promoted(path, "label").number == second.number
    (folder_of(second) / "notebook.ipynb").write_text("{}")
    again = promoted(path, "label")
    assert (again.number, again.made, again.pipeline.live) == (1, False, 1)


def test_a_manifest_cannot_open_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(promoted(path, "label"))
    manifest = {key: value for key, value in verify(folder).items() if key not in ("seal", "files")}
    seal(folder, {**manifest, "secrets": ["AWS_SECRET_ACCESS_KEY"]})  # by somebody who knows how it is sealed
    jobs: list[Any] = []
    monkeypatch.setattr("gen_toolkit.releases.start.execute", lambda job, progress: jobs.append(job))
    run_release("label", {})
    assert jobs[0].secrets == []


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"model": "other"}, ReleaseError, "does not name the model alias 'other'; it names dry"),
        ({"limit": "x"}, ParameterError, "parameter limit"),
        ({"limt": "3"}, ParameterError, "Did you mean 'limit'"),
        ({"limit": "@nowhere.json"}, ReleaseError, "nowhere.json"),
    ],
)
def test_a_run_that_may_not_be_is_refused_before_a_kernel_starts(
    path: Path, given: dict[str, str], kind: type[GenToolkitError], says: str
) -> None:
    promoted(written(path, ASK, parameters=MODEL_PARAMETER), "label")
    refuses_to_run("label", given, kind, says)


def test_a_list_of_models_is_pinned_and_checked_name_by_name(path: Path) -> None:
    evaluate = "import gen_toolkit as gt\ngt.keep('a', gt.evaluate(str, [{'a': 1}], scorer=len, model=models))"
    made = promoted(written(path, evaluate, parameters="models: list[str] = ['dry', 'local']"), "label")
    assert sorted(verify(folder_of(made))["models"]) == ["dry", "local"]
    refuses_to_run("label", {"models": '["dry", "other"]'}, ReleaseError, "model alias 'other'")


def test_a_model_that_is_left_to_the_settings_is_pinned_as_what_they_say(path: Path) -> None:
    made = promoted(written(path, ASK, parameters="model: str | None = None"), "label")
    assert list(verify(folder_of(made))["models"]) == ["dry"]


@pytest.mark.parametrize(
    ("cell", "pinned"),
    [
        ("talk = gt.Conversation(model='local')\ntalk.chat('hi')\nfor piece in talk.stream('ho'): ...", ["local"]),
        ("talk = gt.Conversation()\ntalk.chat('hi')", ["dry"]),
        ("gt.embed(['a'], model='local')", ["local"]),
        ("for piece in gt.stream('hi'): ...", ["dry"]),
        ("from gen_toolkit import chat\nchat('hi')", ["dry"]),
    ],
)
def test_conversations_streams_and_embeddings_pin_their_model(path: Path, cell: str, pinned: list[str]) -> None:
    made = promoted(written(path, f"import gen_toolkit as gt\n{cell}\ngt.keep('a', 1)"), "label")
    assert list(verify(folder_of(made))["models"]) == pinned


def test_an_alias_that_is_not_what_was_reviewed_is_refused(path: Path) -> None:
    promoted(written(path, ASK, parameters=MODEL_PARAMETER), "label")
    Path("gen_toolkit.toml").write_text(MODEL + "options = {temperature = 1}\n")
    refuses_to_run("label", {}, ReleaseError, "'dry' is not what was reviewed: its options")


def test_what_is_not_there_is_not_found(path: Path) -> None:
    promoted(path, "label")
    refuses_to_run("labels", {}, NotFound, "Did you mean 'label'")
    refuses_to_run("label", {}, NotFound, "no release 9", number=9)
    shutil.rmtree("pipelines/label/releases/1")
    refuses_to_run("label", {}, NotFound, "no release 1")


def promoted_at_once(paths: Sequence[Path]) -> list[tuple[int, str, bool]]:
    """(number, digest, whether it was made) of each, all promoted at the same time."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "import json; from pathlib import Path; from released import promoted\n"
        "made = promoted(Path(sys.argv[1]), 'label'); print(json.dumps([made.number, made.digest, made.made]))"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, path], stdout=-1, text=True) for path in paths]
    return [tuple(json.loads(process.communicate(timeout=150)[0])) for process in running]


def test_promotions_at_once_get_different_numbers(path: Path) -> None:
    paths = [written(path.parent / f"n{i}.ipynb", KEEPS, f"x = {i}") for i in range(4)]
    told = promoted_at_once(paths)
    assert sorted(number for number, _, _ in told) == [1, 2, 3, 4]
    for number, digest, _ in told:
        assert verify(Path(f"pipelines/label/releases/{number}"))["digest"] == digest
    assert not list(Path("pipelines/label/releases").glob(".new-*"))
    pipeline = Pipeline("label", Path("pipelines/label").resolve())
    assert [(move.was, move.live) for move in moves_of("label")] == [(None, 1), (1, 2), (2, 3), (3, 4)]
    assert pipeline.live == 4


def test_of_two_promotions_of_one_notebook_at_once_the_second_is_told_what_the_first_made(path: Path) -> None:
    told = promoted_at_once([path] * 3)
    assert sorted((number, made) for number, _, made in told) == [(1, False), (1, False), (1, True)]
    assert [(move.was, move.live) for move in moves_of("label")] == [(None, 1)]


def test_changes_of_the_operators_file_at_once_lose_nothing(workspace: Path) -> None:
    pipeline = Pipeline("label", workspace / "pipelines/label")
    pipeline.folder.mkdir(parents=True)
    change = (
        "from pathlib import Path\nfrom gen_toolkit.releases.pipeline import Pipeline\n"
        f"pipeline = Pipeline('label', Path({str(pipeline.folder)!r}))\n"
        "for _ in range(8): pipeline.edit(lambda it: it.update(timeout_s=it.get('timeout_s', 0) + 1))"
    )
    running = [subprocess.Popen([sys.executable, "-c", change]) for _ in range(3)]
    assert [process.wait(150) for process in running] == [0, 0, 0]
    assert pipeline.settings() == {"timeout_s": 24}


def test_who_cannot_have_the_pipeline_for_itself_is_told_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gen_toolkit.releases.one_at_a_time.PATIENCE_S", 0.1)
    Path("mlruns/locks").mkdir(parents=True)
    descriptor = lock(Path("mlruns/locks/label.lock"))
    assert descriptor is not None
    with pytest.raises(SetupError, match="another process has been changing pipeline 'label'"):
        promoted(path, "label")
    os.close(descriptor)
    assert promoted(path, "label").number == 1


def test_what_killed_promotions_left_is_swept(path: Path) -> None:
    releases = promoted(path, "label").pipeline.releases
    (releases / ".new-abcdefgh").mkdir()
    (releases / ".new-abcdefgh/notebook.ipynb").write_text("{}")
    (releases.parent / ".pipeline.toml.abcdefgh").write_text("liv")
    (releases.parent / ".env.settings").write_text("an operator's own")
    assert promoted(written(path, KEEPS, "x = 1"), "label").number == 2
    assert sorted(item.name for item in releases.iterdir()) == ["1", "2"]
    assert sorted(item.name for item in releases.parent.iterdir()) == [".env.settings", "pipeline.toml", "releases"]


@pytest.mark.kernel
def test_another_release_than_the_live_one_can_be_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # down: it must not matter
    for number in (1, 2):
        promoted(written(path, f"import gen_toolkit as gt\ngt.keep('number', {number})"), "label")
    done = run_release("label", {}, number=1).run
    assert (done.state, done.release, done.outcome["kept"]) == ("succeeded", 1, {"number": 1})


@pytest.mark.kernel
def test_a_frozen_notebook_runs_under_plain_papermill_and_elsewhere_stops_in_one_line(
    path: Path, tmp_path: Path
) -> None:
    frozen = folder_of(promoted(written(path, KEEPS, "assert limit == 5"), "label")).resolve() / "notebook.ipynb"
    papermill = [sys.executable, "-m", "papermill", str(frozen), str(tmp_path / "out.ipynb"), "-p", "limit", "5"]
    inside = subprocess.run(papermill, cwd=path.parent, capture_output=True, text=True, timeout=90, check=False)
    assert inside.returncode == 0, inside.stderr
    outside = subprocess.run(papermill, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert outside.returncode != 0
    (error,) = [
        output
        for cell in read_notebook(tmp_path / "out.ipynb")["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ]
    assert error["ename"] == "ReleaseError"
    assert "release 1 of label is not found" in error["evalue"]
    assert "GEN_TOOLKIT_WORKSPACE" in error["evalue"]
    assert len(error["traceback"]) <= 3
