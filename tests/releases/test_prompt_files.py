"""What a notebook reads of prompt files and fragments is frozen with it: a job sees what was reviewed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from notebook_cells import KEEPS, furnish, written
from released import promoted

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import FragmentError, PromptError, ReleaseError
from gen_toolkit.releases.check import check
from gen_toolkit.releases.freeze import verify

READS = "label = gt.Prompt.from_file('notebooks/label.prompt.md')"
INCLUDES = "own = gt.Prompt('own', user='{% include \"safety/identity\" %} {{ x }}')"


@pytest.fixture
def path(workspace: Path) -> Path:
    furnish(workspace)
    fragments = workspace / "notebooks" / "fragments"
    (fragments / "safety").mkdir(parents=True)
    (fragments / "safety" / "identity.md").write_text('You are {% include "tone" %}.\n')
    (fragments / "tone.md").write_text("kind\n")
    text = '---\nname: label\n---\n# user\n{% include "tone" %}: {{ x }}\n'
    (workspace / "notebooks" / "label.prompt.md").write_text(text)
    return written(workspace / "notebooks/label.ipynb", KEEPS, READS, INCLUDES)


def frozen(path: Path) -> Path:
    made = promoted(path, "label")
    return made.pipeline.releases / str(made.number)


def test_a_job_sees_the_files_as_they_were_when_it_was_promoted(path: Path, workspace: Path) -> None:
    release = frozen(path)
    before = gt.Prompt.from_file("notebooks/label.prompt.md")
    (workspace / "notebooks" / "fragments" / "tone.md").write_text("strict\n")
    (workspace / "notebooks" / "label.prompt.md").unlink()
    with scope.inside(release=release):
        assert gt.Prompt.from_file("notebooks/label.prompt.md") == before
        own = gt.Prompt("own", user='{% include "safety/identity" %} {{ x }}')
        assert own(x=1).messages[0]["content"] == "You are kind. 1"
    assert verify(release)["fragments"] == {"safety/identity": 'You are {% include "tone" %}.', "tone": "kind"}


@pytest.mark.parametrize("changed", ["notebooks/label.prompt.md", "notebooks/fragments/safety/identity.md"])
def test_a_changed_file_is_another_release(path: Path, workspace: Path, changed: str) -> None:
    first = promoted(path, "label")
    assert not promoted(path, "label").made
    file = workspace / changed
    file.write_text(file.read_text() + "More.\n")
    again = promoted(path, "label")
    assert (again.made, again.number) == (True, 2)
    assert again.digest != first.digest


def test_a_release_whose_frozen_prompts_were_edited_is_refused(path: Path) -> None:
    release = frozen(path)
    manifest = json.loads((release / "manifest.json").read_text())
    manifest["fragments"]["tone"] = "cruel"
    (release / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ReleaseError, match=r"manifest\.json of release 1 of label was changed"):
        verify(release)


def test_a_saved_prompt_file_is_its_version_in_a_job(path: Path) -> None:
    saved = gt.Prompt.from_file("notebooks/label.prompt.md").save()
    release = frozen(path)
    with scope.inside(release=release):
        assert gt.Prompt.from_file("notebooks/label.prompt.md").save().version == saved.version == 1


def test_a_path_that_is_no_literal_is_a_finding_and_other_classes_are_not(path: Path) -> None:
    other = "Table.from_file(name)\nname = 'a'\nTable = print"
    dynamic = "from gen_toolkit import Prompt\nPrompt.from_file('a' + 'b')\ngt.Prompt.from_file(path='c' + 'd')"
    report = check(written(path, KEEPS, other, dynamic))
    assert [(f.rule, f.cell) for f in report.findings if f.rule != "undefined-name"] == [
        ("dynamic-reference", 4),
        ("dynamic-reference", 4),
    ]


def test_a_file_that_is_not_there_or_wrong_stops_the_promotion(path: Path, workspace: Path) -> None:
    with pytest.raises(PromptError, match=r"notebooks/gone\.prompt\.md cannot be read"):
        promoted(written(path, KEEPS, "gt.Prompt.from_file('notebooks/gone.prompt.md')"), "label")
    (workspace / "notebooks" / "fragments" / "tone.md").unlink()
    with pytest.raises(FragmentError, match="there is no fragment 'tone'"):
        promoted(written(path, KEEPS, READS), "label")


def test_a_string_that_only_looks_like_an_include_stops_nothing(path: Path) -> None:
    release = frozen(written(path, KEEPS, "text = 'write {% include \"gone\" %}'"))
    assert "fragments" not in verify(release)
