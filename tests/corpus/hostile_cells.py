"""Cells that break what they can reach, and how `gen try` ends for each: state, exit code, and what it says.

Those of `SHORT` are tried by `make test`, the others by `make test-long`. `tests/jobs/test_hostile_cells.py` has
more, of what a supervisor alone must bear: time, memory and output without end, processes that hide.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from notebook_cells import code

USE = "import gen_toolkit as gt"
NEVER = "print('never' + ' printed')"


@dataclass(frozen=True)
class Tried:
    """`says` stands in the reason; None: there is none. `options` of the command."""

    cells: tuple[str | dict[str, Any], ...]
    state: str
    exit_code: int
    says: str | None = None
    options: tuple[str, ...] = ()
    parameters: str = "limit: int = 3"
    keeps: dict[str, Any] = field(default_factory=dict)


def fails(*cells: str, says: str) -> Tried:
    return Tried((USE, *cells, NEVER, "gt.keep('a', 1)"), "failed", 1, says)


def dies(*cells: str, says: str) -> Tried:
    return Tried((USE, *cells, NEVER, "gt.keep('a', 1)"), "killed", 1, says)


def hangs(*cells: str) -> Tried:
    last = 2 + len((USE, *cells))  # behind the parameters and the injected cell
    says = f"cell {last} was not done after"
    return Tried((USE, *cells, NEVER, "gt.keep('a', 1)"), "timed out", 4, says, ("--cell-timeout", "4"))


def passes(*cells: str | dict[str, Any], parameters: str = "limit: int = 3", **kept: Any) -> Tried:
    last = f"gt.keep('end', {kept!r})"
    return Tried((USE, *cells, last), "succeeded", 0, None, (), parameters, {"end": kept})


LEFT = f"left-by-a-hostile-cell-{os.getpid()}"  # no other suite on this machine has it
DAEMON = f"""
import subprocess, sys
sleeps = [sys.executable, "-S", "-c", "import time; time.sleep(300)", "{LEFT}"]
subprocess.Popen(["setsid", "-f", *sleeps])
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, sleeps)
    os._exit(0)
"""
FORKS = """
import os, time
for _ in range(40):
    if os.fork() == 0:
        os.fork()
        time.sleep(300)
        os._exit(0)
"""
THREADS = """
import threading, time
def work():
    while True:
        time.sleep(0.2)
        print("and on", flush=True)
for _ in range(20):
    threading.Thread(target=work).start()
"""
WRECK = """
import os, pathlib, shutil
work = pathlib.Path(os.environ["GEN_TOOLKIT_WORK"])
shutil.rmtree(work)
work.symlink_to(pathlib.Path.cwd().parent / "elsewhere")
(work.parent / "notebook.ipynb").unlink(missing_ok=True)
(work.parent / "notebook.ipynb").symlink_to(pathlib.Path.cwd().parent / "elsewhere" / "victim.txt")
"""
SHADOWS = """
import builtins, json, sys
builtins.open = builtins.print = None
sys.stdout = sys.stderr = None
json.dumps = lambda *_, **__: "owned"
"""

SHORT: dict[str, Tried] = {
    "leaves with success": fails("import sys\nsys.exit(0)", says="SystemExit"),
    "forks": passes(FORKS, forked=40),
    "wrecks its folder": Tried((USE, WRECK, "gt.keep('a', 1)"), "succeeded", 0),
    "odd parameters": passes(
        parameters="a: str = '{{ 7 * 7 }}{% raw %}${HOME}`id`'\nb: str = '\\'\\'\\'; raise SystemExit #'\n"
        "c: list[str] = ['!!python/object/apply:os.system [id]', '</script>', '\\u202e\\x1b[2J', '\\x00']",
    ),
}

LONG: dict[str, Tried] = {
    "loops": hangs("while True:\n    pass"),
    "kills its kernel": dies("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", says="SIGKILL"),
    "leaves daemons": passes(DAEMON, "done = 1", left=1),
    "starts threads": passes(THREADS, started=20),
    "leaves at once": dies("import os\nos._exit(0)", says="the kernel ended by itself with status 0"),
    "breaks its memory": dies("import ctypes\nctypes.string_at(0)", says="SIGSEGV"),
    "raises markup": fails(
        "raise ValueError('<script>alert(1)</script>\\x1b[2J\\u202e')", says="<script>alert(1)</script>"
    ),
    "raises what cannot be shown": fails(
        "class Odd(Exception):\n    def __str__(self):\n        raise self\nraise Odd()", says="could not tell how"
    ),
    "leaves by its front end": dies(  # its loop stops a tenth of a second after the cell
        "exit()", "import time\ntime.sleep(0.5)", says="the kernel ended by itself with status 0"
    ),
    "interrupts itself": fails("raise KeyboardInterrupt", says=""),
    "stops itself": hangs("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    "waits for input": hangs("import threading\nthreading.Event().wait()"),
    "has no end of frames": Tried(
        (USE, "import sys\nsys.setrecursionlimit(10**9)\ndef f():\n    return f()\nf()", NEVER, "gt.keep('a', 1)"),
        "killed", 1, "", ("--memory-mb", "500"),
    ),
    "closes all files": dies(  # libzmq aborts when it finds a socket of its own closed; printing has it look at once
        "import os\nos.closerange(3, 1000)\nprint('gone', flush=True)\nimport time\ntime.sleep(60)", says="SIGABRT"
    ),
    "kills its parent": dies("import os\nos.kill(os.getppid(), 9)\nimport time\ntime.sleep(60)", says=""),
    "shadows everything": fails(SHADOWS, says="UnreadableMessage"),
    "goes elsewhere": passes("import os\nos.chdir(os.sep)\nos.umask(0o777)\nos.environ.clear()"),
    "floods": Tried(
        (USE, "for n in range(200_000):\n    print('x' * 1000)", "gt.keep('end', {})"),
        "succeeded", 0, None, ("--output-mb", "1"), keeps={"end": {}},
    ),
    "floods past its channels": Tried(
        (USE, "import os\nfor n in range(20_000):\n    os.write(1, b'\\xff' * 1000)", "gt.keep('end', {})"),
        "succeeded", 0, None, ("--output-mb", "1"), keeps={"end": {}},
    ),
    "eats memory": Tried(
        (USE, "import time\nx = [bytearray(b'x' * 10_000_000) for _ in range(80)]\ntime.sleep(60)", "gt.keep('a', 1)"),
        "killed", 1, "out of memory", ("--memory-mb", "500"),
    ),
    "shows scripts": passes(
        "from IPython.display import HTML, Javascript, display\ndisplay(HTML('<script>alert(1)</script>'))\n"
        "display(Javascript('alert(1)'))\nprint('\\x1b[2J\\x1b]0;owned\\x07\\u202e\\udcff')"
    ),
    "shows what is no output": fails(
        "from IPython.display import display\ndisplay({'text/plain': 3, 'image/png': b'x', 7: None}, raw=True)",
        says="is not valid",
    ),
    "changes its notebook": passes(
        "import os, pathlib\nfolder = pathlib.Path(os.environ['GEN_TOOLKIT_WORK']).parent\n"
        "for path in folder.glob('*.ipynb'):\n    path.write_text('owned')"
    ),
    "keeps no number": fails("gt.keep('a', float('nan'))", says=""),
    "keeps by a strange name": fails("gt.keep('../../a', 1)", says=""),
    "keeps what is no value": fails("gt.keep('a', object())", says=""),
    "deep code": fails("def f(n):\n    return f(n + 1)\nf(0)", says="RecursionError"),
    "empty": Tried((code(USE + "\ngt.keep('end', {})"), *[code("") for _ in range(50)]), "succeeded", 0),
}  # fmt: skip
