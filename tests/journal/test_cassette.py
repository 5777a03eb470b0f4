"""A cassette: calls in a file that a repository can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import gen_toolkit as gt
from gen_toolkit import scope, text
from gen_toolkit.errors import InputError, ModelRefused, ReplayMiss
from gen_toolkit.journal.cassette import Cassette
from gen_toolkit.journal.store import _cassette

Ask = Callable[..., gt.Reply]


@pytest.fixture
def cassette(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GEN_TOOLKIT_CASSETTE", "tests/cassettes/a.jsonl")
    return workspace / "tests" / "cassettes" / "a.jsonl"


def ask(mode: str, prompt: str = "hi", says: object = "hello", owner: str | None = None) -> gt.Reply:
    """As a new process would: the cassette is read anew, and requests are counted from 0."""
    _cassette.cache_clear()
    with scope.inside(mode=mode, owner=owner, row=scope.Row("1")):
        return gt.chat(prompt, model=gt.ScriptedModel(lambda messages: says))


@pytest.mark.parametrize("mode", ["live", "reuse"])
def test_it_is_written_in_the_other_modes_and_read_in_replay(cassette: Path, workspace: Path, mode: str) -> None:
    recorded = ask(mode)
    for file in (workspace / "mlruns").glob("gen_toolkit.db*"):
        file.unlink()
    replayed = ask("replay", says="never")
    assert (replayed.text, replayed.source, replayed.usage) == (recorded.text, "replay", recorded.usage)


def test_what_is_reused_is_written_too(cassette: Path) -> None:
    ask("live")
    cassette.unlink()
    assert ask("reuse").source == "reuse"
    assert ask("replay").text == "hello"


def test_the_owner_of_a_call_is_left_out(cassette: Path) -> None:
    ask("live", owner=None)
    assert ask("replay", owner="job 1").text == "hello"


def test_replay_reads_it_instead_of_the_journal(cassette: Path) -> None:
    ask("live")
    cassette.write_text("")
    with pytest.raises(ReplayMiss, match=r"a\.jsonl"):
        ask("replay")


def test_it_holds_one_line_a_call_and_nothing_that_was_sent(cassette: Path) -> None:
    for _ in range(2):
        ask("live", "a private question")
    (line,) = cassette.read_text().splitlines()
    assert set(json.loads(line)) == {"key", "reply"}
    assert "private" not in line
    assert cassette.stat().st_mode & 0o077 == 0


def test_a_failure_is_replayed_until_an_answer_is_recorded(cassette: Path) -> None:
    with pytest.raises(ModelRefused):
        ask("live", says={"error": "no"})
    with pytest.raises(ModelRefused, match="no"):
        ask("replay")
    ask("live")
    assert ask("replay").text == "hello"


def test_the_answer_that_was_seen_last_is_replayed(cassette: Path) -> None:
    for says in ("old", "new", "new"):
        ask("live", says=says)
    assert ask("replay").text == "new"
    with pytest.raises(ModelRefused):
        ask("live", says={"error": "no"})
    assert ask("replay").text == ask("reuse").text == "new"
    assert len(cassette.read_text().splitlines()) == 2


def test_an_answer_with_a_secret_is_written_once(cassette: Path) -> None:
    text.remember_secret("cassette-0123456789")
    for _ in range(2):
        ask("live", says="it is cassette-0123456789 \ud800")
    assert len(cassette.read_text().splitlines()) == 1


def test_secrets_are_masked(cassette: Path) -> None:
    text.remember_secret("cassette-0123456789")
    ask("live", says="it is cassette-0123456789")
    with pytest.raises(ModelRefused):
        ask("live", "again", says={"error": "not cassette-0123456789"})
    assert "0123456789" not in cassette.read_text()
    assert cassette.read_text().count(text.MASK) == 2


@pytest.mark.parametrize("odd", ["a\u2028b\x85c\x1cd\x0ce\r\nf", "\ud800 half a character", "日本語 🎬"])
def test_any_text_survives(cassette: Path, odd: str) -> None:
    ask("live", says=odd)
    ask("live", "again")
    assert ask("replay").text == odd


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "3",
        "[]",
        "{}",
        '{"key": "k"}',
        '{"key": "k", "reply": 3}',
        '{"key": "k", "reply": {}}',
        '{"reply": {"text": ""}}',
        "\udcff",
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "broken.jsonl"
    good = '{"key": "k", "reply": {"text": "x"}}'
    path.write_text(f"{good}\n\n{line}\n", errors="surrogateescape")
    with pytest.raises(InputError, match=r"broken\.jsonl line 3 is not a recorded call.*Remove the line"):
        Cassette(path)
