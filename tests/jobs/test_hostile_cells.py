"""Cells that hang, flood, eat, hide and destroy: the run ends in time, and what is said of it is true."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from command_lines import running
from notebook_cells import code, source_of
from supervised import Supervised, supervised

from gen_toolkit.jobs import orders
from gen_toolkit.process import marked
from gen_toolkit.surface import RUN_MARK

pytestmark = pytest.mark.kernel

NEVER = "print('never')"
HIDING = f"hiding-from-{os.getpid()}"  # two suites on one machine do not take each other's processes for theirs
HIDES = """
import subprocess, sys
hidden = ["env", "-i", "setsid", "-f", sys.executable, "-S", "-c", "import time; time.sleep(300)", {tag!r}]
subprocess.run(hidden, check=True)
"""
CASES = {
    "tidy": (
        ["import time", "try:\n    time.sleep(300)\nfinally:\n    print('cleared up')", NEVER],
        {"cell_timeout": 5},
    ),
    "stubborn": (
        [
            "import signal, time\nfor number in (signal.SIGINT, signal.SIGTERM):\n"
            "    signal.signal(number, signal.SIG_IGN)\nwhile True:\n    time.sleep(300)",
            NEVER,
        ],
        {"cell_timeout": 5},
    ),
    "swallowing": (
        ["import time\ntry:\n    time.sleep(300)\nexcept KeyboardInterrupt:\n    print('and on')", NEVER],
        {"cell_timeout": 5},
    ),
    "silent": (
        [
            "import time\nfor step in range(4):\n    print(step, flush=True)\n    time.sleep(0.5)\ntime.sleep(300)",
            NEVER,
        ],
        {"silence_timeout": 5},
    ),
    "hungry": (
        ["import time\neaten = [bytearray(b'x' * 10_000_000) for _ in range(60)]\ntime.sleep(300)", NEVER],
        {"memory_mb": 400},
    ),
    "loud": (
        ["for _ in range(100):\n    print('x' * 100_000)", "print('quiet')", "raise ValueError('y' * 5_000_000)"],
        {"output_mb": 2},
    ),
    "chatty": (["for line in range(1_000_000):\n    print(line)", "print('done')"], {"output_mb": 1}),
    "burning": (
        ["import os, pathlib, shutil\nshutil.rmtree(pathlib.Path(os.environ['GEN_TOOLKIT_WORK']).parent)", "print(1)"],
        {},
    ),
    "vanishing": (["import os\nos._exit(0)", NEVER], {}),
    "styled": (
        ["from rich.traceback import install\n_ = install()", "raise ValueError('no rows')"],
        {},
    ),
    "half": (["print('before')", "raise ValueError('half a sign: \\ud83d')"], {}),
    "odd": (
        [
            code("raise ValueError('allowed')", "raises-exception"),
            code("print('skipped')", "skip-execution"),
            code("  "),
            HIDES.format(tag=HIDING),
            "import os, shutil\nos.chdir(os.environ['GEN_TOOLKIT_WORK'])\nshutil.rmtree(os.getcwd())",
            "import signal\nfor number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
            "    os.kill(os.getppid(), number)",
            "os.write(1, b'caf\\xe9 \\xff\\n')\nprint('\\udcff lone', 'a\\x00b')\nos.chdir('/')\n"
            "_ = subprocess.run([sys.executable, '-c', 'import os; os.write(2, bytes(range(128, 256)))'])",
            "print('done')",
        ],
        {},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Supervised]]:
    """Each in its own folder, a few at a time."""
    root = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setattr(orders, "GRACE", 6.0)
        begun = {
            name: pool.submit(supervised, root / f"{name}-{os.getpid()}", *cells, **limits)
            for name, (cells, limits) in CASES.items()
        }
        yield {name: future.result() for name, future in begun.items()}


@pytest.mark.parametrize(
    ("name", "cell", "says"),
    [
        ("tidy", 2, "cell 2 was not done after 5 s"),
        ("stubborn", 1, "cell 1 was not done after 5 s"),
        ("swallowing", 1, "cell 1 was not done after 5 s"),
        ("silent", 1, "no output for 5 s"),
    ],
)
def test_a_cell_that_takes_too_long_ends_the_run_as_timed_out(
    cases: dict[str, Supervised], name: str, cell: int, says: str
) -> None:
    ending = cases[name].ending
    assert ending.state == "timed out"
    assert ending.reason is not None
    assert (ending.reason.cell, ending.reason.message) == (cell, says)
    assert "never" not in cases[name].log


def test_an_interrupted_cell_may_clear_up_and_the_notebook_shows_where_it_was(cases: dict[str, Supervised]) -> None:
    tidy = cases["tidy"]
    assert tidy.shown(2) == "cleared up\n"
    assert tidy.notebook["cells"][1]["outputs"][-1]["ename"] == "KeyboardInterrupt"


def test_a_cell_that_swallows_its_interrupt_is_the_last_one(cases: dict[str, Supervised]) -> None:
    assert cases["swallowing"].shown(1) == "and on\n"
    assert cases["swallowing"].notebook["cells"][1]["execution_count"] is None


def test_output_counts_as_a_sign_of_life(cases: dict[str, Supervised]) -> None:
    assert cases["silent"].shown(1) == "0\n1\n2\n3\n"


def test_more_memory_than_allowed_ends_the_run_as_killed(cases: dict[str, Supervised]) -> None:
    ending = cases["hungry"].ending
    assert ending.state == "killed"
    assert ending.reason is not None
    assert ending.reason.message.startswith("out of memory: its processes took ")
    assert ending.reason.cell == 1
    assert ending.measured.peak_memory_mb is not None
    assert 400 < ending.measured.peak_memory_mb < 900


def test_more_output_than_allowed_is_cut_and_the_notebook_and_the_log_say_so(cases: dict[str, Supervised]) -> None:
    loud = cases["loud"]
    assert (loud.ending.state, loud.ending.reason and loud.ending.reason.error) == ("failed", "ValueError")
    assert "[output is cut here: the run has shown more than 2 MB (output_mb)]" in loud.shown(1)
    assert loud.shown(1).count("[output is cut here") == 1
    assert (loud.folder / "notebook.ipynb").stat().st_size < 3_000_000
    assert loud.log.endswith("[the log is cut here: output_mb]\n")
    assert len(loud.log) < 3_000_000


def test_a_million_lines_are_no_trouble(cases: dict[str, Supervised]) -> None:
    chatty = cases["chatty"]
    assert (chatty.ending.state, chatty.ending.reason) == ("succeeded", None)
    assert chatty.shown(1).startswith("0\n1\n2\n")
    assert (chatty.folder / "notebook.ipynb").stat().st_size < 2_000_000


@pytest.mark.parametrize(("name", "error"), [("styled", "ValueError"), ("half", "UnicodeEncodeError")])
def test_a_last_cell_whose_error_the_kernel_does_not_show_has_failed(
    cases: dict[str, Supervised], name: str, error: str
) -> None:
    ending = cases[name].ending
    assert (ending.state, ending.reason and (ending.reason.cell, ending.reason.error)) == ("failed", (2, error))
    shown = cases[name].notebook["cells"][1]["outputs"][-1]
    assert (shown["output_type"], shown["ename"]) == ("error", error)


def test_what_is_odd_but_no_error_succeeds(cases: dict[str, Supervised]) -> None:
    odd = cases["odd"]
    assert (odd.ending.state, odd.ending.reason) == ("succeeded", None)
    assert odd.shown(len(CASES["odd"][0])) == "done\n"


def test_a_process_that_hides_from_the_run_ends_with_it(cases: dict[str, Supervised]) -> None:
    assert cases["odd"].ending.state == "succeeded"
    assert running(HIDING) == []


def test_bytes_that_are_no_text_are_shown_somehow_and_stay_a_notebook(cases: dict[str, Supervised]) -> None:
    assert "caf" in cases["odd"].shown(7)
    assert "lone" in cases["odd"].shown(7)


def test_tags_mean_what_papermill_takes_them_for(cases: dict[str, Supervised]) -> None:
    cells = cases["odd"].notebook["cells"]
    assert cells[0]["outputs"][0]["ename"] == "ValueError"
    assert cells[1]["execution_count"] is None
    assert source_of(cells[1]) == "print('skipped')"


def test_a_notebook_that_cannot_be_saved_has_not_succeeded(cases: dict[str, Supervised]) -> None:
    ending = cases["burning"].ending
    assert ending.state == "failed"
    assert ending.reason is not None
    assert ending.reason.error == "NotSaved"
    assert ending.reason.message == "the executed notebook cannot be written: No such file or directory"


def test_a_kernel_that_leaves_half_way_has_not_succeeded(cases: dict[str, Supervised]) -> None:
    ending = cases["vanishing"].ending
    assert ending.state == "killed"
    assert ending.reason is not None
    assert ending.reason.message == "the kernel ended by itself with status 0"
    assert "never" not in cases["vanishing"].log


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_it_is_left(cases: dict[str, Supervised], name: str) -> None:
    assert marked(RUN_MARK, cases[name].folder.name) == []
    assert (cases[name].folder / "work").exists() == (name not in {"burning", "odd"})  # which delete it


def test_seconds_of_each_cell_are_measured(cases: dict[str, Supervised]) -> None:
    measured = cases["odd"].ending.measured
    assert [cell for cell, _ in measured.cells] == [1, 4, 5, 6, 7, 8]
    assert all(0 < seconds < 60 for _, seconds in measured.cells)
    assert measured.peak_memory_mb is None or measured.peak_memory_mb > 10
    assert sys.platform != "linux" or measured.peak_memory_mb is not None
