"""gen check: each rule with a notebook that breaks it and one that does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import KEEPS, code, written

from gen_toolkit.errors import NotebookError
from gen_toolkit.releases.check import check

KEY = "sk-" + "a1B2" * 8
LEAKED = [{"output_type": "stream", "name": "stdout", "text": [f"using {KEY}\n"]}]
ASK = "import gen_toolkit as gt\ngt.keep('a', 1)\nname = 'label@live'\n"

BROKEN: list[tuple[str, int | None, str, list[Any], str | None]] = [
    ("notebook", None, "no cell is tagged", [KEEPS], None),
    ("notebook", None, "2 cells are tagged", [code("x = 1", "parameters"), KEEPS], "limit: int = 3"),
    ("parameter", None, "line 1", [KEEPS], "limit: int = 1 + 1"),
    ("parameter", None, "line 2", [KEEPS], "\nlimit = ("),
    ("syntax", 3, "line 2", [KEEPS, "x = 1\ny = ("], "limit: int = 3"),
    ("undefined-name", 3, "frame", [KEEPS, "frame.head()"], "limit: int = 3"),
    ("undefined-name", 2, "gt", ["gt.keep('a', 1)", "import gen_toolkit as gt"], "limit: int = 3"),
    ("keeps-nothing", None, "keeps no value", ["x = limit"], "limit: int = 3"),
    ("secret", 3, "literal", [KEEPS, f"client = '{KEY}'"], "limit: int = 3"),
    ("secret", 3, "literal", [KEEPS, "api_key = 'correct-horse-battery'"], "limit: int = 3"),
    ("secret", 1, "literal", [KEEPS], "password: str = 'correct-horse-battery'"),
    ("secret", 3, "output", [KEEPS, code("x = 1", outputs=LEAKED)], "limit: int = 3"),
    ("dynamic-reference", 2, "load_prompt(name)", [ASK + "gt.load_prompt(name)"], "limit: int = 3"),
    ("dynamic-reference", 2, "baseline=", [ASK + "gt.evaluate(None, [], scorer=1, baseline=str(1))"], "limit: int = 3"),
    ("local-import", None, "helpers", [KEEPS, "import helpers"], "limit: int = 3"),
    ("local-import", None, "tools", [KEEPS, "from tools.clean import tidy"], "limit: int = 3"),
    ("local-import", None, "beside", [KEEPS, "import beside"], "limit: int = 3"),
    ("reserved-tag", 3, "release", [KEEPS, code("import os", "release")], "limit: int = 3"),
]  # fmt: skip

GOOD: dict[str, tuple[list[Any], str]] = {
    "parameters only": ([KEEPS], "limit: int = 3"),
    "a name of an earlier cell": ([KEEPS, "frame = [limit]", "frame"], "limit: int = 3"),
    "a name of a function used later": ([KEEPS, "def f():\n    return later", "later = 1\nf()"], "limit: int = 3"),
    "magics and shell lines": ([KEEPS, "%pip --version\n!true\nx = 1", "%%bash\nif ( broken"], "limit: int = 3"),
    "top-level await": ([KEEPS, "import asyncio\nawait asyncio.sleep(0)"], "limit: int = 3"),
    "names of the notebook itself": ([KEEPS, "display(1)\nget_ipython()"], "limit: int = 3"),
    "a secret by reference": (
        [KEEPS, "api_key = 'env:OPENAI_API_KEY'"],
        "from gen_toolkit import Secret\ntoken: Secret = Secret('env:TOKEN')",
    ),
    "a literal reference": ([ASK + "gt.load_prompt('label@live')"], "limit: int = 3"),
    "a result as baseline": ([ASK + "gt.evaluate(None, [], scorer=1, baseline=name)"], "limit: int = 3"),
    "an installed package": ([KEEPS, "import json, pydantic"], "limit: int = 3"),
    "text and raw cells": ([KEEPS, {"cell_type": "markdown", "metadata": {}, "source": f"{KEY} ("}], "limit: int = 3"),
}


@pytest.fixture
def path(workspace: Path) -> Path:
    (workspace / "helpers.py").write_text("")
    (workspace / "tools").mkdir()
    (workspace / "tools/__init__.py").write_text("")
    (workspace / "notebooks/beside.py").write_text("")
    return workspace / "notebooks/subject.ipynb"


@pytest.mark.parametrize(("rule", "cell", "says", "cells", "parameters"), BROKEN)
def test_what_breaks_a_rule_is_one_finding_that_says_how_to_mend_it(
    path: Path, rule: str, cell: int | None, says: str, cells: list[Any], parameters: str | None
) -> None:
    findings = check(written(path, *cells, parameters=parameters)).findings
    assert [(finding.rule, finding.cell) for finding in findings] == [(rule, cell)]
    assert says in findings[0].message
    assert findings[0].fix
    assert "correct-horse" not in str(findings[0])
    assert KEY not in str(findings[0])


@pytest.mark.parametrize(("cells", "parameters"), GOOD.values(), ids=GOOD)
def test_what_breaks_no_rule_has_no_finding(path: Path, cells: list[Any], parameters: str) -> None:
    assert check(written(path, *cells, parameters=parameters)).findings == []


def test_all_findings_are_told_at_once(path: Path) -> None:
    found = check(written(path, "import helpers\nframe.head()", f"key = '{KEY}'")).findings
    assert {finding.rule for finding in found} == {"undefined-name", "keeps-nothing", "secret", "local-import"}


@pytest.mark.parametrize("include", [("helpers.py",), ("helpers.py", "tools"), ("tools/__init__.py", "helpers.py")])
def test_a_local_module_that_include_names_may_be_imported(path: Path, include: tuple[str, ...]) -> None:
    assert check(written(path, KEEPS, "import helpers"), include=include).findings == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not json", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": [3]}', "no list of cells"),
        (b'{"cells": [], "nbformat": 3}', "format 3"),
        (json.dumps({"worksheets": [], "nbformat": 3, "metadata": {}}).encode(), "not a notebook"),
        (b'{"cells": []}', "format None"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused(path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotebookError, match=says) as caught:
        check(path)
    assert caught.value.fix
