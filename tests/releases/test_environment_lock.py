"""The environment that a release was reviewed with, and what is told where another is there."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from released import released

from gen_toolkit.errors import ReleaseError
from gen_toolkit.releases import environment as lock
from gen_toolkit.releases.environment import changes, environment, told
from gen_toolkit.releases.seal import seal
from gen_toolkit.releases.start import ENVIRONMENT_TAG, release_job


def installed(place: Path, name: str, version: str, *lines: str, editable: bool = False) -> Path:
    folder = place / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    if lines:
        (folder / "RECORD").write_text("\n".join(lines) + "\n")
    if editable:
        (folder / "direct_url.json").write_text(json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages are installed, with nothing else on the path."""
    place = tmp_path / "site"
    installed(place, "Zope.Inter_Face", "1.0", "zope/a.py,sha256=aa,10")
    installed(place, "mine", "0.1", "mine.pth,sha256=bb,3", editable=True)
    installed(place, "bare", "2")
    monkeypatch.setattr(sys, "path", [str(place)])
    return place


def test_every_package_is_named_with_version_and_hash(place: Path) -> None:
    found = environment()
    assert found["packages"] == {"bare": "2", "mine": "0.1", "zope-inter-face": "1.0"}
    assert (found["records"]["bare"], found["records"]["mine"]) == (None, "editable")
    assert len(found["records"]["zope-inter-face"]) == 64


def test_what_differs_between_machines_does_not_count(place: Path) -> None:
    before = environment()
    folder = place / "Zope.Inter_Face-1.0.dist-info"
    (folder / "RECORD").write_text(
        "../../../bin/zope,sha256=cc,200\nzope/__pycache__/a.cpython-311.pyc,,\n"
        "Zope.Inter_Face-1.0.dist-info/INSTALLER,sha256=dd,4\nzope/a.py,sha256=aa,10\n"
    )
    assert changes(before, environment()) == []


def test_other_versions_other_files_and_missing_packages_are_told(place: Path) -> None:
    before = environment()
    (place / "Zope.Inter_Face-1.0.dist-info/RECORD").write_text("zope/a.py,sha256=ee,10\n")
    shutil.rmtree(place / "bare-2.dist-info")
    installed(place, "added", "9")
    shutil.move(place / "mine-0.1.dist-info", place / "mine-0.2.dist-info")
    found = changes(before, environment())
    assert found == ["bare 2 is missing", "mine 0.1 → 0.2", "zope-inter-face 1.0 has other files"]
    assert told(found) == f"3 packages differ from what was reviewed: {', '.join(found)}"
    assert told([f"p{n} 1 → 2" for n in range(5)]).endswith("p2 1 → 2, and 2 more")


def test_what_was_read_is_read_again_only_where_a_record_changed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = environment()
    monkeypatch.setattr(lock, "_read", lambda _: pytest.fail("read again"))
    assert environment() == before


def test_the_lock_of_older_releases_is_compared_by_version(place: Path) -> None:
    older = {"python": environment()["python"], "platform": sys.platform, "packages": {"zope.inter-face": "1.0"}}
    assert changes(older, environment()) == []
    assert changes({**older, "python": "3.9.1"}, environment()) == [f"python 3.9.1 → {older['python']}"]


def differing(folder: Path) -> None:
    """As if the release had been reviewed with another package."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    manifest["environment"]["packages"]["numpy"] = "1.0"
    seal(folder, {key: value for key, value in manifest.items() if key not in ("seal", "files")})


@pytest.mark.parametrize(
    ("setting", "served", "refused"),
    [
        ("", False, False),
        ("", True, True),
        ('environment = "warn"\n', True, False),
        ('environment = "refuse"\n', False, True),
    ],
)
def test_another_environment_is_told_or_refused(workspace: Path, setting: str, served: bool, refused: bool) -> None:
    pipeline = released(workspace)
    differing(pipeline.release_folder())
    pipeline.file.write_text(setting + pipeline.file.read_text())
    if refused:
        with pytest.raises(ReleaseError, match=r"1 package differs from what was reviewed: numpy 1\.0 → "):
            release_job("label", {}, served=served)
    else:
        job = release_job("label", {}, served=served)
        assert job.labels[ENVIRONMENT_TAG].startswith("1 package differs from what was reviewed: numpy 1.0 → ")


def test_where_it_is_what_was_reviewed_nothing_is_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    released(workspace)
    assert release_job("label", {}, served=True).labels == {ENVIRONMENT_TAG: "as reviewed"}
    assert capsys.readouterr().err == ""
