"""A run in a file: what is written, and files that nobody exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Gen, gen
from notebook_cells import code, notebook

from gen_toolkit import text
from gen_toolkit.errors import CheckFailed, InputError, ReleaseError
from gen_toolkit.releases.reproduction.exported import Exported, Part, read_exported

__all__ = ["gen"]


def exported(**more: Any) -> Exported:
    facts: dict[str, Any] = {
        "run": "01a22acb-97f7-7d5c-9fb6-8d5174de7eee",
        "title": "films · release 1",
        "release": {"manifest.json": Part.of(b"{}"), "include/model.bin": Part.of(b"\x00\xff")},
        "parameters": {"limit": 3},
        "kept": {"accuracy": 0.7},
        "notebook": notebook(code("limit")),
        "calls": {"a" * 64: {"reply": {"text": "half of a pair: \ud83d", "usage": {}}}},
        "models": {"dry": {"provider": "scripted", "model": "x"}},
        "model": "dry",
        "seed": 7,
        "due": 1796015146.25,
    }
    return Exported(**{**facts, **more})


def changed(path: Path, **more: Any) -> Path:
    path.write_text(json.dumps({**json.loads(exported().to_text()), **more}))
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(exported().to_text(), encoding="utf-8")
    found = read_exported(path)
    assert found == exported()
    (tmp_path / "x").mkdir()
    found.unpack(tmp_path / "x", "run.json")
    assert (tmp_path / "x/release/include/model.bin").read_bytes() == b"\x00\xff"
    assert json.loads((tmp_path / "x/cassette.jsonl").read_text())["reply"]["text"] == "half of a pair: \ud83d"


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/x", "a/../../x", "a//b", "", ".", "a/./b", "..", "a\\..\\x", "a\x00b", "a\nb", "/", "x" * 301],
)
def test_a_name_that_leads_out_of_the_release_is_refused(tmp_path: Path, name: str) -> None:
    path = changed(tmp_path / "run.json", release={name: Part.of(b"x").model_dump(exclude_none=True)})
    with pytest.raises(InputError, match="no name of a file inside"):
        read_exported(path)


def test_names_that_cannot_stand_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(ReleaseError, match="a/b of the release cannot be used"):
        exported(release={"a": Part.of(b"x"), "a/b": Part.of(b"x")}).unpack(tmp_path / "x", "run.json")


def test_bytecode_in_a_file_is_not_unpacked(tmp_path: Path) -> None:
    release = {"include/__pycache__/x.cpython-311.pyc": Part.of(b"x"), "manifest.json": Part.of(b"{}")}
    exported(release=release).unpack(tmp_path, "run.json")
    assert [path.name for path in (tmp_path / "release").iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("part", [{"text": "{ }"}, {"base64": "e30=="}, {"base64": "\ud800"}, {}])
def test_a_changed_file_of_the_release_is_named(tmp_path: Path, part: dict[str, str]) -> None:
    sha256 = Part.of(b"{}").sha256
    path = changed(tmp_path / "run.json", release={"manifest.json": {"sha256": sha256, **part}})
    with pytest.raises(ReleaseError, match=r"^run\.json: manifest\.json of the release cannot be used: it was changed"):
        read_exported(path).unpack(tmp_path, "run.json")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "Expecting value"),
        ("{}", "Field required"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({**json.loads(exported().to_text()), "format": 2}), "format: Input should be 1"),
        (json.dumps({**json.loads(exported().to_text()), "more": 2}), "more: Extra inputs"),
        (json.dumps({**json.loads(exported().to_text()), "calls": [1]}), "calls: Input should be"),
    ],
)
def test_another_file_is_refused_in_a_line(gen: Gen, workspace: Path, written: str, says: str) -> None:
    (workspace / "run.json").write_text(written)
    said = gen("reproduce", "run.json", code=2)
    assert says in said
    assert "`gen runs export` wrote" in said


def test_a_notebook_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no notebook"):
        exported(notebook={"cells": 1}).unpack(tmp_path, "run.json")


def test_a_file_and_a_run_that_are_not_there(gen: Gen) -> None:
    assert "missing.json is no run that can be executed again: No such file" in gen("reproduce", "missing.json", code=2)
    assert "01a22acb" in gen("reproduce", "01a22acb-97f7", code=2)
    assert "01a22acb" in gen("runs", "export", "01a22acb-97f7", code=2)


KEY = "sk-proj-abcdefghijklmnop1234"


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"parameters": {"key": KEY}}, "parameter key"),
        ({"kept": {"said": {"deep": [KEY]}}}, "kept value said"),
        ({"calls": {"a" * 64: {"reply": {"text": KEY}}}}, "call 1"),
        ({"calls": {"a" * 64: {"reply": {"text": "write to ada@example.com"}}}}, "call 1"),
        ({"release": {"include/x.py": Part.of(KEY.encode())}}, "include/x.py of the release"),
        ({"notebook": notebook({**code("x"), "outputs": [{"name": "stdout", "text": KEY}]})}, "cell 2"),
        ({"models": {"dry": {"options": {"user": KEY}}}}, "the settings of model aliases"),
        ({"rules": f"regex: {KEY}\nreplace: x"}, "sanitize.cfg"),
    ],
)
def test_what_would_hold_a_secret_or_personal_data_is_not_made(more: dict[str, Any], where: str) -> None:
    with pytest.raises(CheckFailed, match=r"the file of run 01a22acb-97f7 is not made: .*holds") as caught:
        exported(**more).to_text()
    assert where in caught.value.message
    assert KEY not in str(caught.value.to_json())


def test_ids_and_fractions_are_no_numbers_of_cards() -> None:
    """4111111111111111 passes the checksum of cards, also in the middle of something else."""
    for said in ("0.4111111111111111", "row a4111111111111111b", "4111111111111111f" * 4):
        assert said in exported(kept={"said": said}).to_text()
    with pytest.raises(CheckFailed, match="kept value said holds a card number"):
        exported(kept={"said": "it is 4111111111111111"}).to_text()


def test_a_secret_that_this_process_has_read_refuses_too() -> None:
    text.remember_secret("hunter2hunter2")
    with pytest.raises(CheckFailed, match="kept value said"):
        exported(kept={"said": "it is hunter2hunter2"}).to_text()
