"""A release proves itself: whatever is changed in it is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from notebook_cells import KEEPS, furnish, written
from released import promoted, released

from gen_toolkit.errors import ReleaseError
from gen_toolkit.releases.check import checked
from gen_toolkit.releases.freeze import freeze, write_release
from gen_toolkit.releases.seal import seal, verify

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def folder(workspace: Path) -> Path:
    folder = released(workspace).release_folder()
    (folder / "cassette.jsonl").write_text("{}\n")
    (folder / "include").mkdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    seal(folder, {key: value for key, value in manifest.items() if key not in ("seal", "files")})
    return folder


def change(path: Path) -> None:
    """One character of it."""
    text = path.read_text()
    path.write_text(text[:-2] + ("x" if text[-2] != "x" else "y") + text[-1:])


@pytest.mark.parametrize("name", ["cassette.jsonl"])
def test_a_file_beside_it_that_was_changed_is_named(folder: Path, name: str) -> None:
    assert verify(folder)["files"].keys() == {name}
    change(folder / name)
    with pytest.raises(ReleaseError, match=f"^{name} of release 1 of label was changed: it is not what was promoted"):
        verify(folder)
    assert verify(folder, beside=False)["release"] == 1
    (folder / name).unlink()
    with pytest.raises(ReleaseError, match=name):
        verify(folder)


def test_a_notebook_that_was_changed_is_named(folder: Path) -> None:
    path = folder / "notebook.ipynb"
    path.write_text(path.read_text().replace("limit * 2", "limit * 3"))
    with pytest.raises(ReleaseError, match=r"^notebook\.ipynb of release 1 of label was changed"):
        verify(folder, beside=False)


@pytest.mark.parametrize("key", ["promoted_by", "environment", "files", "digest", "override"])
def test_a_manifest_that_was_changed_is_named(folder: Path, key: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, key: "another"}))
    with pytest.raises(ReleaseError, match=r"^manifest\.json of release 1 of label was changed"):
        verify(folder)


def test_a_blank_in_a_text_of_the_notebook_is_a_change(workspace: Path) -> None:
    furnish(workspace, mlflow=False)
    made = promoted(written(workspace / "notebooks/label.ipynb", KEEPS, 'x = """Answer: \n"""'), "label")
    path = made.pipeline.release_folder() / "notebook.ipynb"
    was = path.read_text()
    path.write_text(was.replace("Answer: ", "Answer:"))
    with pytest.raises(ReleaseError, match=r"^notebook\.ipynb of release 1 of label was changed"):
        verify(path.parent)
    path.write_text(was)
    again = promoted(written(workspace / "notebooks/label.ipynb", KEEPS, 'x = """Answer:\n"""'), "label")
    assert (again.number, again.made) == (2, True)


@pytest.mark.parametrize("form", [1, 2])
def test_a_release_of_an_earlier_format_is_what_was_promoted(workspace: Path, form: int) -> None:
    furnish(workspace, mlflow=False)
    subject = checked(written(workspace / "notebooks/label.ipynb", KEEPS, 'x = """Answer: \n"""'))
    frozen = freeze(subject)
    code = [{**cell, "source": cell["source"].replace("Answer: ", "Answer:")} for cell in frozen.content["code"]]
    folder = workspace / "release"
    folder.mkdir()
    was = replace(frozen, content={**frozen.content, "code": code})  # its digest left such blanks out
    write_release(was, folder, subject, {"name": "label", "release": 1, "format": form})
    assert verify(folder)["format"] == form


def test_releases_of_the_first_format_are_read() -> None:
    assert verify(REPOSITORY / "pipelines/label-reviews/releases/1")["format"] == 1


@pytest.mark.parametrize("name", ["markupsafe.py", "deep/x.py", "x.pyc", "__pycache__/deep/x.py"])
def test_a_file_that_was_added_to_what_it_imports_is_named(folder: Path, name: str) -> None:
    (folder / "include" / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "include" / name).write_text("x = 1\n")
    with pytest.raises(ReleaseError, match=f"^include/{name} of release 1 of label was added: ") as refused:
        verify(folder, beside=False)
    assert refused.value.data["file"] == f"include/{name}"


def test_a_folder_that_was_linked_into_what_it_imports_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "include/markupsafe").symlink_to(tmp_path)
    with pytest.raises(ReleaseError, match=r"^include/markupsafe of release 1 of label was added"):
        verify(folder, beside=False)


def test_bytecode_that_python_left_is_no_change(folder: Path) -> None:
    (folder / "include/__pycache__").mkdir()
    (folder / "include/__pycache__/x.cpython-311.pyc").write_bytes(b"")
    assert verify(folder)["release"] == 1
