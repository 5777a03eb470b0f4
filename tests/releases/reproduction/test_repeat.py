"""A release, and a run in a file, executed once more: identical, or the cell that differs. Real kernels."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import enter, furnish, gen, written
from released import promoted
from repeated import PLUGIN, made

from gen_toolkit.database.engine import open_database
from gen_toolkit.events import RunStarted
from gen_toolkit.jobs.ledger import Ledger, RunRow
from gen_toolkit.journal.store import count
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.reproduction.export import export_of
from gen_toolkit.releases.reproduction.exported import read_exported
from gen_toolkit.releases.reproduction.repeat import Repeated
from gen_toolkit.releases.reproduction.reproduce import reproduce
from gen_toolkit.releases.reproduction.tested import release_tested
from gen_toolkit.releases.start import run_release
from gen_toolkit.tracking import spool

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, RunRow]:
    with pytest.MonkeyPatch.context() as patch:
        return made(tmp_path_factory.mktemp("films") / "work", patch)


@pytest.fixture
def root(films: tuple[Pipeline, RunRow], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of `films`, entered."""
    folder = films[0].folder.parent.parent
    enter(folder, monkeypatch)
    return folder


@pytest.fixture
def planted(films: tuple[Pipeline, RunRow]) -> Iterator[Path]:
    """The release with one recorded reply changed, until the test is over."""
    cassette = films[0].releases / "1" / "cassette.jsonl"
    was = cassette.read_text()
    lines = was.splitlines()
    number = next(n for n, line in enumerate(lines) if '"negative"' in line)
    lines[number] = lines[number].replace('"negative"', '"positive"')
    cassette.write_text("\n".join(lines))
    yield cassette
    cassette.write_text(was)


def on_record(root: Path) -> tuple[list[str], int, int]:
    """Folders of runs, calls, and runs that MLflow is told of."""
    database = open_database()
    folders = sorted(path.name for path in (root / "mlruns").glob("*/*-*-*"))
    return folders, count(database), len(spool.events_of_kind(database, RunStarted))


def test_a_release_does_offline_what_its_reference_says_and_leaves_nothing_behind(root: Path) -> None:
    before = on_record(root)
    assert before[1:] == (4, 3)  # the run, its attempt, the evaluation
    found = release_tested("films")
    assert isinstance(found, Repeated)
    assert str(found) == "identical: 8 cells, 4 kept values, 4 calls"
    assert on_record(root) == before
    assert len(Ledger(open_database()).list()) == 1
    assert (root / "letters.txt").read_text() == "Ada"  # written once, by the run


@pytest.mark.long
def test_pytest_collects_live_releases_and_a_planted_wrong_reply_fails_with_the_cell(root: Path, planted: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *PLUGIN, "pipelines"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "films, release 1" in done.stdout
    assert "cell 5 differs: text/plain of: label = gt.Prompt('label'" in done.stdout
    assert "- 0.667" in done.stdout
    assert "+ 0.333" in done.stdout


def test_a_run_is_identical_on_another_clone_in_another_folder(
    films: tuple[Pipeline, RunRow], root: Path, tmp_path: Path
) -> None:
    done = gen("runs", "export", films[1].id[:13], "-o", tmp_path / "run.json", cwd=root)
    assert done.returncode == 0, done.stderr
    told = (tmp_path / "run.json").read_text()
    for private in (str(root), str(Path.home()), sys.prefix, "replies"):
        assert private not in told.replace("scripted:replies.json", "")
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "gen_toolkit.toml").write_text("")  # no alias of that name: the file has what is needed of it
    shutil.copyfile(root / "words.txt", clone / "words.txt")
    done = gen("reproduce", tmp_path / "run.json", "--json", cwd=clone)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["identical"], found["cells"], found["kept"], found["calls"]) == (True, 8, 4, 4)
    assert sorted(path.name for path in clone.iterdir()) == ["gen_toolkit.toml", "words.txt"]


def test_a_changed_reply_names_the_cell_that_differs(
    films: tuple[Pipeline, RunRow], root: Path, tmp_path: Path
) -> None:
    changed = export_of(films[1].id).model_dump(exclude_none=True)
    reply = next(call["reply"] for call in changed["calls"].values() if call["reply"]["usage"]["input_tokens"] > 3)
    reply["text"] = "splendid"  # of the single call; those of the rows are shorter
    (tmp_path / "run.json").write_text(json.dumps(changed))
    done = gen("reproduce", tmp_path / "run.json", cwd=root)
    assert done.returncode == 1
    assert "films · release 1: cell 6 differs: text/plain of: reply = gt.chat(" in done.stdout
    assert "- positive\n  + splendid" in done.stdout


@pytest.mark.long
def test_what_failed_fails_again_alike(workspace: Path) -> None:
    furnish(workspace, mlflow=False)
    cells = ["import gen_toolkit as gt\ngt.keep('n', 1)", "raise ValueError(f'no {id(gt):#x}')", "gt.keep('m', 2)"]
    promoted(written(workspace / "notebooks/fails.ipynb", *cells), "fails")
    run = run_release("fails", {}).run
    assert run.state == "failed"
    found = reproduce(export_of(run.id), "it")
    assert str(found) == "identical: 4 cells, 1 kept value, 0 calls"


def changed_by_one_character(films: tuple[Pipeline, RunRow], path: Path) -> dict[str, Any]:
    told: dict[str, Any] = export_of(films[1].id).model_dump(exclude_none=True)
    part = told["release"]["notebook.ipynb"]
    assert "a good film" in part["text"]
    part["text"] = part["text"].replace("a good film", "a good fiIm")
    path.write_text(json.dumps(told))
    return told


def test_one_changed_character_of_the_release_is_refused_with_the_files_name(
    films: tuple[Pipeline, RunRow], root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run.json"
    told = changed_by_one_character(films, path)
    done = gen("reproduce", path, cwd=root)
    assert done.returncode == 2
    assert done.stderr.startswith("error: run.json: notebook.ipynb of the release cannot be used: it was changed.")
    assert done.stderr.count("\n") == 1
    # also where whoever changed it put the hash right: then it is the digest that is not what was promoted
    import hashlib

    part = told["release"]["notebook.ipynb"]
    part["sha256"] = hashlib.sha256(part["text"].encode()).hexdigest()
    path.write_text(json.dumps(told))
    done = gen("reproduce", path, cwd=root)
    assert done.returncode == 2
    assert done.stderr.startswith("error: run.json: ")
    assert "/tmp" not in done.stderr


def test_the_same_run_is_the_same_file(films: tuple[Pipeline, RunRow], root: Path, tmp_path: Path) -> None:
    first, again = export_of(films[1].id), export_of(films[1].id)
    assert first.to_text() == again.to_text()
    (tmp_path / "run.json").write_text(first.to_text())
    assert read_exported(tmp_path / "run.json") == first
