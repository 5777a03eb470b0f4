"""A secret given in every way that there is: checked, tried, promoted and run, and not one byte of it is kept.

What is looked through is every file below `mlruns/` and `pipelines/`, databases and their logs included.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from notebook_cells import KEEPS, code, enter, furnish, gen, notebook, written

from gen_toolkit import text
from gen_toolkit.ipynb import write_notebook
from gen_toolkit.releases.check import check
from gen_toolkit.tracking.writer import drain

SECRET = 'canary/"bird"+of&paradise'
FILED = "canary-that-lives/in:a file"
PARAMETERS = """from gen_toolkit import Secret
key: Secret = Secret("env:JOB_KEY")
filed: Secret = Secret("file:filed.txt")
note: str = ""
"""
WAYS: dict[str, str | dict[str, Any]] = {
    "by reference": "import gen_toolkit as gt\nvalue = key.value\nboth = [value, filed.value]\nassert all(both)",
    "environment": "import os, subprocess\n_ = subprocess.run(['sh', '-c', 'echo $JOB_KEY; echo $JOB_KEY >&2'])",
    "printed": "import sys\nprint(both, value)\nprint(value, file=sys.stderr)\nos.write(1, value.encode())",
    "result of a cell": "{'a': both}",
    "log": "import logging, warnings\nlogging.error('%s', both)\nwarnings.warn(value)",
    "exception": code("raise RuntimeError(f'no luck with {both}')", "raises-exception"),
    "kept": "gt.keep('text', value)\ngt.keep('tree', {value: both})",
    "prompt": "asked = gt.Prompt('ask', system='{{ a }}', user='{{ b }}')(a=value, b=both[1])\n"
    "first = gt.chat(asked, model='dry')",
    "reply": "reply = gt.chat('say it', model='dry')\nprint(reply.text)\ngt.keep('said', reply.value)",
    "other forms": "import base64, json, urllib.parse\nforms = [urllib.parse.quote(value, safe='')]\n"
    "forms += [json.dumps(value), base64.b64encode(value.encode()).decode()]\nprint(forms)\ngt.keep('forms', forms)\n"
    "formed = gt.chat(' '.join(forms), model='dry')",
    "rows of a dataset": "rows = [{'text': value, 'label': 'x'}, {'text': both[1], 'label': 'y'}]\n"
    "result = gt.evaluate(gt.Prompt('row', user='{{ text }}'), rows, model='dry', scorer=gt.scorers.exact('label'))\n"
    "result",
    "name of a run": "with gt.run(f'for {value}'):\n    gt.keep('inner', value)",
    "file of the run": "with open(os.path.join(os.environ['GEN_TOOLKIT_WORK'], 'own.txt'), 'w') as file:\n"
    "    _ = file.write(value)",
    "shown": "from IPython.display import HTML, display\ndisplay(HTML(f'<b>{value}</b>'))",
}


def forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    told = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], urllib.parse.quote(secret, safe="")}
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {form.encode() for form in told | {one.rstrip("=") for one in encoded}}


ALL_FORMS = forms(SECRET) | forms(FILED)


def leaks(root: Path) -> list[tuple[str, bytes]]:
    """(file, form) of all that is kept below the workspace's records and releases."""
    files = [path for folder in ("mlruns", "pipelines") for path in (root / folder).rglob("*") if path.is_file()]
    held = {str(path.relative_to(root)): path.read_bytes() for path in files}
    assert {"mlruns/gen_toolkit.db", "mlruns/mlflow.db"} <= held.keys()
    return [(name, form) for name, content in held.items() for form in ALL_FORMS if form in content]


@dataclass(frozen=True)
class Ended:
    root: Path
    tried: CompletedProcess[str]
    promoted: CompletedProcess[str]
    ran: CompletedProcess[str]
    refused: CompletedProcess[str]
    others: tuple[CompletedProcess[str], ...]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    root = furnish(tmp_path_factory.mktemp("canary") / "work", warm=True)
    (root / "replies.json").write_text(json.dumps({"say it": f"it is {SECRET}", "*": "x"}))
    (root / "filed.txt").write_text(FILED)
    path = written(root / "notebooks/loud.ipynb", *WAYS.values(), parameters=PARAMETERS)
    tried = gen("try", path, cwd=root, timeout=400, JOB_KEY=SECRET)
    promoted = gen("promote", path, "--as", "loud", cwd=root, timeout=400, JOB_KEY=SECRET)
    ran = gen("run", "loud", cwd=root, timeout=400, JOB_KEY=SECRET)
    refused = gen("run", "loud", "-p", f"note=it is {SECRET}", cwd=root, JOB_KEY=SECRET)
    looks = [("runs", "list"), ("release", "show", "loud"), ("calls", "list"), ("release", "verify", "loud")]
    others = tuple(gen(*look, "--json", cwd=root) for look in looks)
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        assert drain(seconds=60) == 0
    return Ended(root, tried, promoted, ran, refused, others)


@pytest.mark.kernel
@pytest.mark.timeout(900)
def test_what_uses_a_secret_in_every_way_runs_and_becomes_a_release(ended: Ended) -> None:
    for done in (ended.tried, ended.promoted, ended.ran, *ended.others):
        assert done.returncode == 0, done.stdout + done.stderr
    assert "[secret]" in ended.tried.stdout
    assert (ended.root / "pipelines/loud/releases/1/manifest.json").is_file()


@pytest.mark.kernel
@pytest.mark.timeout(900)
def test_the_value_itself_is_refused_as_the_text_of_a_parameter(ended: Ended) -> None:
    assert (ended.refused.returncode, ended.refused.stdout) == (2, "")
    assert ended.refused.stderr.startswith("error: parameter note holds the value of a secret. Declare it as Secret")


@pytest.mark.kernel
@pytest.mark.timeout(900)
def test_not_one_byte_of_it_is_in_any_file_that_is_kept(ended: Ended) -> None:
    assert leaks(ended.root) == []


@pytest.mark.kernel
@pytest.mark.timeout(900)
def test_nor_in_anything_that_a_command_said(ended: Ended) -> None:
    all_of_them = (ended.tried, ended.promoted, ended.ran, ended.refused, *ended.others)
    said = [done.stdout + done.stderr for done in all_of_them]
    assert [form for form in ALL_FORMS for words in said if form in words.encode()] == []


@pytest.mark.kernel
@pytest.mark.timeout(900)
def test_the_kernel_was_given_the_reference_and_the_notebook_shows_it(ended: Ended) -> None:
    found = sorted((ended.root / "mlruns/runs").glob("*/notebook.ipynb"))
    assert len(found) >= 2
    for path in found:
        cells = json.loads(path.read_text())["cells"]
        (injected,) = [cell for cell in cells if "injected-parameters" in cell["metadata"].get("tags", [])]
        source = "".join(injected["source"])
        assert "key = Secret('env:JOB_KEY')\n" in source
        assert "filed = Secret('file:filed.txt')\n" in source


def _metadata(made: dict[str, Any]) -> None:
    made["metadata"]["title"] = f"for {SECRET}"


def _cell_metadata(made: dict[str, Any]) -> None:
    made["cells"][1]["metadata"]["note"] = {"deep": [SECRET]}


def _output(made: dict[str, Any]) -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": [f"{SECRET}\n"]}
    made["cells"][1]["outputs"] = [shown]


def _address(made: dict[str, Any]) -> None:
    made["cells"][1]["source"] += f"\nurl = 'https://x/?k={urllib.parse.quote(SECRET, safe='')}'"


def _encoded(made: dict[str, Any]) -> None:
    made["cells"][1]["source"] += f"\nhead = 'Basic {base64.b64encode(SECRET.encode()).decode()}'"


def _text(made: dict[str, Any]) -> None:
    made["cells"].append({"cell_type": "markdown", "id": "m", "metadata": {}, "source": f"it is {SECRET}"})


@pytest.mark.parametrize("put", [_metadata, _cell_metadata, _output, _address, _encoded, _text])
def test_check_finds_the_value_of_what_the_notebook_refers_to(
    put: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_KEY", SECRET)
    declared = 'from gen_toolkit import Secret\nkey: Secret = Secret("env:JOB_KEY")'
    path = workspace / "notebooks/n.ipynb"
    made = notebook(KEEPS, parameters=declared)
    write_notebook(path, made)
    assert check(path).findings == []
    put(made)
    write_notebook(path, made)
    (finding,) = check(path).findings
    assert (finding.rule, finding.level) == ("secret", "error")
    assert "canary" not in str(finding)


def test_check_finds_the_key_of_an_alias_in_an_output(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEY", SECRET)
    (workspace / "gen_toolkit.toml").write_text('[models.m]\nmodel = "m"\napi_key = "env:MODEL_KEY"\n')
    made = notebook(KEEPS)
    _output(made)
    write_notebook(workspace / "notebooks/n.ipynb", made)
    (finding,) = check(workspace / "notebooks/n.ipynb").findings
    assert finding.rule == "secret"
    assert text.scrub(SECRET) == text.MASK
