"""gen runs prune asks before it removes, and says what goes."""

from __future__ import annotations

import json

import pytest
from commands import Gen, gen
from ended_runs import ended
from typer.testing import CliRunner

from gen_toolkit.cli import runs_prune
from gen_toolkit.cli.app import app
from gen_toolkit.cli.runs_prune import size
from gen_toolkit.releases.spoken_for import runs_named
from gen_toolkit.workspace import find_workspace

__all__ = ["gen"]


def test_nothing_goes_without_a_yes(gen: Gen) -> None:
    _, folder = ended()
    assert "--dry-run" in gen("runs", "prune", "--older-than", "30d", code=2)
    assert "would go" in gen("runs", "prune", "--older-than", "30d", "--dry-run")
    assert folder.exists()
    told = json.loads(gen("runs", "prune", "--older-than", "30d", "--yes", "--json"))
    assert told["runs"]["count"] == told["folders of runs"]["count"] == 1
    assert told["folders of runs"]["bytes"] > 900
    assert told["problems"] == []
    assert not folder.exists()
    assert gen("runs", "list", "--json") == "[]\n"


def test_who_is_asked_may_say_no(monkeypatch: pytest.MonkeyPatch) -> None:
    _, folder = ended()
    monkeypatch.setattr(runs_prune, "_is_terminal", lambda: True)
    done = CliRunner().invoke(app, ["runs", "prune", "--older-than", "30d"], input="n\n")
    assert done.exit_code == 1
    assert "folders of runs" in done.output
    assert folder.exists()
    assert CliRunner().invoke(app, ["runs", "prune", "--older-than", "30d"], input="y\n").exit_code == 0
    assert not folder.exists()


def test_what_releases_rest_on_stays(gen: Gen) -> None:
    run, folder = ended()
    release = find_workspace().pipelines / "label/releases/1"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text(json.dumps({"evidence": {"run": run, "evaluations": {"e": "inner"}}}))
    for number, written in enumerate(("torn {", "[]", '{"evidence": null}', '{"evidence": "x"}', '{"format": 1}'), 2):
        other = release.with_name(str(number))
        other.mkdir()
        (other / "manifest.json").write_text(written)
    assert runs_named(find_workspace()) == {run, "inner"}
    assert "1 as old stay" in gen("runs", "prune", "--older-than", "30d", "--yes")
    assert folder.exists()


def test_input_is_refused_before_anything_is_looked_at(gen: Gen) -> None:
    assert "is no length of time" in gen("runs", "prune", "--older-than", "soon", "--yes", code=2)
    assert "is no state" in gen("runs", "prune", "--older-than", "1d", "--state", "fine", "--yes", code=2)


def test_sizes_are_written_for_people() -> None:
    assert [size(value) for value in (0, 999, 1000, 2_500_000, 3_000_000_000)] == [
        "0 B", "999 B", "1.0 kB", "2.5 MB", "3.0 GB"
    ]  # fmt: skip
