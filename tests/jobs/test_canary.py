"""A secret that a job prints, raises, logs and hands on: not one byte of it in anything that is written or shown."""

from __future__ import annotations

import base64
import json
import urllib.parse
from pathlib import Path

import pytest
from notebook_cells import enter, furnish, gen, written

from gen_toolkit.tracking.writer import drain

pytestmark = pytest.mark.kernel

SECRET = 'canary/"bird"+of&paradise'
UNKNOWN = "a-canary-that-no-job-was-told-of"
CELLS = [
    "import base64, logging, os, subprocess, sys, warnings\nimport mlflow\nimport gen_toolkit as gt",
    "value = key.value\nprint(value, repr(value), base64.b64encode(value.encode()).decode())",
    "print('seen', os.environ.get('UNKNOWN_CANARY'))\n"
    "print(value, file=sys.stderr)\nlogging.error(value)\nwarnings.warn(value)",
    "os.write(1, value.encode())\nos.write(sys.stdout._original_stdstream_copy, value.encode() + b'\\n')\n"
    "_ = subprocess.run(['sh', '-c', 'echo $JOB_KEY; echo $JOB_KEY >&2'])",
    "gt.keep('kept', value)\nmlflow.set_tag('own', 'nothing')",
    "from IPython.display import HTML, display\ndisplay(HTML(f'<b>{value}</b>'))\n{'a': [value]}",
    "raise RuntimeError(f'no luck with {value}')",
]  # fmt: skip
FORMS = {
    SECRET,
    json.dumps(SECRET)[1:-1],
    repr(SECRET)[1:-1],
    urllib.parse.quote(SECRET, safe=""),
    base64.b64encode(SECRET.encode()).decode().rstrip("="),
    UNKNOWN,
}


def test_no_byte_of_a_secret_is_written_or_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = furnish(tmp_path / "canary")
    path = written(
        root / "notebooks/loud.ipynb",
        *CELLS,
        parameters='from gen_toolkit import Secret\nkey: Secret = Secret("env:JOB_KEY")',
    )
    ended = gen("try", path, cwd=root, JOB_KEY=SECRET, UNKNOWN_CANARY=UNKNOWN)
    assert ended.returncode == 1
    assert "RuntimeError: no luck with [secret]" in ended.stdout
    enter(root, monkeypatch)
    assert drain(seconds=60) == 0
    shown = gen("runs", "list", "--json", cwd=root)
    (row,) = json.loads(shown.stdout)
    assert row["reason"]["message"] == "no luck with [secret]"
    assert row["outcome"]["kept"] == {"kept": "[secret]"}
    log = (Path(row["folder"]) / "log.txt").read_text()
    assert log.count("[secret]") >= 7
    files = [found for found in root.rglob("*") if found.is_file() and "notebooks" not in found.parts]
    assert {"gen_toolkit.db", "mlflow.db", "notebook.ipynb", "log.txt"} <= {found.name for found in files}
    everything = {str(found): found.read_bytes() for found in files}
    everything |= {"shown": ended.stdout.encode() + ended.stderr.encode() + shown.stdout.encode()}
    told = [(name, form) for name, written_ in everything.items() for form in FORMS if form.encode() in written_]
    assert told == []
