"""What an attempt says while it is under way: steps and output in their order, whenever somebody comes to look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gen_toolkit.jobs import attempt_log
from gen_toolkit.jobs.attempt_log import LOG, AttemptLog
from gen_toolkit.jobs.steps import FILE, Steps, cell_under_way, cells_ran, read_steps


class Folder:
    """An attempt's folder, written as its runner does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prints(self, words: str | bytes) -> None:
        with (self.path / LOG).open("ab") as log:
            log.write(words.encode() if isinstance(words, str) else words)

    def steps(self, event: str, **facts: Any) -> None:
        at = (self.path / LOG).stat().st_size if (self.path / LOG).exists() else 0
        with (self.path / FILE).open("a") as file:
            file.write(json.dumps({"event": event, **facts, "at": 1.0, "log": at}) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def told(log: AttemptLog, *, last: bool = False) -> list[str]:
    """Steps as `cell 1`, what was printed as it is."""
    news = log.news(last=last)
    return [one["text"] if one["event"] == "output" else f"{one['event']} {one.get('cell')}" for one in news]


def test_output_stands_between_the_steps_it_was_printed_between(folder: Folder) -> None:
    log = AttemptLog(folder.path, whole=True)
    assert told(log) == []
    folder.steps("cell", cell=1, of=2)
    folder.prints("a\nb\n")
    assert told(log) == ["cell 1", "a\nb\n"]
    folder.prints("c\nd")
    folder.steps("ran", cell=1, seconds=0.5)
    folder.steps("cell", cell=2, of=2)
    folder.prints("e\n")
    assert told(log) == ["c\n", "d", "ran 1", "cell 2", "e\n"]
    folder.prints("the end")
    assert told(log) == []
    assert told(log, last=True) == ["the end"]


def test_who_comes_later_sees_the_cell_under_way_from_its_beginning(folder: Folder) -> None:
    for cell in (1, 2):
        folder.steps("cell", cell=cell, of=3)
        folder.prints(f"of {cell}\n")
        folder.steps("ran", cell=cell, seconds=0.5)
    folder.steps("cell", cell=3, of=3)
    folder.prints("of 3\n")
    assert told(AttemptLog(folder.path, whole=False)) == ["cell 3", "of 3\n"]
    assert told(AttemptLog(folder.path, whole=True))[:3] == ["cell 1", "of 1\n", "ran 1"]


def test_of_much_that_was_printed_before_the_last_part_is_shown(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt_log, "_MOST_BEFORE", 6)
    folder.steps("cell", cell=1, of=1)
    folder.prints("first\nlast\n!")
    assert told(AttemptLog(folder.path, whole=False), last=True) == ["cell 1", "last\n", "!"]


def test_a_line_that_does_not_end_is_shown_after_a_while_and_a_bar_when_it_is_done(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AttemptLog(folder.path, whole=True)
    folder.prints("..")
    assert told(log) == []
    monkeypatch.setattr(attempt_log, "_UNFINISHED", -1.0)
    assert told(log) == [".."]
    folder.prints(" 10%|\r 20%|")
    assert told(log) == []
    folder.prints("\r100%|\nnext\r\n")
    assert told(log) == ["100%|\nnext\n"]


def test_characters_and_lines_that_are_half_written_are_waited_for(folder: Folder) -> None:
    log = AttemptLog(folder.path, whole=True)
    both = "é\n".encode()
    folder.prints(both[:1])
    assert told(log) == []
    folder.prints(both[1:])
    assert told(log) == ["é\n"]
    with (folder.path / FILE).open("a") as file:
        file.write('{"event": "cell", "cell": 1, "at"')
    assert told(log) == []
    with (folder.path / FILE).open("a") as file:
        file.write(': 1, "log": 3}\nno json\n[1]\n')
    assert told(log) == ["cell 1"]


def test_a_runner_writes_its_steps_for_its_user_only_and_no_secret(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gen_toolkit import text

    text.remember_secret("hunter2-and-more")
    with (folder.path / LOG).open("w") as log:
        monkeypatch.setattr("sys.stderr", log)
        steps = Steps(folder.path)
        steps.say("cell", cell=1, of=2, line="key = 'hunter2-and-more'")
        log.write("x" * 7)
        log.flush()
        steps.say("ran", cell=1, seconds=0.5)
        steps.say("cell", cell=2, of=2, line="y")
        for line in ("1/9", "2/9", "2/9"):
            steps.progress(line)
    found = read_steps(folder.path)
    assert [(step["event"], step["log"]) for step in found] == [("cell", 0), ("ran", 7), ("cell", 7), ("progress", 7)]
    assert found[0]["line"] == "key = '[secret]'"
    assert (cells_ran(found), cell_under_way(found)) == (((1, 0.5),), 2)
    assert (folder.path / FILE).stat().st_mode & 0o777 == 0o600


def test_no_step_is_no_reason_to_stop(folder: Folder) -> None:
    Steps(folder.path / "deleted").say("cell", cell=1)
    assert read_steps(folder.path / "deleted") == read_steps(None) == []
    assert cell_under_way([]) is None
