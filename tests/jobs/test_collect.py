"""What cells show: how much of it is kept, what of it is told, and that a secret in pieces is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from gen_toolkit import text
from gen_toolkit.jobs.collect import Collector, Log

Show = Callable[..., bool]


@pytest.fixture
def cell() -> Any:
    return nbformat.v4.new_code_cell("x")


@pytest.fixture
def said() -> list[str]:
    """Lines of progress."""
    return []


@pytest.fixture
def show(cell: Any, said: list[str]) -> Show:
    """A message of the cell; True when the notebook takes it. 1,000 characters may be collected."""
    collector = Collector(0.001, Log(1e6), lambda event, line: said.append(line))

    def one(kind: str, **content: Any) -> bool:
        return collector.take({"msg_type": kind, "content": content}, cell)

    return one


def test_what_fits_is_kept_what_goes_beyond_is_cut_once(show: Show, cell: Any) -> None:
    assert show("stream", name="stdout", text="x" * 900)
    content = {"name": "stdout", "text": "y" * 900}
    assert show("stream", **content)  # the part that fits, with the mark
    assert not show("stream", name="stdout", text="z")
    assert not show("execute_result", data={"text/plain": "z"}, execution_count=1)
    assert cell.outputs == []


def test_a_result_that_does_not_fit_leaves_a_line_in_the_cell(show: Show, cell: Any) -> None:
    assert not show("display_data", data={"text/html": "x" * 2000, "application/json": {"a": 1}})
    assert [output.text for output in cell.outputs] == [
        "[output is cut here: the run has shown more than 0.001 MB (output_mb)]\n"
    ]
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_what_is_replaced_or_cleared_does_not_add_up(show: Show) -> None:
    for _ in range(10):
        assert show("update_display_data", data={"text/plain": "x" * 500}, transient={"display_id": "a"})
        assert show("stream", name="stdout", text="x" * 500)
        assert show("clear_output", wait=True)


def test_an_error_is_always_kept_but_not_at_any_length(show: Show) -> None:
    assert show("stream", name="stdout", text="x" * 2000)
    content = {"ename": "ValueError", "evalue": "y" * 200_000, "traceback": ["z" * 200_000, "end"]}
    message = {"msg_type": "error", "content": content}
    assert Collector(0.001, Log(1e6), lambda **_: None).take(message, None)
    assert content["evalue"].endswith("y… (200000 characters)")
    assert [len(line) < 101_000 for line in content["traceback"]] == [True, True]


def test_progress_is_the_newest_line_and_not_told_more_often_than_anyone_can_read(show: Show, said: list[str]) -> None:
    for step in range(100):
        show("stream", name="stderr", text=f"\r{step} %")
    assert said[0] == "0 %"
    assert len(said) < 50


def test_a_secret_that_comes_in_pieces_is_masked_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    text.remember_secret("canary-of-paradise")
    log = Log(1e6)
    for piece in ("a can", "ary-of", "-paradise, a canary-of"):
        log.write(piece)
    assert capsys.readouterr().err == "a [secret], a "
    log.close()
    assert capsys.readouterr().err == "canary-of"


def test_a_log_says_where_it_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(10)
    for _ in range(5):
        log.write("1234\n")
    assert capsys.readouterr().err == "1234\n1234\n\n[the log is cut here: output_mb]\n"
