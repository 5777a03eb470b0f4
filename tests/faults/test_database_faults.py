"""A workspace database that is locked, full or read-only: a typed line, nothing paid unrecorded, the rest readable."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from locked import locked
from notebook_cells import environment_of_nobody, gen
from openai_server import Answer, OpenAIServer, completion
from sqlalchemy import event

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.cli.app import app
from gen_toolkit.database.engine import open_database
from gen_toolkit.errors import DatabaseError

LONG = "x" * 300_000  # more than is free in a database that may not grow
SMALL_DISK = 4  # MB
ASK = """
import gen_toolkit as gt
try:
    print(gt.chat("hi").text)
except gt.GenToolkitError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


def furnish(root: Path, server: OpenAIServer) -> Path:
    """A workspace whose model is the server; one answer is on record."""
    root.mkdir(exist_ok=True)
    alias = f'model = "fast"\n[models.fast]\nmodel = "m"\nbase_url = "{server.url}"\n'
    (root / "gen_toolkit.toml").write_text(alias, encoding="utf-8")
    return root


@pytest.fixture
def recorded(workspace: Path, server: OpenAIServer) -> OpenAIServer:
    """The server of the current workspace, after one call that is on record."""
    furnish(workspace, server)
    assert first("live") == "hello"
    return server


def first(mode: str) -> str:
    """The one call that stays readable, whatever happens after it."""
    with scope.inside(mode=mode, row=scope.Row("first")):
        return gt.chat("hi").text


def on_each_connection(pragma: Callable[[sqlite3.Connection], str]) -> None:
    """Set a pragma of SQLite on every connection that the toolkit uses from now on."""

    @event.listens_for(open_database().engine, "checkout")
    def _(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {pragma(connection)}")


def may_not_grow(pages: int = 0) -> None:
    """The database is full when it has so many more pages than now: SQLite says so as it does of a full disk."""
    with open_database().read() as connection:
        limit = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + pages
    on_each_connection(lambda _: f"max_page_count = {limit}")


def failure(ask: Callable[[], Any] = lambda: gt.chat("hi")) -> DatabaseError:
    """The one typed line of a call that the database keeps from being made, or from being recorded."""
    with pytest.raises(DatabaseError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    assert caught.value.fix
    return caught.value


def states() -> list[str]:
    with open_database().read() as connection:
        return list(connection.exec_driver_sql("SELECT state FROM calls ORDER BY asked_at").scalars())


def asked(code: str = ASK, **environment: str) -> str:
    """What a process of its own says to the question; this one keeps no file of the database open."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment_of_nobody() | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.strip() or done.stderr


# locked


@pytest.mark.parametrize("seconds", [1.5, pytest.param(20, marks=pytest.mark.long)])
def test_a_call_waits_for_another_process_that_writes(recorded: OpenAIServer, seconds: float) -> None:
    with locked(seconds):
        before = time.monotonic()
        assert gt.chat("again").text == "hello"
        assert time.monotonic() - before > seconds * 0.7
    assert states() == ["answered", "answered"]


@pytest.mark.parametrize("seconds", [1.5, pytest.param(20, marks=pytest.mark.long)])
def test_an_answer_waits_to_be_recorded(recorded: OpenAIServer, seconds: float) -> None:
    with contextlib.ExitStack() as until_then:

        def lock_and_answer(_: object) -> Answer:
            until_then.enter_context(locked(seconds))
            return completion("hello")

        recorded.say(lock_and_answer)
        assert gt.chat("again").text == "hello"
    assert states() == ["answered", "answered"]


def test_a_lock_that_does_not_end_is_an_error_before_anything_is_paid(recorded: OpenAIServer) -> None:
    on_each_connection(lambda _: "busy_timeout = 300")
    with locked(60):
        failed = failure()
        assert first("replay") == "hello"
    assert "locked" in failed.message
    assert len(recorded.seen) == 1
    assert gt.chat("once more").text == "hello"


# full


def test_a_full_database_is_an_error_before_anything_is_paid(recorded: OpenAIServer) -> None:
    may_not_grow()
    failed = failure(lambda: gt.chat(LONG))
    assert "full" in failed.message
    assert "free space" in failed.fix
    assert failed.reply is None
    assert len(recorded.seen) == 1
    assert first("replay") == "hello"


def send(text: str) -> Any:
    return gt.chat(text)


def stream(text: str) -> Any:
    return list(gt.stream(text))


@pytest.mark.parametrize("ask", [send, stream])
def test_an_answer_that_cannot_be_recorded_is_handed_over_with_the_error(
    recorded: OpenAIServer, ask: Callable[[str], Any]
) -> None:
    may_not_grow(16)
    recorded.say(completion(LONG))
    failed = failure(lambda: ask("a long one"))
    assert failed.reply.text == LONG
    assert failed.reply.usage.output_tokens == 3
    assert len(recorded.seen) == 2
    assert states() == ["answered", "asked"]
    assert first("replay") == "hello"


def test_when_there_is_room_again_everything_is_as_before(recorded: OpenAIServer) -> None:
    may_not_grow()
    failure(lambda: gt.chat(LONG))
    on_each_connection(lambda _: "max_page_count = 1000000")
    with scope.inside(mode="reuse"):
        assert gt.chat(LONG).text == "hello"
    assert states() == ["answered", "answered"]


# a disk of its own: full, and read-only


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk; skipped where this user may not mount one."""
    point = tmp_path / "disk"
    point.mkdir()
    done = _mount("-t", "tmpfs", "-o", f"size={SMALL_DISK}m", "tmpfs", str(point))
    if done.returncode:
        pytest.skip(f"a disk cannot be mounted here: {done.stderr.strip()}")
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(arguments, 1, "", str(error))


def fill(disk: Path) -> Path:
    """Not a byte is left."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return filler


@pytest.fixture
def on_disk(disk: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace on that disk, which is also the current folder."""
    monkeypatch.chdir(furnish(disk / "work", server))
    return disk / "work"


def test_a_full_disk_is_an_error_before_anything_is_paid(disk: Path, on_disk: Path, server: OpenAIServer) -> None:
    first("live")
    filler = fill(disk)
    failed = failure(lambda: gt.chat(LONG))
    assert "full" in failed.message
    assert len(server.seen) == 1
    assert first("replay") == "hello"
    filler.unlink()
    assert gt.chat(LONG).text == "hello"


def test_a_disk_that_is_full_when_the_answer_comes_loses_no_answer(
    disk: Path, on_disk: Path, server: OpenAIServer
) -> None:
    first("live")

    def fill_and_answer(_: object) -> Answer:
        fill(disk)
        return completion(LONG)

    server.say(fill_and_answer)
    failed = failure()
    assert failed.reply.text == LONG
    assert states() == ["answered", "asked"]
    assert first("replay") == "hello"


LISTS = [
    group.name or ""
    for group in app.registered_groups
    for command in (group.typer_instance.registered_commands if group.typer_instance else ())
    if command.name == "list"
]
KILLED = "\nimport os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize("ending", [pytest.param("", marks=pytest.mark.long), KILLED], ids=["closed", "killed"])
def test_a_read_only_disk_is_read_and_refuses_calls(
    disk: Path, on_disk: Path, server: OpenAIServer, ending: str
) -> None:
    """Also where the process that wrote last was killed: its newest rows are still in SQLite's log."""
    asked(ASK + ending)
    assert len(server.seen) == 1
    assert _mount("-o", "remount,ro", str(disk)).returncode == 0
    assert asked(GEN_TOOLKIT_CALLS="replay") == "hello"
    said = asked()
    assert said.startswith("DatabaseError")
    assert "readonly" in said
    assert len(server.seen) == 1
    for name in LISTS:
        if name == "prompts":  # those are MLflow's, which cannot open a database just to read it: a line, and no wait
            refused = gen(name, "list", cwd=on_disk)
            assert (refused.returncode, "nothing can be written" in refused.stderr) == (3, True)
        else:
            assert gen(name, "list", cwd=on_disk).returncode == 0


def test_what_another_writes_is_seen_through_a_read_only_mount(
    disk: Path, on_disk: Path, tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a container that may only look."""
    view = tmp_path / "view"
    view.mkdir()
    assert _mount("--bind", str(disk), str(view)).returncode == 0
    try:
        assert _mount("-o", "remount,bind,ro", str(view)).returncode == 0
        first("live")  # from here on this process keeps the file open, as a writer does
        assert asked() == "hello"
        assert (on_disk / "mlruns" / "gen_toolkit.db-wal").stat().st_size > 0
        monkeypatch.chdir(view / "work")
        assert asked(GEN_TOOLKIT_CALLS="replay") == "hello"
        assert asked().startswith("DatabaseError")
    finally:
        monkeypatch.chdir(tmp_path)
        subprocess.run(["umount", "--lazy", str(view)], check=True)
    assert len(server.seen) == 2
