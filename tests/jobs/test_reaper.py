"""The reaper by itself: it is light, it loses nobody below it, and it measures them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gen_toolkit.jobs.memory import Memory
from gen_toolkit.jobs.tree import descendants, exact_memory_mb, memory_mb
from gen_toolkit.process import steady

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

ENDING = """
import os, subprocess, sys
from gen_toolkit.jobs.tree import descendants, end_children
from gen_toolkit.process import adopt_orphans
assert adopt_orphans()
child = subprocess.Popen(["sh", "-c", "sleep 300 & sleep 300"], start_new_session=True)
subprocess.run(["env", "-i", "setsid", "-f", "sleep", "300"], check=True)
while len(descendants(os.getpid())) < 4:
    pass
below = descendants(os.getpid())
assert end_children(lambda: [], 30)
child.returncode = 0
print(len(below), [pid for pid in below if os.path.exists(f"/proc/{pid}")])
"""
HEAVY = {"papermill", "nbclient", "zmq", "asyncio", "sqlalchemy", "pydantic", "jinja2", "mlflow", "tempfile", "logging"}


def said(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip()


def test_whoever_adopts_orphans_can_end_all_that_it_ever_started() -> None:
    assert said(ENDING) == "4 []"


def test_the_reaper_loads_nothing_heavy() -> None:
    loaded = said("import gen_toolkit.jobs.reaper, sys; print(*sys.modules)").split()
    assert HEAVY & set(loaded) == set()


def test_the_lease_is_known_from_the_first_moment(tmp_path: Path) -> None:
    """A supervisor that is stopped as soon as it has started the reaper has given no order yet."""
    plan = {"mark": "A_MARK", "run": "one", "folder": str(tmp_path), "sockets": str(tmp_path / "none")}
    plan |= {"memory_mb": None, "proven_until": steady() + 1}
    with subprocess.Popen(
        [sys.executable, "-m", "gen_toolkit.jobs.reaper", json.dumps(plan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "A_MARK": "one"},
    ) as reaper:
        assert reaper.stdout is not None
        said = [json.loads(line) for line in reaper.stdout]
    assert [one["event"] for one in said] == ["unproven", "gone"]


def test_memory_counts_what_no_file_backs_and_what_is_shared_only_once() -> None:
    """100 MB of a process that has forked are 100 MB, and not 200."""
    code = "import os, time; eaten = bytearray(b'x' * 100_000_000); os.fork(); os.write(1, b'up\\n'); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline(), parent.stdout.readline()] == ["up\n", "up\n"]
        pids = [parent.pid, *descendants(parent.pid)]
        assert len(pids) == 2
        assert memory_mb(pids) > 200
        assert 100 < exact_memory_mb(pids) < 150
        memory = Memory(cap_mb=150)
        assert not memory.look(pids)
        assert memory.peak is not None
        assert 100 < memory.peak < 150
        assert Memory(cap_mb=90).look(pids)
        for pid in reversed(pids):
            os.kill(pid, 9)


def test_of_processes_that_have_gone_nothing_is_known_and_nothing_breaks() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert descendants(gone.pid) == []
    assert (memory_mb([gone.pid]), exact_memory_mb([gone.pid])) == (0, 0)
    assert not Memory(cap_mb=1).look([gone.pid])
