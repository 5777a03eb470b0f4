"""Files that are no notebooks, or careless and hostile ones, and how `gen check` ends for each.

`CASES`: name → how the file is made below a folder of notebooks, the exit code, and what the first line says.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notebook_cells import KEEPS, code, notebook, written

GOOD = "nothing stands in the way of promotion"


@dataclass(frozen=True)
class Case:
    """`make` writes the file, or what else it is, and returns its path."""

    make: Callable[[Path], Path]
    exit_code: int
    says: str


def raw(content: bytes | str, name: str = "x.ipynb") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def cells(*sources: Any, parameters: str | None = "limit: int = 3", name: str = "x.ipynb") -> Callable[[Path], Path]:
    return lambda folder: written(folder / name, KEEPS, *sources, parameters=parameters)


def changed(change: Callable[[dict[str, Any]], object], *sources: Any) -> Callable[[Path], Path]:
    """A good notebook, but for what `change` does to it."""

    def make(folder: Path) -> Path:
        made = notebook(KEEPS, *sources)
        change(made)
        path = folder / "x.ipynb"
        path.write_text(json.dumps(made), encoding="utf-8")
        return path

    return make


def _nothing(_: dict[str, Any]) -> None: ...


def _prose(said: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "prose", "metadata": {}, "source": said}


def with_text(text: str) -> Callable[[Path], Path]:
    """A notebook whose JSON is edited as text: `@@` stands for what a JSON writer would not write."""
    return raw(json.dumps(notebook(KEEPS, "x = '@@'")).replace("@@", text))


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "x.ipynb")
    return folder / "x.ipynb"


def directory(folder: Path) -> Path:
    (folder / "x.ipynb").mkdir()
    return folder / "x.ipynb"


def link(target: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "x.ipynb").symlink_to(target)
        return folder / "x.ipynb"

    return make


def link_to_good(folder: Path) -> Path:
    written(folder / "real.ipynb", KEEPS)
    return link("real.ipynb")(folder)


def sparse(folder: Path) -> Path:
    """More than the memory of a machine, in a file that takes no room."""
    path = folder / "x.ipynb"
    with path.open("wb") as file:
        file.truncate(1 << 42)
    return path


def module_that_writes(folder: Path) -> Path:
    (folder.parent / "helpers.py").write_text("open('/tmp/never', 'w')\nraise SystemExit(7)")
    return cells("import helpers")(folder)


def _outputs(*outputs: dict[str, Any]) -> Any:
    return code("x = 1", outputs=outputs)


def _html(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {"x": text}, "data": {"text/html": text, "text/plain": text}}


SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
DRIVES = "\x1b[2J\x1b]0;owned\x07\x9b\u202e\x00"
NESTED = "[" * 100_000 + "]" * 100_000

CASES: dict[str, Case] = {
    # files that are no notebooks
    "missing": Case(lambda folder: folder / "nowhere.ipynb", 2, "cannot be read"),
    "empty": Case(raw(b""), 2, "not JSON"),
    "page": Case(raw("<html><body>Sign in</body></html>"), 2, "not JSON"),
    "list": Case(raw("[]"), 2, "no list of cells"),
    "null": Case(raw("null"), 2, "no list of cells"),
    "number": Case(raw("1" * 10_000), 2, "not JSON"),
    "cut": Case(raw(json.dumps(notebook(KEEPS))[:-20]), 2, "not JSON"),
    "gzipped": Case(raw(gzip.compress(json.dumps(notebook(KEEPS)).encode())), 2, "not JSON"),
    "utf-16": Case(raw(json.dumps(notebook(KEEPS)).encode("utf-16")), 2, "not JSON"),
    "latin-1": Case(raw(json.dumps(notebook("x = 'é'"), ensure_ascii=False).encode("latin-1")), 2, "not JSON"),
    "byte order mark": Case(raw(b"\xef\xbb\xbf" + json.dumps(notebook(KEEPS)).encode()), 2, "not JSON"),
    "nested": Case(raw(NESTED), 2, "not JSON"),
    "nested metadata": Case(
        raw(json.dumps(notebook(KEEPS)).replace('"metadata": {"kern', f'"metadata": {{"deep": {NESTED}, "kern')),
        2,
        "not JSON",
    ),
    "two documents": Case(raw(json.dumps(notebook(KEEPS)) * 2), 2, "not JSON"),
    "directory": Case(directory, 2, "cannot be read"),
    "fifo": Case(fifo, 2, "no file"),
    "device": Case(link("/dev/zero"), 2, "no file"),
    "loop": Case(link("x.ipynb"), 2, "cannot be read"),
    "dangling": Case(link("../../../nowhere"), 2, "cannot be read"),
    "of the system": Case(link("/etc/passwd"), 2, "not JSON"),
    "unreadable": Case(link("/proc/self/mem"), 2, "cannot be read"),
    "endless": Case(sparse, 2, "is larger than"),
    "long name": Case(lambda folder: folder / ("x" * 5000), 2, "cannot be read"),
    # notebooks of another form
    "format 3": Case(changed(lambda nb: nb.update(nbformat=3)), 2, "format 3"),
    "format 5": Case(changed(lambda nb: nb.update(nbformat=5)), 2, "format 5"),
    "format as text": Case(changed(lambda nb: nb.update(nbformat="4")), 2, "format"),
    "no format": Case(changed(lambda nb: nb.pop("nbformat")), 2, "names no format"),
    "minor as text": Case(changed(lambda nb: nb.update(nbformat_minor="x")), 2, "minor"),
    "minor from the future": Case(changed(lambda nb: nb.update(nbformat_minor=10**30)), 0, GOOD),
    "cells as object": Case(changed(lambda nb: nb.update(cells={"0": nb["cells"][0]})), 2, "no list of cells"),
    "no cells": Case(changed(lambda nb: nb.update(cells=[])), 2, "no cell is tagged"),
    "cell of no type": Case(changed(lambda nb: nb["cells"][1].pop("cell_type")), 2, "no list of cells"),
    "cell of another type": Case(
        changed(lambda nb: nb["cells"].append({"cell_type": "graph", "source": "x"})), 2, "graph"
    ),
    "source as number": Case(changed(lambda nb: nb["cells"][1].update(source=3)), 2, "no list of cells"),
    "source as tree": Case(changed(lambda nb: nb["cells"][1].update(source=[["x"]])), 2, "no list of cells"),
    "metadata as list": Case(changed(lambda nb: nb.update(metadata=[])), 2, "metadata"),
    "tags as text": Case(changed(lambda nb: nb["cells"][1]["metadata"].update(tags="parameters")), 0, GOOD),
    "tags as numbers": Case(
        changed(lambda nb: nb["cells"][1]["metadata"].update(tags=[1, None])), 2, "no list of cells"
    ),
    "outputs as text": Case(changed(lambda nb: nb["cells"][1].update(outputs="x")), 0, GOOD),
    "no ids": Case(changed(lambda nb: [cell.pop("id") for cell in nb["cells"]]), 0, "cell-ids"),
    "one id": Case(changed(lambda nb: [cell.update(id="x") for cell in nb["cells"]]), 0, "cell-ids"),
    "ids of any type": Case(
        changed(lambda nb: [cell.update(id={"a": [cell["id"]]}) for cell in nb["cells"]]), 0, "cell-ids"
    ),
    "unknown kernel": Case(
        changed(lambda nb: nb["metadata"].update(kernelspec={"name": "ir", "language": "R"})), 1, "for R"
    ),
    "kernel from elsewhere": Case(
        changed(lambda nb: nb["metadata"]["kernelspec"].update(name="../../../tmp/python")), 0, GOOD
    ),
    "kernel as list": Case(
        changed(lambda nb: nb["metadata"].update(kernelspec=["python3"], language_info="python")), 0, "kernel"
    ),
    # what stands in it
    "huge outputs": Case(cells(_outputs(_html("x" * 4_000_000))), 0, "12 MB"),
    "scripts in outputs": Case(
        cells(_outputs(_html(SCRIPT), {"output_type": "stream", "name": "stdout", "text": DRIVES})), 0, GOOD
    ),
    "scripts in metadata": Case(
        changed(lambda nb: nb["metadata"].update(title=SCRIPT, authors=[{"name": DRIVES}])), 0, GOOD
    ),
    "controls in a kernel's name": Case(
        changed(lambda nb: nb["metadata"].update(language_info={"name": DRIVES + "R"})), 1, "for R,"
    ),
    "controls in code": Case(cells("x = 'a\x1b[2Jb'\ny = z"), 1, "z"),
    "null in code": Case(cells("x = '\x00'"), 1, "syntax"),
    "half a character": Case(with_text(r"\ud83d"), 1, "half a character"),
    "half a character in prose": Case(
        changed(lambda nb: nb.update(metadata={}, cells=[*nb["cells"], _prose("a \ud83d")])), 1, "half a character"
    ),
    "half a character in HTML": Case(changed(_nothing, "%%html\n\ud83d"), 1, "half a character"),
    "half a character in a tag": Case(changed(_nothing, code("x = 1", "\ud83d")), 1, "half a character"),
    "no number": Case(
        raw(
            json.dumps(notebook(KEEPS)).replace(
                '"metadata": {"kern', '"metadata": {"score": NaN, "low": -Infinity, "kern'
            )
        ),
        0,
        GOOD,
    ),
    "a key twice": Case(raw(json.dumps(notebook("hidden")).replace("{", '{"cells": [], ', 1)), 1, "hidden"),
    "lines of windows": Case(
        raw(json.dumps(notebook(KEEPS, "x = 1\r\ny = x\r\n"), indent=1).replace("\n", "\r\n")), 0, GOOD
    ),
    "names out of the folder": Case(
        changed(lambda nb: nb["metadata"].update(path="../../../etc/passwd", name="../../x")), 0, GOOD
    ),
    "secret in metadata": Case(changed(lambda nb: nb["metadata"].update(note="sk-" + "a1B2" * 8)), 1, "metadata"),
    "10,000 cells": Case(cells(*[f"x{n} = {n}" for n in range(10_000)]), 0, GOOD),
    "a million lines": Case(cells("x = 1\n" * 1_000_000), 1, "thousand characters"),
    "one long word": Case(cells("# " + "secret" * 30_000), 0, GOOD),
    "half a key many times": Case(cells("# " + "eyJ" * 60_000, _outputs(_html("-----BEGIN " * 100_000))), 0, GOOD),
    "an address without end": Case(cells("# " + "a://b:" * 30_000), 0, GOOD),
    "deep code": Case(cells("x = " + "(" * 5000 + ")" * 5000), 1, "syntax"),
    "deep expression": Case(cells("x = " + "+".join(["1"] * 50_000)), 1, "syntax"),
    "a thousand magics": Case(
        cells(*["!echo {x}\n%time y = 1\n?print" * 10 for _ in range(20)], "x = 1"), 0, "cell-ids"
    ),
    "empty magics": Case(cells("%%", "%", "!", "?", "%%bash", "%%time", "%%capture\n%%time\n%%"), 1, "%"),
    "calls of IPython": Case(
        cells("get_ipython().run_line_magic()\nget_ipython().run_cell_magic(*[])\nx = get_ipython().system()"), 0, GOOD
    ),
    "odd imports": Case(
        cells("import __main__, sys.nowhere, os.path.nowhere\nfrom . import x\nfrom .. import *"), 0, GOOD
    ),
    "module that writes": Case(module_that_writes, 1, "helpers"),
    "odd models": Case(
        cells("gt.chat('x', model=b'x')\ngt.chat('x', model=[3, None, {}])\ngt.choose(model=1j)"), 0, GOOD
    ),
    "odd references": Case(
        cells("gt.load_prompt('../../x@live')\ngt.load_prompt('')\ngt.load_prompt(*x)\nx = 1\ngt.load_prompt(f'{x}')"),
        1,
        "not a literal",
    ),
    "climbs out": Case(cells("open('../../out.txt', 'w')"), 1, "../../out.txt"),
    "removes what is above": Case(
        cells("import shutil\nshutil.rmtree('/')\nopen('/etc/passwd', 'w')"), 1, "/etc/passwd"
    ),
    # parameters
    "no parameters": Case(cells(parameters=None), 2, "no cell is tagged"),
    "two parameter cells": Case(cells(code("limit = 4", "parameters")), 2, "2 cells are tagged"),
    "parameters in a text": Case(
        changed(lambda nb: nb["cells"][0].update(cell_type="markdown")), 2, "no cell is tagged"
    ),
    "stale values": Case(cells(code("limit = 9", "injected-parameters")), 0, "stale-injected"),
    "a second release cell": Case(cells(code("import os", "release")), 1, "reserved-tag"),
    "parameter that is code": Case(
        cells(parameters="limit: int = __import__('os').system('touch owned')"), 2, "not a literal"
    ),
    "parameter of a code's type": Case(
        cells(parameters="limit: exec('open(chr(120), chr(119))') = 3"), 2, "not known here"
    ),
    "parameter named like a keyword": Case(cells(parameters="class: int = 3"), 2, "cannot be parsed"),
    "parameter named like a dunder": Case(cells(parameters="__builtins__: dict = {}"), 2, "cannot be the name"),
    "parameter named like its type": Case(cells(parameters="int: int = 3"), 2, "both a parameter and a type"),
    "parameter twice": Case(cells(parameters="limit: int = 3\nlimit: str = 'x'"), 2, "stands twice"),
    "parameters with templates": Case(
        cells(parameters="a: str = '{{ 7 * 7 }}{% include \"x\" %}'\nb: str = '${HOME} `id` $(id)'"), 0, GOOD
    ),
    "parameters with YAML": Case(
        cells(parameters="a: str = '!!python/object/apply:os.system [id]'\nb: str = '&a [*a,*a]'"), 0, GOOD
    ),
    "parameters with markup": Case(cells(parameters=f"a: str = {SCRIPT!r}  # {SCRIPT}"), 0, GOOD),
    "parameter of many digits": Case(cells(parameters="limit: int = 0x" + "f" * 5000), 2, "too large"),
    "parameters nested deep": Case(cells(parameters="limit: int = " + "-" * 5000 + "1"), 2, "nested too deep"),
    "parameter of half a character": Case(cells(parameters="x: str = '\\ud83d'"), 2, "half a character"),
    "a secret for a parameter": Case(
        cells(parameters="from gen_toolkit import Secret\nkey: Secret = Secret('hunter2-and-more')"),
        2,
        "must be a reference",
    ),
    # names of files
    "name that drives a terminal": Case(cells(name=f"{DRIVES[:-1]}x.ipynb"), 0, GOOD),
    "name of two lines": Case(cells(name="x\ny.ipynb"), 0, GOOD),
    "name that is no text": Case(cells(name=os.fsdecode(b"\xff\xfe.ipynb")), 2, "is no text"),
    "name that is an option": Case(cells(name="-rf.ipynb"), 0, GOOD),
    "name that is a command": Case(cells(name="$(touch owned); `id`.ipynb"), 0, GOOD),
    "name with dots": Case(cells(name="..ipynb"), 0, GOOD),
}
