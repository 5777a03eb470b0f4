"""Who runs: processes are known by host, pid and start, and those of a run by a mark."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from gen_toolkit import process
from gen_toolkit.process import end_marked, is_alive, is_here, marked, place_of, steady, this_process

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

MARK = f"GEN_TOOLKIT_TEST_MARK_{os.getpid()}"  # two suites on one machine do not end each other's processes
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python code that has said its first line; it is killed at the end of the test."""
    children: list[subprocess.Popen[str]] = []

    def begin(code: str, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code + "\nimport time; time.sleep(60)"]
        child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


NAME = "from gen_toolkit.process import this_process; print(this_process(), flush=True)"


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_this_process_is_alive() -> None:
    assert is_alive(this_process())


def test_a_child_is_alive_until_it_ends_also_as_a_zombie(start: Start) -> None:
    child = start(NAME)
    name = said(child)
    assert is_alive(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody has collected it
    assert not is_alive(name)
    child.wait()
    assert not is_alive(name)


def test_a_pid_that_is_used_again_is_another_process() -> None:
    host, pid, start = this_process().rsplit(" ", 2)
    assert not is_alive(f"{host} {pid} {int(start) - 1}")


def test_the_same_pid_in_another_container_of_the_host_is_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_SYSTEM_S", os.stat("/proc/self/ns/pid").st_ino)
    gone = f"{socket.gethostname()} {os.getpid()} 1"
    assert (is_here(gone), is_alive(gone), place_of(gone)) == (True, False, socket.gethostname())
    monkeypatch.setattr(process, "_SYSTEM_S", 0)  # as if we were in a container
    assert (is_here(gone), is_alive(gone)) == (False, True)
    inside = process._name.__wrapped__(os.getpid())
    assert place_of(inside).startswith(f"{socket.gethostname()}/")
    assert (is_here(inside), is_alive(inside)) == (True, True)


def test_of_another_host_nobody_can_tell_so_it_counts_as_alive() -> None:
    assert is_alive("elsewhere 1 1")


def test_a_process_with_an_odd_name_is_read_right(start: Start) -> None:
    rename = "open('/proc/self/comm', 'wb').write(b'a) Z 1 \\xff')\n"
    assert is_alive(said(start(rename + NAME)))


def test_marked_finds_the_children_of_a_mark_and_no_others(start: Start) -> None:
    mine = start("print('up', flush=True)", **{MARK: "one"})
    other = start("print('up', flush=True)", **{MARK: "one more"})
    assert [said(mine), said(other)] == ["up", "up"]
    assert marked(MARK, "one") == [mine.pid]


def test_end_marked_kills_grandchildren_too_and_says_when_none_is_left(start: Start) -> None:
    fork = "import os, subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True)"
    child = start(fork, **{MARK: "tree"})
    grandchild = int(said(child))
    assert end_marked(MARK, "tree")
    assert child.wait(5) == -9
    assert marked(MARK, "tree") == []
    until = time.monotonic() + 5
    while os.path.exists(f"/proc/{grandchild}/fd/0") and time.monotonic() < until:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{grandchild}/fd/0")


def test_ending_a_mark_that_nobody_has_is_done_at_once() -> None:
    assert end_marked(MARK, "nobody", patience=0)


def test_a_child_may_ask_to_die_with_its_parent(start: Start) -> None:
    inner = f"from gen_toolkit.process import die_with_parent; die_with_parent()\n{NAME}\nimport time; time.sleep(60)"
    parent = start(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {inner!r}])")
    name = said(parent)
    assert is_alive(name)
    parent.kill()
    parent.wait()
    until = time.monotonic() + 5
    while is_alive(name) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(name)


def test_the_steady_clock_is_the_same_for_all_processes(start: Start) -> None:
    before = steady()
    theirs = float(said(start("from gen_toolkit.process import steady; print(steady(), flush=True)")))
    assert before < theirs < steady()
