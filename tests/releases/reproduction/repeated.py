"""A pipeline whose live release has a cassette and a reference, for tests that execute it again."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest
from notebook_cells import enter, furnish, written
from released import promoted

from gen_toolkit.jobs.ledger import RunRow
from gen_toolkit.releases.pipeline import Pipeline
from gen_toolkit.releases.reproduction.reference import write_reference
from gen_toolkit.releases.start import run_release

PLUGIN_MODULE = "gen_toolkit.testing.plugin"
# Where the toolkit was installed before it had the entry point, pytest is told of the plugin; twice it refuses.
PLUGIN = [] if any(point.module == PLUGIN_MODULE for point in entry_points(group="pytest11")) else ["-p", PLUGIN_MODULE]
CELLS = [
    "import random\nimport gen_toolkit as gt\nfrom pathlib import Path",
    "films = [('good', 'positive'), ('bad', 'negative'), ('so', 'negative')]\n"
    "rows = gt.dataset([{'text': text, 'label': label} for text, label in films], name='films')[:limit]\nrows",
    "label = gt.Prompt('label', user='Which?\\n\\n{{ text }}')\n"
    "result = gt.evaluate(label, rows, model=model, scorer=gt.scorers.exact('label', name='accuracy'))\nresult",
    "reply = gt.chat(f'{gt.seed()} at {gt.due():%d %H:%M}: a good film', model=model)\nreply",
    "gt.keep('accuracy', result.mean('accuracy'))\ngt.keep('said', reply.text)\ngt.keep('where', str(Path.cwd()))",
    "def write(name):\n    with open('letters.txt', 'a') as file:\n        file.write(name)\n    return len(name)\n"
    "gt.keep('letters', gt.once('letter to Ada', write, 'Ada'))",
    "print(object(), (Path.cwd() / 'words.txt').read_text(), random.Random(gt.seed()).random())",
]
PARAMETERS = "model: str = 'dry'\nlimit: int = 2"


def made(root: Path, patch: pytest.MonkeyPatch) -> tuple[Pipeline, RunRow]:
    """`films`, promoted and run once with `limit=3`; what that run showed is the release's reference."""
    furnish(root, mlflow=False)
    (root / "words.txt").write_text("words", encoding="utf-8")
    path = written(root / "notebooks/films.ipynb", *CELLS, parameters=PARAMETERS)
    enter(root, patch)
    pipeline = promoted(path, "films").pipeline
    folder = pipeline.releases / "1"
    patch.setenv("GEN_TOOLKIT_CASSETTE", str(folder / "cassette.jsonl"))
    run = run_release("films", {"limit": "3"}).run
    patch.delenv("GEN_TOOLKIT_CASSETTE")
    assert run.state == "succeeded", run.reason
    assert run.folder is not None
    write_reference(folder, run.folder / "notebook.ipynb", run.parameters, run.outcome["kept"], due=run.created_at)
    return pipeline, run
