"""gen check: each rule with a notebook that breaks it and one that does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import KEEPS, code, notebook, written

from gen_toolkit.errors import NotebookError
from gen_toolkit.ipynb import write_notebook
from gen_toolkit.releases.check import check
from gen_toolkit.releases.mend import mend
from gen_toolkit.releases.rules.unattended import KNOWN_MAGICS
from gen_toolkit.releases.sarif import sarif

KEY = "sk-" + "a1B2" * 8
LEAKED = [{"output_type": "stream", "name": "stdout", "text": [f"using {KEY}\n"]}]
ASK = "import gen_toolkit as gt\ngt.keep('a', 1)\nname = 'label@live'\n"
EVALUATE = "gt.evaluate(None, [], scorer=1, baseline={})"

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
    ("secret", 3, "literal", [KEEPS, "db_password = 'correct-horse-battery'"], "limit: int = 3"),
    ("secret", 3, "literal", [KEEPS, "my_token_secret = 'correct-horse-battery'"], "limit: int = 3"),
    ("secret", 3, "literal", [KEEPS, "headers = {'X-Token': 'correct-horse-battery-1'}"], "limit: int = 3"),
    ("secret", 3, "literal", [KEEPS, "token_of_ada: str = 'correct-horse-battery-1'"], "limit: int = 3"),
    ("secret", 1, "literal", [KEEPS], "password: str = 'correct-horse-battery'"),
    ("secret", 3, "output", [KEEPS, code("x = 1", outputs=LEAKED)], "limit: int = 3"),
    ("dynamic-reference", 2, "load_prompt(name)", [ASK + "gt.load_prompt(name)"], "limit: int = 3"),
    ("dynamic-reference", 2, "baseline=", [ASK + EVALUATE.format("str(1)")], "limit: int = 3"),
    ("dynamic-reference", 2, "baseline=", [ASK + EVALUATE.format("f'{name}@live'")], "limit: int = 3"),
    ("dynamic-reference", 2, "baseline=", [ASK + EVALUATE.format("'{}@1'.format(1)")], "limit: int = 3"),
    ("dynamic-reference", 2, "baseline=", [ASK + EVALUATE.format("name + '@live'")], "limit: int = 3"),
    ("local-import", None, "helpers", [KEEPS, "import helpers"], "limit: int = 3"),
    ("local-import", None, "tools", [KEEPS, "from tools.clean import tidy"], "limit: int = 3"),
    ("local-import", None, "beside", [KEEPS, "import beside"], "limit: int = 3"),
    ("local-import", None, "helpers", [KEEPS, "import importlib as i\ni.import_module('helpers')"], "limit: int = 3"),
    ("local-import", 3, "helpers.py", [KEEPS, "%run -i helpers.py x"], "limit: int = 3"),
    ("local-import", 3, "helpers", [KEEPS, "%run 'helpers'"], "limit: int = 3"),
    ("local-import", None, "helpers", [KEEPS, "%run -m helpers"], "limit: int = 3"),
    ("secret", 3, "text", [KEEPS, {"cell_type": "markdown", "id": "m", "source": KEY}], "limit: int = 3"),
    ("secret", 3, "metadata", [KEEPS, {**code("x = 1"), "metadata": {"note": KEY}}], "limit: int = 3"),
    ("secret", 3, "attachment",
     [KEEPS, {"cell_type": "markdown", "id": "m", "source": "", "attachments": {"x": {"text/plain": KEY}}}],
     "limit: int = 3"),
    ("secret", 3, "literal", [KEEPS, "db = 'postgresql://me:correct-horse@db/x'"], "limit: int = 3"),
    ("missing-import", None, "nowhere_at_all", [KEEPS, "import nowhere_at_all.deep"], "limit: int = 3"),
    ("unknown-model", None, "gpt-99", [ASK + "gt.chat('x', model='gpt-99')"], "limit: int = 3"),
    ("asks", 3, "input()", [KEEPS, "name = input('who?')"], "limit: int = 3"),
    ("asks", 3, "breakpoint()", [KEEPS, "breakpoint()"], "limit: int = 3"),
    ("asks", 3, "getpass()", [KEEPS, "import getpass\ngetpass.getpass()"], "limit: int = 3"),
    ("installs", 3, "installs", [KEEPS, "!pip install -q pandas"], "limit: int = 3"),
    ("installs", 3, "installs", [KEEPS, "%pip install pandas"], "limit: int = 3"),
    ("installs", 3, "installs", [KEEPS, "import sys\n!{sys.executable} -m pip install pandas"], "limit: int = 3"),
    ("installs", 3, "installs", [KEEPS, "!apt-get update && apt-get install -y graphviz"], "limit: int = 3"),
    ("installs", 3, "installs", [KEEPS, "%%bash\nset -e\npip install --quiet pandas"], "limit: int = 3"),
    ("installs", 3, "installs", [KEEPS, "%%script sh\ntrue && pip install pandas"], "limit: int = 3"),
    ("unknown-magic", 3, "%tiem", [KEEPS, "%tiem x = 1"], "limit: int = 3"),
    ("unknown-magic", 3, "%sql", [KEEPS, "%%sql\nselect 1"], "limit: int = 3"),
    ("interactive-magic", 3, "%debug", [KEEPS, "%debug"], "limit: int = 3"),
    ("interactive-magic", 3, "%matplotlib qt", [KEEPS, "%matplotlib qt"], "limit: int = 3"),
    ("widget-value", 4, "slider.value", [KEEPS, "import ipywidgets as w\nslider = w.IntSlider()", "x = slider.value"],
     "limit: int = 3"),
    ("absolute-path", 3, "/home/ada", [KEEPS, "open('/home/ada/x.csv')"], "limit: int = 3"),
    ("absolute-path", 3, "~/x.csv", [KEEPS, "path = '~/x.csv'"], "limit: int = 3"),
    ("absolute-path", 3, "C:", [KEEPS, r"path = r'C:\Users\ada\x.csv'"], "limit: int = 3"),
    ("absolute-path", 3, "/srv2/x", [KEEPS, "open('/srv2/x')"], "limit: int = 3"),
    ("absolute-path", 3, "Path.home()", [KEEPS, "from pathlib import Path\nPath.home()"], "limit: int = 3"),
    ("absolute-path", 1, "/home/ada", [KEEPS], "folder: str = '/home/ada/x'"),
    ("outside-path", 3, "'../../x.csv' leads out", [KEEPS, "open('../../x.csv')"], "limit: int = 3"),
    ("outside-path", 3, "leads out", [KEEPS, "import pandas as pd\npd.read_csv('data/../../x.csv')"], "limit: int = 3"),
    ("size", None, "thousand", [KEEPS, *("x = '" + "y" * 190_000 + "'" for _ in range(11))], "limit: int = 3"),
    ("size", 3, "thousand", [KEEPS, "x = '" + "y" * 300_000 + "'"], "limit: int = 3"),
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
    "a result as baseline": ([ASK + EVALUATE.format("name")], "limit: int = 3"),
    "a result of several as baseline": (
        [ASK + EVALUATE.format("{'A': name}['A']")],
        "limit: int = 3",
    ),
    "a prompt as baseline": (
        [ASK + EVALUATE.format("gt.load_prompt('label@live')")],
        "limit: int = 3",
    ),
    "words of language models": (
        [
            KEEPS,
            "tokenizer = 'bert-base-uncased'\ntokenizer_name = 'sentence-transformers/all-MiniLM-L6-v2'",
            "pad_token = '<|reserved_special_token_0|>'\ntoken_column = 'input_tokens'\nsecret_santa = 'christmas'",
            "options = {'stop_token': '<|endoftext|>', 'token_url': 'https://login.example.com/v2/token'}",
        ],
        "limit: int = 3",
    ),
    "names that a captured cell defines": (
        [KEEPS, "%%capture --no-stderr out\nx = 1", "out.show()\nx"],
        "limit: int = 3",
    ),
    "names that a shell's cell defines": (
        [KEEPS, "%%bash --out listing --err problems\nls", "print(listing, problems)"],
        "limit: int = 3",
    ),
    "what IPython remembers": ([KEEPS, "limit", "print(_, __, In[1], Out, _i, _2)"], "limit: int = 3"),
    "a shell's cell that installs nothing": (
        [KEEPS, "%%bash\n# pip install pandas\npip --version\ngit add x", "%%writefile x.sh\npip install pandas"],
        "limit: int = 3",
    ),
    "an installed package": ([KEEPS, "import json, pydantic"], "limit: int = 3"),
    "text and raw cells": (
        [KEEPS, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "a ("}],
        "limit: int = 3",
    ),
    "a cell magic around Python": (["%%time\nimport gen_toolkit as gt\ngt.keep('a', limit)"], "limit: int = 3"),
    "names that a timed line defines": (
        [KEEPS, "%time x = limit\nif x:\n    %time y = 2\nprint(x, y)"],
        "limit: int = 3",
    ),
    "files that no module is": ([KEEPS, "%run nowhere.py\n__import__('json')\n%run\n%run -m"], "limit: int = 3"),
    "a percent sign that begins a line": ([KEEPS, "x = ('%d'\n    % limit)\nhelp?"], "limit: int = 3"),
    "an import that may fail": (
        [KEEPS, "try:\n    import nowhere_at_all\nexcept ImportError:\n    pass"],
        "limit: int = 3",
    ),
    "names that a star brought": ([KEEPS, "from math import *\nsin(pi)"], "limit: int = 3"),
    "names that a magic brought": ([KEEPS, "%pylab inline\nplot(arange(3))"], "limit: int = 3"),
    "a cell that may raise": ([KEEPS, code("frame.head()", "raises-exception")], "limit: int = 3"),
    "magics of an extension": ([KEEPS, "%load_ext somewhere\n%its_own magic"], "limit: int = 3"),
    "routes and relative paths": (
        [
            KEEPS,
            "open('data/x.csv')\nopen('data/../x.csv')\nlink = '../x.html'\nurl = '/v1/chat'\n'/home/prose is no path'",
        ],
        "limit: int = 3",
    ),
    "a path that a run may change": ([KEEPS], "from pathlib import Path\nfolder: Path = Path('/data/reviews')"),
    "a path above that a run may change": ([KEEPS], "from pathlib import Path\nfolder: Path = Path('../reviews')"),
    "an input() of its own": ([KEEPS, "def input(x):\n    return x\ninput(1)"], "limit: int = 3"),
    "a widget that is only shown": (
        [KEEPS, "import ipywidgets as w\nbar = w.IntProgress()\nbar.value = 3"],
        "limit: int = 3",
    ),
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


INCLUDED = [
    ("import more", "helpers.py", "more.py"),
    ("x = 1\n\ndef f():\n    from more import x", "helpers.py", "more.py"),
    ("from importlib import import_module\nimport_module('more')", "helpers.py", "more.py"),
    ("from . import more", "tools/__init__.py", "tools/more.py"),
    ("from .more import x", "tools/__init__.py", "tools/more.py"),
    ("import tools.more", "helpers.py", "tools/more.py"),
    ("from tools import more", "helpers.py", "tools/more.py"),
    ("from ..more import x", "tools/deep/x.py", "tools/more.py"),
]


@pytest.mark.parametrize(("text", "name", "other"), INCLUDED)
def test_what_an_included_file_imports_is_included_too(path: Path, text: str, name: str, other: str) -> None:
    root = path.parents[1]
    (root / "tools/deep").mkdir()
    (root / name).write_text(text)
    (root / other).write_text("x = 1")
    include = tuple({name, "tools/__init__.py", "helpers.py"})
    findings = check(written(path, KEEPS, "import helpers"), include=include).findings
    assert [finding.rule for finding in findings] == ["local-import"]
    line = text.count("\n") + 1
    assert f"{other.removesuffix('.py').replace('/', '.')!r} is imported by {name}, line {line}," in findings[0].message
    assert f'include = ["{other}"]' in findings[0].fix
    assert check(path, include=(*include, other)).findings == []


def test_a_package_whose_module_is_included_is_included_itself(path: Path) -> None:
    (path.parents[1] / "tools/more.py").write_text("import json, pydantic\nfrom .. import beyond")
    written(path, KEEPS, "import tools.more")
    (finding,) = check(path, include=("tools/more.py",)).findings  # what stands in tools/__init__.py would be executed
    assert (finding.rule, 'include = ["tools"]' in finding.fix) == ("local-import", True)
    assert check(path, include=("tools",)).findings == []


def test_names_that_can_be_none_of_a_module_are_no_error(path: Path) -> None:
    text = f"from importlib import import_module as import_module\nimport_module('{'x' * 5000}')\n__import__('..x', 1)"
    assert check(written(path, KEEPS, text, f"%run {'x' * 5000}")).findings == []
    (path.parents[1] / "helpers.py").write_bytes(b"import_module('\\0')\nimport_module('.')\nfrom . import x")
    assert check(written(path, KEEPS, "import helpers"), include=("helpers.py",)).findings == []
    (path.parents[1] / "helpers.py").write_bytes(b"no Python\xff")
    assert check(path, include=("helpers.py",)).findings == []


@pytest.mark.parametrize("text", [f"KEY = '{KEY}'\n", "api_key = 'correct-horse-battery'\n"])
def test_a_secret_in_an_included_file_is_a_finding_that_names_the_file(path: Path, text: str) -> None:
    (path.parents[1] / "helpers.py").write_text(text)
    findings = check(written(path, KEEPS, "import helpers"), include=("helpers.py",)).findings
    assert [(finding.rule, finding.message) for finding in findings] == [
        ("secret", "helpers.py holds what looks like a secret")
    ]
    assert findings[0].level == "error"


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
        (json.dumps({"worksheets": [], "nbformat": 3, "metadata": {}}).encode(), "format 3"),
        (b'{"cells": []}', "names no format"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused(path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotebookError, match=says) as caught:
        check(path)
    assert caught.value.fix


def test_python_of_another_language_s_kernel_is_refused(path: Path) -> None:
    made = notebook(KEEPS)
    made["metadata"] = {
        "kernelspec": {"display_name": "R", "language": "R", "name": "ir"},
        "language_info": {"name": "R"},
    }
    write_notebook(path, made)
    (finding,) = check(path).findings
    assert (finding.rule, finding.level) == ("kernel", "error")


def _careless() -> dict[str, Any]:
    made = notebook(KEEPS, code("limit = 9", "injected-parameters"), KEEPS)
    made["cells"][1]["id"] = made["cells"][3]["id"] = "same"
    return {**made, "metadata": {}}


def test_what_a_release_leaves_out_anyway_is_a_warning_and_stops_nothing(path: Path) -> None:
    write_notebook(path, _careless())
    report = check(path)
    assert {finding.rule for finding in report.findings} == {"kernel", "cell-ids", "stale-injected"}
    assert report.errors == []


def test_fix_mends_what_changes_nothing_and_leaves_a_good_file_alone(path: Path) -> None:
    write_notebook(path, _careless())
    path.chmod(0o640)
    assert len(mend(path)) == 3
    assert check(path).findings == []
    assert path.stat().st_mode & 0o777 == 0o640
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    assert mend(path) == []
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_imports_are_looked_for_in_what_the_workspace_declares(path: Path, workspace: Path) -> None:
    written(path, KEEPS, "import yaml, jinja2, json")
    (workspace / "pyproject.toml").write_text("[project]\nname = 'x'\ndependencies = ['Jinja2>=3', 'gen-toolkit']\n")
    (finding,) = check(path).findings
    assert (finding.rule, finding.level) == ("undeclared-import", "warning")
    assert "'yaml'" in finding.message
    assert "pyyaml" in finding.message


def test_the_known_magics_are_those_of_a_kernel() -> None:
    ask = (
        "from ipykernel.zmqshell import ZMQInteractiveShell as S\n"
        "m = S.instance().magics_manager.magics\nprint(*m['line'], *m['cell'])"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) == KNOWN_MAGICS


def test_sarif_names_rule_level_file_and_cell(path: Path, workspace: Path) -> None:
    log = sarif({path: check(written(path, KEEPS, "open('/home/ada/x')")).findings}, workspace)
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("absolute-path", "error")
    place = result["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "notebooks/subject.ipynb"
    assert place["logicalLocations"][0]["name"] == "cell 3"
