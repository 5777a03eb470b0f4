"""One prompt, the same rows: the same result in a script, in a notebook, and in a job, byte for byte.

The job runs after the prompt's alias has moved on: it still says what was reviewed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import enter, furnish, written
from released import promoted

from gen_toolkit import Prompt
from gen_toolkit.jobs.ledger import RunRow
from gen_toolkit.jobs.session import run_through
from gen_toolkit.releases.start import run_release
from gen_toolkit.tracking.store import client

pytestmark = pytest.mark.kernel

PARAMETERS = "from pathlib import Path\n\nout: Path = Path('result.json')\nmodel: str = 'dry'"
CELLS = [
    "import gen_toolkit as gt",
    "films = [('good', 'positive'), ('bad', 'negative'), ('so', 'negative')]\n"
    "rows = gt.dataset([{'text': text, 'label': label} for text, label in films], name='films')",
    "label = gt.load_prompt('label@staging')",
    "exact = gt.scorers.exact('label', name='accuracy')\n"
    "result = gt.evaluate(label, rows, model=model, scorer=exact, baseline='nobody@live')\nresult",
    "_ = out.write_text(result.to_json())\ngt.keep('accuracy', result.mean('accuracy'))",
    "gt.keep('version', label.version)\ngt.keep('said', repr(result._repr_mimebundle_()))",
]


def saved(wording: str) -> Prompt:
    return Prompt("label", user=f"{wording}\n\n{{{{ text }}}}").save("for a test", alias="staging")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = furnish(tmp_path_factory.mktemp("parity") / "work")
    path = written(root / "notebooks/label.ipynb", *CELLS, parameters=PARAMETERS)
    (root / "script.py").write_text("\n".join([PARAMETERS.replace("result", "script"), *CELLS]))
    with pytest.MonkeyPatch.context() as patch:
        enter(root, patch)
        first = saved("Which is it?")
        subprocess.run([sys.executable, "script.py"], check=True, capture_output=True, timeout=90)
        session = run_through(path, {"out": Path("notebook.json")})
        promoted(path, "label")
        second = saved("Another wording.")
        job = run_release("label", {"out": "job.json"}).run
    assert session.ending.state == "succeeded", session.ending
    assert job.state == "succeeded", job.reason
    texts = {where: (root / f"{where}.json").read_text() for where in ("script", "notebook", "job")}
    return {
        **texts,
        "run": job,
        "versions": (first.version, second.version),
        "uri": f"sqlite:///{root}/mlruns/mlflow.db",
    }


@pytest.mark.parametrize("where", ["notebook", "job"])
def test_the_result_is_the_same_as_in_a_script(told: dict[str, Any], where: str) -> None:
    assert len(json.loads(told["script"])["rows"]) == 3
    assert told[where] == told["script"]


def test_a_job_keeps_to_the_text_that_was_live_when_it_was_promoted(told: dict[str, Any]) -> None:
    run: RunRow = told["run"]
    assert told["versions"] == (1, 2)
    assert client(told["uri"]).get_prompt_version_by_alias("label", "staging").version == 2
    assert {"accuracy": pytest.approx(2 / 3), "version": 1}.items() <= run.outcome["kept"].items()
    assert run.outcome["prompts"] == ["label@1"]


def test_a_baseline_that_did_not_exist_at_promotion_stays_absent(told: dict[str, Any]) -> None:
    manifest = json.loads(
        (told["run"].folder.parents[2] / "pipelines/label/releases/1/manifest.json").read_text()
    )  # fmt: skip
    assert manifest["prompts"]["nobody@live"] == {"absent": True}
    assert "no baseline yet" in told["run"].outcome["kept"]["said"]
