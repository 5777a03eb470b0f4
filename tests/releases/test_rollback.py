"""Going back: one move, on record, that changes no release; and what holds where the file cannot be changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Gen, gen
from disks import as_nobody, disk, remount
from notebook_cells import KEEPS, enter, furnish, written
from released import promoted

from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import DatabaseError, GenToolkitError, NotFound, ReleaseError
from gen_toolkit.jobs.ledger import Filter, Ledger
from gen_toolkit.releases.fan_out import fan_out
from gen_toolkit.releases.moves import Move, moves_of, recorded, with_edits
from gen_toolkit.releases.pipeline import Pipeline, pipeline_of
from gen_toolkit.releases.rollback import rollback, stack_of
from gen_toolkit.schedules.asked import Asked
from gen_toolkit.settings import load_settings

pytestmark = pytest.mark.usefixtures("delivered")  # what goes wrong beside MLflow, too

__all__ = ["disk", "gen"]


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """`label` with three releases, promoted one after the other."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        root = furnish(Path(name).resolve() / "work", mlflow=False)
        enter(root, patch)
        for number in (1, 2, 3):
            promoted(written(root / "notebooks/label.ipynb", KEEPS, f"number = {number}"), "label")
        yield root


@pytest.fixture
def anywhere(workspace: Path, made: Path) -> Pipeline:
    """The same in this workspace: copied there, no checkout, and a ledger that knows nothing of it."""
    furnish(workspace, mlflow=False)
    shutil.copytree(made / "notebooks", workspace / "notebooks", dirs_exist_ok=True)
    shutil.copytree(made / "pipelines", workspace / "pipelines")
    return pipeline_of(load_settings().workspace, "label")


@pytest.fixture
def label(anywhere: Pipeline) -> Pipeline:
    """In a git checkout, with a ledger that has seen the three go live."""
    (anywhere.folder.parents[1] / ".git").mkdir()
    anywhere.file.unlink()
    for number in (1, 2, 3):
        anywhere.set_live(number)
    return anywhere


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def told(moves: list[Move]) -> list[tuple[str, int | None, int]]:
    return [(move.kind, move.was, move.live) for move in moves]


def test_back_and_forward_again_leaves_every_byte_as_it_was(label: Pipeline) -> None:
    label.file.write_bytes(b"# ours\r\nlive = 3  # the good one\r\n\r\ntimeout_s = 60\r\n")
    before = hashes(label.folder)
    back = rollback("label", reason="wrong labels")
    assert (back.was, back.live, back.moved, back.override, back.changed) == (3, 2, True, "", True)
    assert label.file.read_bytes() == b"# ours\r\nlive = 2  # the good one\r\n\r\ntimeout_s = 60\r\n"
    assert {name for name, sha in hashes(label.folder).items() if before[name] != sha} == {"pipeline.toml"}
    rollback("label", 3)
    assert hashes(label.folder) == before


def test_every_move_is_on_record_with_who_when_and_why(label: Pipeline, gen: Gen) -> None:
    begun = json.loads(gen("release", "history", "label", "--json"))["moves"][0]["at"]
    gen("release", "rollback", "label", "--reason", "wrong labels")
    found = json.loads(gen("release", "history", "label", "--json"))
    newest = found["moves"][0]
    assert (found["live"], found["file"], found["override"]) == (2, 2, None)
    assert (newest["kind"], newest["was"], newest["live"], newest["reason"]) == ("rollback", 3, 2, "wrong labels")
    assert newest["by"]
    assert newest["at"] >= begun
    shown = gen("release", "history", "label")
    assert "wrong labels" in shown
    assert shown.splitlines()[-1] == "live: 2"


def test_going_back_twice_goes_back_by_two_and_no_further(label: Pipeline) -> None:
    assert [rollback("label").live, rollback("label").live] == [2, 1]
    with pytest.raises(ReleaseError, match="nothing is known to have been live before release 1") as caught:
        rollback("label")
    assert caught.value.fix == "Name the release: --to N; there are: 2, 3."
    assert label.live == 1


def test_what_was_gone_back_from_is_not_gone_back_to(label: Pipeline) -> None:
    rollback("label", 1)
    label.set_live(3)
    assert rollback("label").live == 1


@pytest.mark.parametrize(
    ("moves", "live", "stack"),
    [
        ([], 3, [3]),
        (["promote 0 1", "promote 1 2", "promote 2 3"], 3, [1, 2, 3]),
        (["promote 0 1", "promote 1 2", "rollback 2 1"], 1, [1]),
        (["promote 0 1", "promote 1 2", "rollback 2 1", "rollback 1 2"], 2, [1, 2]),
        (["promote 0 1", "promote 1 2", "promote 2 1"], 1, [1, 2, 1]),
        (["promote 0 1", "promote 1 2", "override 2 1", "promote 1 3"], 3, [1, 3]),
        (["promote 0 1", "promote 1 2", "promote 1 3"], 3, [1, 3]),
        (["promote 0 1", "promote 1 2"], 1, [1]),
        (["promote 0 1"], 5, [1, 5]),
        (["promote 4 5"], 5, [4, 5]),
        (["promote 2 2"], 2, [2]),
        (["rollback 3 2"], 2, [2]),
        (["rollback 3 2", "rollback 2 3"], 3, [2, 3]),
    ],
    ids=[
        "nothing on record",
        "forward",
        "back",
        "back and forward",
        "an old one promoted again",
        "an override, then promoted",
        "edited between",
        "edited since",
        "edited to what was never live",
        "begun in the middle",
        "an override that the file agrees with",
        "back beyond what is on record",
        "back beyond it and forward",
    ],
)
def test_what_was_live_before_what(moves: list[str], live: int, stack: list[int]) -> None:
    parsed = [line.split() for line in moves]
    made: list[Any] = [Move(k, int(was) or None, int(to), None, "", "", 0.0) for k, was, to in parsed]  # type: ignore[arg-type]
    assert stack_of(made, live) == stack


def test_an_edit_by_hand_is_seen_in_the_history_as_what_it_is(label: Pipeline) -> None:
    label.file.write_text("live = 1\n")
    assert told(list(with_edits(moves_of("label"), label.live)))[-1] == ("edit", 3, 1)
    label.set_live(2)
    assert told(list(with_edits(moves_of("label"), label.live)))[-2:] == [("edit", 3, 1), ("promote", 1, 2)]
    assert rollback("label").live == 1


def test_a_release_knows_itself_what_it_replaced_where_the_ledger_does_not(anywhere: Pipeline) -> None:
    assert moves_of("label") == []
    assert [rollback("label").live, rollback("label").live] == [2, 1]


def test_one_that_is_live_already_is_said_to_be(label: Pipeline, gen: Gen) -> None:
    many = len(moves_of("label"))
    assert gen("release", "rollback", "label", "--to", "3") == "release 3 of label is live already\n"
    assert json.loads(gen("release", "rollback", "label", "--to", "3", "--json"))["moved"] is False
    assert len(moves_of("label")) == many


@pytest.mark.parametrize(
    ("damage", "kind", "says"),
    [
        (lambda folder: shutil.rmtree(folder), NotFound, "no release 2"),
        (lambda folder: (folder / "notebook.ipynb").write_text("{}"), ReleaseError, "cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), ReleaseError, "cannot be read"),
    ],
    ids=["gone", "a notebook that is none", "a manifest that is none"],
)
def test_a_release_that_is_not_what_was_promoted_is_not_gone_back_to(
    label: Pipeline, damage: Callable[[Path], object], kind: type[GenToolkitError], says: str
) -> None:
    damage(label.releases / "2")
    with pytest.raises(kind, match=says):
        rollback("label")
    assert (label.live, told(moves_of("label"))[-1]) == (3, ("promote", 2, 3))


@pytest.mark.parametrize("damage", ["manifest", "folder"])
def test_a_damaged_live_release_is_no_reason_not_to_go_back(anywhere: Pipeline, damage: str, gen: Gen) -> None:
    if damage == "folder":
        shutil.rmtree(anywhere.releases / "3")
        assert "--to N; there are: 1, 2" in gen("release", "rollback", "label", code=2)
    else:
        (anywhere.releases / "3/manifest.json").write_text("{")
    gen("release", "rollback", "label", "--to", "2")
    assert anywhere.live == 2


@pytest.mark.parametrize("number", [0, -1, 4, 10**30])
def test_a_number_that_no_release_has_is_not_found(label: Pipeline, number: int, gen: Gen) -> None:
    assert f"no release {number}" in gen("release", "rollback", "label", "--to", str(number), code=2)
    assert f"no release {number}" in gen("release", "show", "label", "--", str(number), code=2)
    assert f"no release {number}" in gen("run", "label", "--release", str(number), code=2)


OVERRIDE = "(override in the ledger by "


def test_where_there_is_no_checkout_the_ledger_says_it_in_the_files_stead(anywhere: Pipeline, gen: Gen) -> None:
    before = hashes(anywhere.folder)
    shown = gen("release", "rollback", "label", "--reason", "wrong labels")
    assert shown.startswith("release 2 of label is live; it was 3, by an override in the ledger: ")
    assert "is no git checkout" in shown
    assert "set live = 2 where it comes from" in shown
    assert hashes(anywhere.folder) == before
    standing = anywhere.standing
    assert (standing.number, standing.said, anywhere.release_folder().name) == (2, 3, "2")
    assert str(standing).startswith(f"2 {OVERRIDE}")
    assert str(standing).endswith(": wrong labels; pipeline.toml says 3)")
    assert "live already, by an override" in gen("release", "rollback", "label", "--to", "2")


def test_every_view_shows_an_override(
    anywhere: Pipeline, gen: Gen, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gen("schedule", "set", "label", "--every", "1h")
    rollback("label", reason="wrong labels")
    line = f"live: {anywhere.standing}"
    assert "pipeline.toml says 3" in line
    assert f"label, release 2: {line}" in gen("release", "list")
    assert f"label, release 2: {line}" in gen("release", "list", "label")
    assert line.removeprefix("live: ") in gen("release", "show", "label")
    assert gen("release", "history", "label").splitlines()[-1] == line
    assert line in gen("schedule", "preview", "label")
    assert "override in the ledger" in gen("schedule", "preview")
    monkeypatch.setattr("gen_toolkit.cli.workspaces._mlflow", lambda: "not asked")
    monkeypatch.setattr("gen_toolkit.cli.workspaces._models", lambda: "not asked")
    assert line in gen("doctor")
    for command in (["release", "show", "label"], ["release", "history", "label"], ["schedule", "preview", "label"]):
        found = json.loads(gen(*command, "--json"))
        assert (found["live"], found["file"], found["override"]["reason"]) == (2, 3, "wrong labels")
    written(anywhere.folder.parents[1] / "notebooks/label.ipynb", KEEPS, "number = 4")
    monkeypatch.setattr("sys.argv", ["gen", "release", "drift", "label"])
    from gen_toolkit.cli.app import main

    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    drifted = capsys.readouterr().out.splitlines()
    assert drifted[0] == line
    assert drifted[1].startswith("release 2 → label.ipynb")


def test_gen_run_says_so_before_it_runs(
    anywhere: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gen_toolkit.cli.rollback import tell_override

    tell_override("label")
    assert capsys.readouterr().err == ""
    rollback("label")
    tell_override("label")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"live: {anywhere.standing}\n"
    jobs: list[Any] = []
    monkeypatch.setattr("gen_toolkit.releases.start.execute", lambda job, progress: jobs.append(job))
    from gen_toolkit.releases.start import run_release

    run_release("label", {})
    run_release("label", {}, number=3)
    assert [job.release for job in jobs] == [2, 3]
    assert Asked.of(anywhere).facts["release"] == 2


def test_parts_of_a_run_are_all_of_one_release_whatever_goes_live_meanwhile(
    label: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Parts(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            for part in super().__iter__():
                yield part
                if label.live != 2:
                    rollback("label", 2)

    monkeypatch.setattr("gen_toolkit.releases.fan_out.carry_out_parts", lambda lease, **_: lease.run)
    parent: Any = fan_out("label", {}, Parts([{"limit": 1}, {"limit": 2}]), progress=lambda *_: None)
    found = Ledger(open_database()).list(Filter(parent=parent))
    assert [run.release for run in found] == [3, 3]
    assert label.live == 2


@pytest.mark.parametrize("says", [1, 2])
def test_an_override_is_over_when_the_file_says_something_else(anywhere: Pipeline, says: int) -> None:
    rollback("label")
    anywhere.file.write_text(f"live = {says}\n")
    assert (anywhere.live, anywhere.standing.override) == (says, None)


def test_an_override_is_over_when_something_is_promoted_also_the_same_again(anywhere: Pipeline) -> None:
    path = anywhere.folder.parents[1] / "notebooks/label.ipynb"
    rollback("label")
    again = promoted(path, "label")
    assert (again.number, again.made) == (3, False)
    assert (anywhere.live, anywhere.standing.override) == (3, None)
    rollback("label")
    assert promoted(written(path, KEEPS, "number = 4"), "label").number == 4
    assert (anywhere.live, anywhere.standing.override) == (4, None)
    assert rollback("label").live == 2


def test_an_override_is_over_when_another_one_says_what_the_file_says(anywhere: Pipeline) -> None:
    rollback("label")
    back = rollback("label", 3)
    assert (back.live, back.moved, back.override, back.changed) == (3, True, "", False)
    assert (anywhere.live, anywhere.standing.override) == (3, None)


def test_a_deployed_copy_keeps_its_override_while_others_of_its_ledger_go_on(anywhere: Pipeline) -> None:
    """Several machines share a ledger. What is promoted on one is not on the other yet."""
    rollback("label")
    deployed = anywhere.file.read_text()
    promoted(written(anywhere.folder.parents[1] / "notebooks/label.ipynb", KEEPS, "number = 4"), "label")
    assert anywhere.live == 4
    anywhere.file.write_text(deployed)
    assert anywhere.live == 2


def test_in_a_checkout_again_the_file_is_made_to_agree(anywhere: Pipeline) -> None:
    rollback("label")
    (anywhere.folder.parents[1] / ".git").mkdir()
    done = rollback("label", 2)
    assert (done.moved, done.override) == (True, "")
    assert (anywhere.standing.said, anywhere.standing.override) == (2, None)


def test_a_folder_that_may_not_be_written_to_is_overridden(label: Pipeline) -> None:
    with as_nobody(label.folder.parents[1]) as copy:
        folder = copy / "pipelines/label"
        folder.chmod(0o555)
        done = rollback("label")
        assert (done.live, done.override) == (2, f"{folder} is read-only")
        standing = Pipeline("label", folder).standing
        assert (standing.said, standing.number) == (3, 2)


def test_a_workspace_on_a_read_only_disk_is_overridden(
    disk: Path, made: Path, gen: Gen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_DATABASE", str(Path("mlruns/elsewhere.db").resolve()))
    shutil.copytree(made, disk / "work", dirs_exist_ok=True)
    (disk / "work/.git").mkdir()
    (disk / "work/mlruns").chmod(0o700)
    remount(disk, "ro")
    monkeypatch.chdir(disk / "work")
    assert json.loads(gen("release", "rollback", "label", "--json"))["override"].endswith("is read-only")
    assert "pipeline.toml says 3" in gen("release", "list")
    assert "cannot be written" in gen("promote", "notebooks/label.ipynb", "--as", "other", code=3)


def test_without_a_database_the_file_holds_and_looking_makes_none(anywhere: Pipeline, gen: Gen) -> None:
    assert anywhere.live == 3
    gen("release", "list")
    gen("release", "history", "label")
    assert not (anywhere.folder.parents[1] / "mlruns").exists()


def test_a_ledger_that_cannot_be_read_is_an_error_and_never_an_answer(anywhere: Pipeline, gen: Gen) -> None:
    rollback("label")
    path = open_database().path
    assert path is not None
    open_database().engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE live_moves")
    connection.close()
    for command in (["release", "list"], ["release", "show", "label"], ["run", "label"], ["schedule", "preview"]):
        if command[0] == "schedule":
            anywhere.edit(lambda document: document.update(schedule={"every_s": 60}))
        said = gen(*command, code=3)
        assert "nobody can tell which release of 'label' is live" in said
    with pytest.raises(DatabaseError):
        Asked.of(anywhere)


def test_a_move_that_cannot_be_put_on_record_does_not_happen(label: Pipeline, gen: Gen) -> None:
    path = open_database().path
    assert path is not None
    open_database().engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON live_moves BEGIN SELECT RAISE(ABORT, 'full'); END")
    connection.close()
    said = gen("release", "rollback", "label", code=3)
    assert "release 2 of 'label' is not live, the move cannot be recorded" in said
    assert label.live == 3


def test_moves_are_kept_on_either_database(either_database: str, workspace: Path) -> None:
    pipeline = Pipeline("label", workspace / "pipelines/label")
    pipeline.folder.mkdir(parents=True)
    pipeline.set_live(1)
    assert pipeline.set_live(2, reason="x" * 5000 + "\x00\ud800").number == 1
    first, second = moves_of("label")
    assert (first.was, first.live, second.was, second.live, second.said) == (None, 1, 1, 2, 1)
    assert second.reason == "x" * 1000
    assert abs((second.at or 0.0) - (first.at or 0.0)) < 600
    assert moves_of("other") == []
    assert (pipeline.live, rollback_by_override(pipeline, 1), pipeline.live) == (2, None, 1)
    pipeline.file.unlink()
    assert (pipeline.live, rollback_by_override(pipeline, 2), pipeline.live) == (None, None, 2)
    pipeline.file.write_text("live = 1\n")
    assert (pipeline.live, pipeline.standing.override) == (1, None)


def rollback_by_override(pipeline: Pipeline, number: int) -> None:
    with recorded("label", "override", pipeline.standing, number):
        pass


def test_a_reason_is_shown_on_one_line_without_its_tricks(anywhere: Pipeline, gen: Gen) -> None:
    rollback("label", reason="\x1b[2Jone\ntwo\x07 <b>")
    for command in (["release", "history", "label"], ["release", "list"], ["release", "show", "label"]):
        shown = gen(*command)
        assert "\x1b" not in shown
        assert "one two <b>" in shown
