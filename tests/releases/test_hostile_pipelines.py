"""Names, files and folders of pipelines as nobody should make them: one line, the right exit code, nothing outside."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Gen, gen
from disks import as_nobody, disk, fill
from notebook_cells import KEEPS, furnish, written
from released import released

from gen_toolkit.alerts.declared import channels
from gen_toolkit.errors import SettingError
from gen_toolkit.jobs.warm.modules import wanted
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.schedules.declared import scheduled
from gen_toolkit.settings import load_settings

pytestmark = pytest.mark.usefixtures("delivered")  # what goes wrong beside MLflow, too

__all__ = ["disk", "gen"]

NAMED: list[list[str]] = [
    ["run", "NAME"],
    ["run", "NAME", "--release", "1"],
    ["release", "list", "NAME"],
    ["release", "show", "NAME"],
    ["release", "verify", "NAME"],
    ["release", "diff", "NAME", "1", "1"],
    ["release", "drift", "NAME"],
    ["release", "rollback", "NAME"],
    ["release", "rollback", "NAME", "--to", "1"],
    ["release", "history", "NAME"],
    ["schedule", "set", "NAME", "--every", "1h"],
    ["schedule", "pause", "NAME"],
    ["schedule", "preview", "NAME"],
    ["schedule", "backfill", "NAME", "--from", "1d"],
    ["promote", "notebooks/label.ipynb", "--as", "NAME"],
]
"""Every command that takes the name of a pipeline."""


@pytest.fixture
def label(workspace: Path) -> Pipeline:
    """One release, live."""
    return released(workspace)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def outside(workspace: Path) -> list[str]:
    """Everything beside the workspace."""
    return [name for name in tree(workspace.parent) if not name.startswith(workspace.name)]


@pytest.mark.parametrize(
    "name", ["../x", "..", ".", "/etc", "a/b", "label/../label", "A", "", "a b", "a\nb", "~", "x" * 64, "ｌabel"]
)
def test_a_name_that_is_no_slug_is_refused_by_every_command(label: Pipeline, gen: Gen, name: str) -> None:
    before = outside(label.folder.parents[1])
    for command in NAMED:
        said = gen(*(name if word == "NAME" else word for word in command), code=2)
        assert "cannot be a pipeline's name" in said, command
    assert outside(label.folder.parents[1]) == before
    assert sorted(path.name for path in label.folder.parent.iterdir()) == ["label"]


BROKEN: dict[str, tuple[bytes, str]] = {
    "not UTF-8": (b"live = 1 # \xff", "cannot be read: 'utf-8'"),
    "a byte order mark": (b"\xef\xbb\xbflive = 1", "cannot be read"),
    "NUL": (b"live = 1\x00", "cannot be read"),
    "no TOML": (b"live: 1", "cannot be read"),
    "a key twice": (b"live = 1\nlive = 1", "cannot be read"),
    "a number with leading zeros": (b"live = 01", "cannot be read"),
    "very deep": (b"models = " + b"[" * 20_000, "cannot be read"),
    "a text": (b"live = 'x'", "must be a whole number"),
    "nought": (b"live = 0", "must be a whole number"),
    "negative": (b"live = -1", "must be a whole number"),
    "a truth": (b"live = true", "must be a whole number"),
    "a fraction": (b"live = 1.0", "must be a whole number"),
    "enormous": (b"live = 1" + b"0" * 30, "must be a whole number"),
    "a path": (b"live = '../../other/releases/1'", "must be a whole number"),
    "a list": (b"live = [1]", "must be a whole number"),
}


@pytest.mark.parametrize(("content", "says"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_understood_is_one_line_of_every_command(
    label: Pipeline, gen: Gen, content: bytes, says: str
) -> None:
    label.file.write_bytes(content)
    for command in NAMED:
        if command in (["run", "NAME", "--release", "1"], ["release", "diff", "NAME", "1", "1"]):
            continue
        said = gen(*("label" if word == "NAME" else word for word in command), code=2)
        assert "pipeline.toml" in said, command
        assert says in said, command
    assert says in gen("release", "list")  # of all: a line among others
    assert says in str(scheduled(load_settings().workspace)["label"][1])
    assert wanted(load_settings().workspace) == []
    with pytest.raises(SettingError) if "cannot be read" in says else contextlib.nullcontext():
        channels(load_settings(), "label")
    assert label.file.read_bytes() == content


def _itself(label: Pipeline, elsewhere: Path) -> None:
    label.file.unlink()
    label.file.symlink_to(label.file)


def _link(pick: Callable[[Pipeline], Path]) -> Callable[[Pipeline, Path], None]:
    """What is picked stands elsewhere, and a link to it in its place."""

    def change(label: Pipeline, elsewhere: Path) -> None:
        path = pick(label)
        path.rename(elsewhere / "moved")
        path.symlink_to(elsewhere / "moved")

    return change


def _other(make: Callable[[Path], object]) -> Callable[[Pipeline, Path], None]:
    def change(label: Pipeline, elsewhere: Path) -> None:
        label.file.unlink()
        make(label.file)

    return change


OUTSIDE: dict[str, tuple[Callable[[Pipeline, Path], None], str]] = {
    "the file": (_link(lambda label: label.file), "leads out of the workspace"),
    "the file, to itself": (_itself, "leads nowhere"),
    "the releases": (_link(lambda label: label.releases), "leads out of the workspace"),
    "the pipeline": (_link(lambda label: label.folder), "leads out of the workspace"),
    "all pipelines": (_link(lambda label: label.folder.parent), "leads out of the workspace"),
    "a folder in the file's place": (_other(Path.mkdir), "it is no file"),
    "a pipe in the file's place": (_other(os.mkfifo), "it is no file"),
}


@pytest.mark.parametrize(("change", "says"), OUTSIDE.values(), ids=OUTSIDE)
def test_links_out_of_the_workspace_are_followed_by_no_command(
    label: Pipeline, gen: Gen, tmp_path: Path, change: Callable[[Pipeline, Path], None], says: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    change(label, elsewhere)
    before = outside(label.folder.parents[1])
    for command in NAMED:
        if "no file" in says and ("--release" in command or "diff" in command):
            continue
        assert says in gen(*("label" if word == "NAME" else word for word in command), code=2), command
    assert says in gen("release", "list")
    assert wanted(load_settings().workspace) == []
    assert outside(label.folder.parents[1]) == before


def test_a_release_that_is_a_link_out_of_the_workspace_is_not_run(label: Pipeline, gen: Gen, tmp_path: Path) -> None:
    (label.releases / "1").rename(tmp_path / "1")
    (label.releases / "1").symlink_to(tmp_path / "1")
    for command in (["run", "label"], ["release", "show", "label"], ["release", "rollback", "label", "--to", "1"]):
        assert "leads out of the workspace" in gen(*command, code=2)


def test_a_live_release_that_is_not_there_is_seen_everywhere(label: Pipeline, gen: Gen) -> None:
    label.file.write_text("live = 99\n")
    for command in (["run", "label"], ["release", "show", "label"], ["release", "drift", "label"]):
        assert "'label' has no release 99. It has: 1." in gen(*command, code=2)
    for command in (["release", "list"], ["release", "list", "label"]):
        assert "release 99" in gen(*command)
    assert "there are: 1" in gen("release", "rollback", "label", code=2)
    gen("release", "rollback", "label", "--to", "1")
    assert label.live == 1


def test_a_release_that_was_deleted_while_it_was_live_is_seen_everywhere(label: Pipeline, gen: Gen) -> None:
    shutil.rmtree(label.releases / "1")
    assert "'label' has no release 1. It has: none." in gen("run", "label", code=2)
    assert "label, release 1: " in gen("release", "list")
    assert "It is the only release" in gen("release", "rollback", "label", code=2)
    gen("promote", "notebooks/label.ipynb", "--as", "label")
    assert label.numbers() == [1]


def test_a_folder_whose_name_is_no_number_is_no_release(label: Pipeline, gen: Gen) -> None:
    for name in ("01", "1²", "٣", "0", "1.5", "1 ", "-1", "1e3", "9" * 40, ".new-x"):
        shutil.copytree(label.releases / "1", label.releases / name)
    assert label.numbers() == [1]
    gen("run", "label", "--release", "2", code=2)
    written(Path("notebooks/label.ipynb"), KEEPS, "x = 2")
    assert "release 2 of label is live" in gen("promote", "notebooks/label.ipynb", "--as", "label")


@pytest.mark.parametrize("where", ["releases", "1", "2"])
def test_a_file_where_a_folder_should_be_is_one_line(label: Pipeline, gen: Gen, where: str) -> None:
    path = label.releases if where == "releases" else label.releases / where
    if path.exists():
        shutil.rmtree(path)
    path.write_text("")
    written(Path("notebooks/label.ipynb"), KEEPS, "x = 2")
    if where == "releases":
        gen("run", "label", code=2)
        assert "cannot be written" in gen("promote", "notebooks/label.ipynb", "--as", "label", "--json", code=2)
    else:
        assert f"release {where}: " in gen("release", "list", "label")
        gen("run", "label", "--release", where, code=2)
        gen("promote", "notebooks/label.ipynb", "--as", "label")
        assert label.live == (3 if where == "2" else 2)


def test_a_folder_that_is_no_pipeline_hides_no_other(label: Pipeline, gen: Gen) -> None:
    for name in ("Old Stuff", "..x"):
        shutil.copytree(label.folder, label.folder.parent / name)
        (label.folder.parent / name / "pipeline.toml").write_text("live = 1\n[schedule]\nevery_s = 60\n")
    shown = gen("release", "list")
    assert "'Old Stuff' cannot be a pipeline's name" in shown
    assert "notebooks/label.ipynb" in shown
    found = scheduled(load_settings().workspace)
    assert [type(schedule).__name__ for _, schedule in found.values()] == ["ReleaseError", "ReleaseError"]


@pytest.mark.parametrize("where", [".", "releases", "pipeline.toml", "releases/1"])
def test_what_may_not_be_looked_at_is_one_line(label: Pipeline, gen: Gen, where: str) -> None:
    gen("release", "list")  # what is loaded later is loaded as somebody who may
    gen("release", "rollback", "label", "--to", "1")
    with as_nobody(label.folder.parents[1]) as copy:
        (copy / "pipelines/label" / where).chmod(0)
        for command in (["run", "label"], ["release", "show", "label"], ["release", "rollback", "label", "--to", "1"]):
            assert "Permission denied" in gen(*command, code=2), command
        assert "Permission denied" in gen("release", "list")
        if where in {".", "pipeline.toml"}:  # what is not served is said to be
            assert "Permission denied" in str(scheduled(load_settings().workspace)["label"][1])


def test_a_promotion_on_a_disk_that_is_full_leaves_what_was(
    disk: Path, gen: Gen, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = furnish(disk / "work", mlflow=False)
    monkeypatch.chdir(root)
    written(root / "notebooks/label.ipynb", KEEPS)
    gen("promote", "notebooks/label.ipynb", "--as", "label")
    written(root / "notebooks/label.ipynb", KEEPS, "x = 2")
    filler = fill(disk)
    said = gen("promote", "notebooks/label.ipynb", "--as", "label", code=3)
    assert "No space left" in said or "full" in said
    label = Pipeline("label", root / "pipelines/label")
    assert (label.live, label.numbers()) == (1, [1])
    assert [path.name for path in label.releases.iterdir()] == ["1"]
    gen("release", "verify", "label")
    filler.unlink()
    assert "release 2 of label is live" in gen("promote", "notebooks/label.ipynb", "--as", "label")
