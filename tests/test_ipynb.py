"""Notebook files: what counts as the same code, and files that are whole or not there."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gen_toolkit import ipynb
from gen_toolkit.errors import NotebookError


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [], **more}


def notebook(*cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}


BASE = notebook(code("x = 1\nprint(x)"), {"cell_type": "markdown", "metadata": {}, "source": "# Title"}, code("y = 2"))

SAME = {
    "outputs": notebook(code("x = 1\nprint(x)", outputs=[{"output_type": "stream"}]), code("y = 2")),
    "counts": notebook(code("x = 1\nprint(x)", execution_count=7), code("y = 2", execution_count=8)),
    "ids": notebook(code("x = 1\nprint(x)", id="b"), code("y = 2", id="c")),
    "trailing spaces": notebook(code("x = 1  \nprint(x)\t\n\n"), code("y = 2\n")),
    "windows lines": notebook(code("x = 1\r\nprint(x)"), code("y = 2")),
    "lists of lines": notebook(code(["x = 1\n", "print(x)"]), code(["y = 2"])),
    "empty cells": notebook(code("x = 1\nprint(x)"), code("  \n"), code("y = 2")),
    "prose": notebook(code("x = 1\nprint(x)"), {"cell_type": "markdown", "source": "other"}, code("y = 2")),
    "injected parameters": notebook(
        code("x = 1\nprint(x)"), code("x = 9", metadata={"tags": ["injected-parameters"]}), code("y = 2")
    ),
    "other metadata": notebook(code("x = 1\nprint(x)", metadata={"collapsed": True}), code("y = 2"), metadata={"a": 1}),
}
OTHER = {
    "a name": notebook(code("x = 1\nprint(y)"), code("y = 2")),
    "order": notebook(code("y = 2"), code("x = 1\nprint(x)")),
    "indentation": notebook(code("x = 1\n  print(x)"), code("y = 2")),
    "one cell of two": notebook(code("x = 1\nprint(x)\ny = 2")),
    "a tag": notebook(code("x = 1\nprint(x)", metadata={"tags": ["parameters"]}), code("y = 2")),
    "a cell more": notebook(code("x = 1\nprint(x)"), code("y = 2"), code("y = 3")),
    "code as prose": notebook(code("x = 1\nprint(x)"), {"cell_type": "raw", "source": "y = 2"}),
}


@pytest.mark.parametrize("variant", SAME.values(), ids=SAME)
def test_what_does_not_matter_does_not_change_the_hash(variant: dict[str, Any]) -> None:
    assert ipynb.code_hash(variant) == ipynb.code_hash(BASE)


@pytest.mark.parametrize("variant", OTHER.values(), ids=OTHER)
def test_code_changes_the_hash(variant: dict[str, Any]) -> None:
    assert ipynb.code_hash(variant) != ipynb.code_hash(BASE)


@pytest.mark.parametrize(
    ("blank", "none"),
    [
        ('x = """a \nb"""', 'x = """a\nb"""'),
        ("x = f'''it\\''' \n'''", "x = f'''it\\'''\n'''"),
        ("x = '#' + '''a\t\n'''", "x = '#' + '''a\n'''"),
        ("x = \"'''\" + '''a \n'''", "x = \"'''\" + '''a\n'''"),
    ],
)
def test_a_blank_at_the_end_of_a_line_matters_inside_of_a_text(blank: str, none: str) -> None:
    assert ipynb.code_hash(notebook(code(blank))) != ipynb.code_hash(notebook(code(none)))


@pytest.mark.parametrize(
    ("blank", "none"),
    [
        ("x = 'a' \ny = \"b\" # it's \t\nz = 1 \n", "x = 'a'\ny = \"b\" # it's\nz = 1"),
        ("# ''' is none \nx = 1  \n", "# ''' is none\nx = 1"),
        ("x = '''a\r\nb''' \r\n", "x = '''a\nb'''"),
        ("!echo it's \nx = '\"\"\"' \ny = '\\'' ", "!echo it's\nx = '\"\"\"'\ny = '\\''"),
        ("x = '''a''' \ny = ''  \n", "x = '''a'''\ny = ''"),
    ],
)
def test_a_blank_at_the_end_of_a_line_does_not_matter_elsewhere(blank: str, none: str) -> None:
    assert ipynb.code_hash(notebook(code(blank))) == ipynb.code_hash(notebook(code(none)))


@pytest.mark.parametrize(
    "text", ["'" + "\\'" * 100_000, "x" + " " * 200_000 + "x", "\"'" * 100_001, "'''" + "\\" * 200_001]
)
def test_texts_that_never_end_are_read_once(text: str) -> None:
    assert ipynb.normalised_code(notebook(code(text)))[0]["source"] == text


@pytest.mark.parametrize("separator", ["\u2028", "\x0c", "\x85", "\x1c"])
def test_only_python_line_ends_are_line_ends(separator: str) -> None:
    assert ipynb.code_hash(notebook(code(f'x = """a{separator}b"""'))) != ipynb.code_hash(
        notebook(code('x = """a\nb"""'))
    )


@pytest.mark.parametrize("variant", [BASE, *SAME.values(), *OTHER.values()])
def test_stripping_keeps_the_code_and_is_done_once(variant: dict[str, Any]) -> None:
    before = copy.deepcopy(variant)
    once = ipynb.stripped(variant)
    assert ipynb.code_hash(once) == ipynb.code_hash(variant)
    assert ipynb.stripped(once) == once
    assert variant == before


def test_a_stripped_notebook_is_valid_and_has_no_trace_of_a_run() -> None:
    ran = notebook(
        code("x = 1", execution_count=3, outputs=[{"output_type": "stream", "name": "stdout", "text": "secret"}]),
        code("x = 9", metadata={"tags": ["injected-parameters"]}),
        metadata={"papermill": {"output_path": "/home/me"}, "kernelspec": {"name": "mine", "display_name": "Mine"}},
    )
    clean = ipynb.stripped(ran)
    nbformat.validate(nbformat.from_dict(clean))
    assert [cell["execution_count"] for cell in clean["cells"]] == [None]
    assert not {"secret", "/home/me", "Mine"} & set(json.dumps(clean).replace('"', " ").split())


def test_code_cells_come_with_their_index() -> None:
    assert [(i, ipynb.source(cell)) for i, cell in ipynb.code_cells(BASE)] == [(0, "x = 1\nprint(x)"), (2, "y = 2")]


BROKEN = {
    "no json": b"x = 1",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "no cells": b"{}",
    "cells are no list": b'{"cells": {}, "nbformat": 4}',
    "a cell is no object": b'{"cells": [3], "nbformat": 4}',
    "a cell without a type": b'{"cells": [{}], "nbformat": 4}',
    "metadata of a cell": b'{"cells": [{"cell_type": "code", "metadata": 3}], "nbformat": 4}',
    "tags that are no texts": b'{"cells": [{"cell_type": "code", "metadata": {"tags": [{}, "a"]}}], "nbformat": 4}',
    "source is a number": b'{"cells": [{"cell_type": "code", "source": 3}], "nbformat": 4}',
    "source is numbers": b'{"cells": [{"cell_type": "code", "source": [3]}], "nbformat": 4}',
    "metadata": b'{"cells": [], "metadata": [], "nbformat": 4}',
    "format 3": b'{"cells": [], "nbformat": 3}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_notebook_is_one_error_that_names_the_file(workspace: Path, content: bytes) -> None:
    path = workspace / "broken.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError, match=r"broken\.ipynb") as caught:
        ipynb.read_notebook(path)
    assert caught.value.fix


@pytest.mark.parametrize("name", ["absent.ipynb", "notebooks"])
def test_what_is_no_file_is_a_notebook_error(workspace: Path, name: str) -> None:
    with pytest.raises(NotebookError, match="cannot be read"):
        ipynb.read_notebook(workspace / name)


def test_what_is_written_is_read_again_and_private(workspace: Path) -> None:
    path = workspace / "n.ipynb"
    ipynb.write_notebook(path, BASE)
    assert ipynb.read_notebook(path) == BASE
    assert path.stat().st_mode & 0o777 == 0o600


def test_half_a_character_is_written_as_json_has_it(workspace: Path) -> None:
    made = notebook({"cell_type": "markdown", "metadata": {}, "source": "a \ud83d, \udc80, é 🎬"})
    ipynb.write_notebook(workspace / "n.ipynb", made)
    assert ipynb.read_notebook(workspace / "n.ipynb") == made


def test_a_failed_write_leaves_the_old_file_and_nothing_else(workspace: Path) -> None:
    path = workspace / "n.txt"
    ipynb.write_text(path, "old")
    before = set(workspace.iterdir())
    with pytest.raises(UnicodeEncodeError):
        ipynb.write_text(path, "new " * 100_000 + "\ud800")
    assert path.read_text() == "old"
    assert set(workspace.iterdir()) == before


def test_what_a_killed_writer_leaves_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("notebook.ipynb", ".notebook.ipynb.a1b2c3d4", ".hidden", "log.txt"):
        (folder / name).write_text("x")
    ipynb.sweep(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".hidden", "log.txt", "notebook.ipynb"]
