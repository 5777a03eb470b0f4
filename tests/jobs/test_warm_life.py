"""The life of a template: what it imports, when it makes itself anew, and when it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import warm_template
from notebook_cells import furnish
from warm_template import fork, here, until

from gen_toolkit.jobs.warm import fingerprint, keep, modules
from gen_toolkit.jobs.warm.client import Cold

pytestmark = warm_template.MARKS


@pytest.mark.long
def test_it_imports_what_settings_and_pipelines_name_and_makes_itself_anew_when_that_has_changed(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    shutil.copytree(warm_template.PROGRAMS, programs)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(programs), str(warm_template.ROOT)]))
    furnish(workspace, mlflow=False, settings='warm = ["warm_extra", "warm_threads"]\n' + "[models.dry]\n"
            'provider = "scripted"\nreplies = "replies.json"\n')  # fmt: skip
    (workspace / "pipelines/p").mkdir(parents=True)
    (workspace / "pipelines/p/pipeline.toml").write_text('warm = ["not_installed", "ours"]', encoding="utf-8")
    (workspace / "ours.py").write_text("raise SystemExit", encoding="utf-8")
    keeper = subprocess.Popen(["sleep", "600"])
    assert keep.keep_warm(here(workspace), keeper=keeper.pid, idle=0.3)
    first = until(lambda: keep.status(here(workspace)))
    assert first.named == ["warm_extra", "warm_threads", "not_installed", "ours"]
    assert first.problems["not_installed"] == "ModuleNotFoundError: No module named 'not_installed'"
    assert "no fork survives" in first.problems["warm_threads"]
    assert first.problems.keys() == {"warm_threads", "not_installed", "ours"}
    assert fork(here(workspace), "facts").said() == {"exit": 0}

    (programs / "warm_extra.py").write_text("changed = True", encoding="utf-8")
    with pytest.raises(Cold, match=r"warm_extra\.py has changed"):
        fork(here(workspace), "facts")
    again = until(lambda: (found := keep.status(here(workspace))) and found.since > first.since and found)
    assert again.pid == first.pid
    assert again.stale is None
    assert fork(here(workspace), "facts").said() == {"exit": 0}
    keeper.kill()
    keeper.wait()
    socket = here(workspace).records / "warm.sock"
    until(lambda: not socket.exists())  # nobody keeps it, and nobody asks


@pytest.mark.long
def test_one_that_is_on_its_way_is_stopped_when_it_is_up(workspace: Path) -> None:
    furnish(workspace, mlflow=False)
    keeper = subprocess.Popen(["sleep", "600"])
    try:
        assert keep.keep_warm(here(workspace), keeper=keeper.pid)
        until(lambda: keep._is_coming(here(workspace)))
        assert keep.status(here(workspace)) is None
        assert keep.stop(here(workspace))
        until(lambda: not keep._is_coming(here(workspace)))
        assert keep.status(here(workspace)) is None
    finally:
        keeper.kill()
        keeper.wait()


def test_the_workspaces_own_modules_are_left_to_its_releases(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "ours.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(workspace)
    loaded = modules.load(["ours"], here(workspace), without=[*modules._OWN, *modules._THEIRS])
    assert loaded.problems["ours"] == "it is the workspace's own, and belongs to its releases"
    assert "ours" not in sys.modules


def test_a_file_that_changes_or_goes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "warm_fingered.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("warm_fingered")
    made_of = fingerprint.fingerprint(["pytest"])
    assert {str(tmp_path / "warm_fingered.py"), os.path.realpath(sys.executable)} <= made_of.keys()
    assert any(path.endswith("RECORD") and "pytest-" in path for path in made_of)
    assert any(path.endswith("gen_toolkit/jobs/late.py") for path in made_of)
    assert fingerprint.changed(made_of) is None
    (tmp_path / "warm_fingered.py").unlink()
    assert fingerprint.changed(made_of) == str(tmp_path / "warm_fingered.py")


def test_without_a_template_there_is_nothing_to_look_at_or_stop(workspace: Path) -> None:
    assert keep.status(here(workspace)) is None
    assert keep.stop(here(workspace)) is False
    with pytest.raises(Cold, match="no template is up"):
        fork(here(workspace), "facts")


def test_one_that_does_not_answer_holds_nobody_up_for_long(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from gen_toolkit.jobs.warm import address

    monkeypatch.setattr(address, "_PATIENCE", 0.2)
    here(workspace).prepare()
    with address.listen(here(workspace).records), pytest.raises(Cold, match="does not answer"):
        fork(here(workspace), "facts")  # as one that was stopped: it is connected to, and nobody reads


def test_elsewhere_than_on_linux_nothing_is_kept_warm(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep.keep_warm(here(workspace)) is False
    assert not (workspace / "mlruns" / "warm.log").exists()
