"""Forks of a template: they are as processes that were started afresh, and fall back to those in time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import warm_template
from notebook_cells import command, enter, environment_of_nobody, furnish
from warm_template import afresh, fork, here, surrounding, template, until

from gen_toolkit.database.engine import open_database
from gen_toolkit.jobs.children import Surroundings
from gen_toolkit.jobs.warm import keep
from gen_toolkit.jobs.warm.caller import Caller
from gen_toolkit.jobs.warm.client import Cold, ask
from gen_toolkit.jobs.warm.start import WarmChild, start_warm
from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK
from gen_toolkit.workspace import Workspace

pytestmark = warm_template.MARKS

CANARY = "one-that-is-nobody-else's"


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with a template that all these tests fork from."""
    root = furnish(tmp_path_factory.mktemp("warm") / "work", mlflow=False)
    (root / "elsewhere").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        patch.setenv("PYTHONPATH", warm_template.paths())
        patch.setenv("TEMPLATE_SECRET", "not for forks")
        open_database()
        with template(here(root)):
            patch.delenv("TEMPLATE_SECRET")
            yield here(root)


@pytest.fixture(autouse=True)
def _programs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", warm_template.paths())


def told(process: warm_template.Fork) -> dict[str, object]:
    found = json.loads(process.output())
    assert process.said() == {"exit": 0}
    process.connection.close()
    return found


def test_a_fork_tells_the_same_about_itself_as_a_process_that_was_started_afresh(warm: Workspace) -> None:
    environment = surrounding(WARM_CANARY=CANARY, TZ="Asia/Tokyo", PYTHONIOENCODING="utf-8", LÄNGE="ß\udcff")
    forked = told(fork(warm, "facts", "an argument", "", environment=environment, umask=0o022))
    assert forked["environment"]["WARM_CANARY"] == CANARY
    assert "TEMPLATE_SECRET" not in forked["environment"]
    assert forked["arguments"] == ["facts", "an argument", ""]
    assert forked["shown"]
    os.umask(0o022)
    assert forked == afresh(warm, "facts", "an argument", "", environment=environment)


def test_a_fork_has_the_folder_and_umask_it_was_given(warm: Workspace) -> None:
    forked = told(fork(warm, "facts", umask=0o077, cwd=str(warm.root / "elsewhere")))
    assert (forked["cwd"], forked["umask"]) == (str(warm.root / "elsewhere"), 0o077)


def test_two_forks_draw_different_numbers_and_share_nothing(warm: Workspace) -> None:
    one, other = (told(fork(warm, "state")) for _ in range(2))
    assert len({one["random"], other["random"], one["numpy"], other["numpy"]}) == 4
    for each in (one, other):
        assert each["held"] == []
        assert each["ready"] == 1  # the engine of the workspace's database, with no connection: see `warm.rehearse`
        assert each["clients"] == 0
        assert each["main"] == []
        # the line to whoever asked, and the one to the child it may have to become: sockets of its own
        assert all(target.startswith("socket:") for target in each["files"])
        assert len(each["files"]) <= 2
        assert each["mlflow"] == ["mlflow", True, "mlflow", True]


def test_children_of_a_fork_are_forks_that_carry_their_mark_and_share_no_file(warm: Workspace) -> None:
    found = told(fork(warm, "parent", "run-1", "by fork"))
    assert found["status"] == 0
    assert found["environment"][RUN_MARK] == "run-1"
    assert found["leads_its_session"]


def test_a_child_whose_libraries_read_another_environment_is_started_afresh(warm: Workspace) -> None:
    found = told(fork(warm, "parent", "run-2", "in vain"))
    assert (found["status"], found["environment"]["OMP_NUM_THREADS"]) == (0, "7")


def test_a_fork_is_found_by_the_mark_it_was_given_and_the_template_is_not(warm: Workspace) -> None:
    run = f"run-{os.getpid()}"  # no other suite on this machine has it
    process = fork(warm, "wait", environment=surrounding(**{RUN_MARK: run}))
    assert process.line() == "waiting"
    assert marked(RUN_MARK, run)[0] == process.pid
    status = keep.status(warm)
    assert status is not None
    assert status.pid not in marked(RUN_MARK, run)
    process.connection.sendall(bytes([signal.SIGKILL]))
    assert process.said() == {"ended": -signal.SIGKILL}
    until(lambda: marked(RUN_MARK, run) == [])  # with what was to become its child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_the_caller_reaches_the_fork(warm: Workspace, number: signal.Signals) -> None:
    process = fork(warm, "wait")
    assert process.line() == "waiting"
    process.connection.sendall(bytes([number]))
    assert process.line() == number.name
    assert process.said() == {"exit": 130 if number == signal.SIGINT else 40 + number}


def test_the_end_of_its_caller_is_an_order_to_stop(warm: Workspace) -> None:
    process = fork(warm, "wait")
    assert process.line() == "waiting"
    process.connection.close()
    assert process.line() == "SIGHUP"


def test_the_caller_knows_the_exit_code_before_what_is_done_at_exit_and_all_of_that_is_done(
    warm: Workspace, tmp_path: Path
) -> None:
    process = fork(warm, "leave", str(tmp_path / "done"))
    assert process.said() == {"exit": 7}
    process.connection.close()  # nobody waits any more, and it goes on
    assert until(lambda: (tmp_path / "done").exists() and (tmp_path / "done").read_text()) == "atexit"
    assert (tmp_path / "done.thread").read_text() == "joined"


def test_of_a_fork_that_was_killed_the_template_tells_how(warm: Workspace) -> None:
    assert fork(warm, "die").said() == {"ended": -signal.SIGKILL}


def test_a_caller_that_gives_up_before_it_says_go_has_started_nothing(warm: Workspace, tmp_path: Path) -> None:
    with open(os.devnull, "rb+") as null:
        connection, pid = ask(
            warm.records,
            Caller.COMMAND,
            "warm_program",
            ["leave", str(tmp_path / "done")],
            environment=surrounding(),
            cwd=str(tmp_path),
            files=[null.fileno()] * 3,
        )
    connection.close()
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"OMP_NUM_THREADS": "7"}, "OMP_NUM_THREADS differs"),
        ({"PYTHONPATH": "/somewhere"}, "PYTHONPATH differs"),
        ({"LC_ALL": "tr_TR.ISO-8859-9"}, "LC_ALL differs"),
    ],
)
def test_who_would_have_to_start_otherwise_is_told_to_start_cold(
    warm: Workspace, environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(Cold, match=reason):
        fork(warm, "facts", environment=surrounding(**environment))


def test_a_file_beside_the_work_that_would_be_imported_first_means_a_cold_start(
    warm: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "pandas.py").write_text("", encoding="utf-8")
    with pytest.raises(Cold, match=r"pandas\.py would come before"):
        fork(warm, "facts", cwd=str(tmp_path))


def test_a_variable_says_that_everything_starts_cold(warm: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_TOOLKIT_START", "cold")
    with pytest.raises(Cold, match="says so"):
        fork(warm, "facts")


def test_gen_run_loads_nothing_heavy_when_a_template_is_up(warm: Workspace) -> None:
    code = (
        "import os, sys; leave = os._exit\n"
        "def told(code): print('LOADED', *sys.modules, file=sys.stderr, flush=True); leave(code)\n"
        "os._exit = told\n"
        "from gen_toolkit.cli.entry import main; sys.argv = ['gen', 'run', 'nothing']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=surrounding(), cwd=warm.root, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 2
    assert "error: there is no pipeline 'nothing'" in done.stderr
    loaded = {name.partition(".")[0] for name in done.stderr.partition("LOADED")[2].split()}
    heavy = {"sqlalchemy", "alembic", "typer", "click", "rich", "mlflow", "papermill", "nbclient", "jupyter_client",
             "pydantic", "pydantic_settings", "openai", "pandas", "numpy", "IPython", "asyncio", "aiohttp"}  # fmt: skip
    assert "gen_toolkit" in loaded
    assert not loaded & heavy


def test_it_is_said_whether_a_command_starts_warm(warm: Workspace) -> None:
    entry = [sys.executable, "-m", "gen_toolkit.cli.entry", "--verbose", "run", "nothing"]
    said = [
        subprocess.run(
            entry, env=surrounding(**more), cwd=warm.root, capture_output=True, text=True, timeout=90
        ).stderr.splitlines()[0]
        for more in ({}, {"OMP_NUM_THREADS": "7"})
    ]
    assert said[0].startswith("warm start: process ")
    assert said[1] == "cold start: the environment variable OMP_NUM_THREADS differs"


def test_a_second_template_of_the_workspace_leaves_at_once(warm: Workspace) -> None:
    before = keep.status(warm)
    plan = json.dumps({"root": str(warm.root), "idle": 60})
    assert subprocess.run([sys.executable, "-m", "gen_toolkit.jobs.warm.template", plan], timeout=90).returncode == 0
    after = keep.status(warm)
    assert before is not None
    assert after is not None
    assert before.pid == after.pid


def test_it_has_no_thread_when_it_forks_and_says_what_it_has_imported(warm: Workspace) -> None:
    status = keep.status(warm)
    assert status is not None
    assert status.modules > 30
    assert status.problems == {}
    assert status.stale is None
    assert command("x")[0] == sys.executable
    assert "GEN_TOOLKIT_RUN" not in environment_of_nobody()


def test_a_worker_of_a_server_goes_on_without_it_and_keeps_the_files_it_was_given(
    warm: Workspace, tmp_path: Path
) -> None:
    with open(tmp_path / "slot", "w") as slot:
        reader, writer = os.pipe()
        surroundings = Surroundings(surrounding(), warm.root, None, writer, 2, pass_fds=[slot.fileno()])
        child = start_warm(warm.records, "warm_program", "wait", str(slot.fileno()), surroundings=surroundings)
        os.close(writer)
        with os.fdopen(reader) as lines:
            assert lines.readline() == "waiting\n"
            assert os.readlink(f"/proc/{child.pid}/fd/{slot.fileno()}") == str(tmp_path / "slot")
            assert child.wait(0.1) is None
            assert isinstance(child, WarmChild)
            child._handle._connection.shutdown(socket.SHUT_RDWR)  # as when the server is killed
            assert child.wait(0.5) is None
            child.send_signal(signal.SIGTERM)
            assert lines.readline() == "SIGTERM\n"
        assert child.wait(30) is not None
