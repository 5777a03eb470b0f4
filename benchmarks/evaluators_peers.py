"""Another tool evaluates the same rows, in the way its documentation shows: `evaluators_peers.py NAME URL ROWS WIDTH`.

Run by the Python of `make peers`, where these tools are. Prints the same JSON as evaluators.py. Each tool records what
it does by itself; none is told to record less, where it can be told to hurry it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from evaluators import EXPECTED, Evaluate, measured, rows

SYSTEM = "You label film reviews."
PEERS = Path(sys.prefix)


def inspect_ai(url: str, width: int) -> Evaluate:
    os.environ.update({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": url, "INSPECT_DISPLAY": "none"})
    import inspect_ai
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import get_model
    from inspect_ai.scorer import exact
    from inspect_ai.solver import generate, system_message

    logs = tempfile.mkdtemp(prefix="bench-")

    def evaluate(count: int) -> tuple[int, float]:
        start = time.perf_counter()
        samples = [Sample(input=row["text"], target=row["label"]) for row in rows(count)]
        task = inspect_ai.Task(
            dataset=MemoryDataset(samples), solver=[system_message(SYSTEM), generate()], scorer=exact()
        )
        model = get_model("openai/m", base_url=url, api_key="k", responses_api=False)
        (log,) = inspect_ai.eval(
            task, model=model, max_tokens=16, max_connections=width, max_samples=width, log_dir=logs, display="none"
        )
        right = sum(sample.scores["exact"].value == "C" for sample in log.samples or [])
        return right, time.perf_counter() - start

    return evaluate


def dspy(url: str, width: int) -> Evaluate:
    os.environ.update({"DSPY_CACHEDIR": tempfile.mkdtemp(prefix="bench-"), "LITELLM_LOCAL_MODEL_COST_MAP": "true"})
    import dspy

    lm = dspy.LM("openai/m", api_base=url, api_key="k", max_tokens=16, cache=False)

    class Label(dspy.Module):
        def forward(self, text: str) -> Any:
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
            return dspy.Prediction(label=lm(messages=messages)[0])

    def evaluate(count: int) -> tuple[int, float]:
        start = time.perf_counter()
        examples = [dspy.Example(**row).with_inputs("text") for row in rows(count)]
        run = dspy.Evaluate(devset=examples, metric=lambda e, p, _=None: e.label == p.label, num_threads=width)
        score = run(Label()).score
        return round(score * count / 100), time.perf_counter() - start

    return evaluate


def mlflow_evaluate(url: str, width: int) -> Evaluate:
    """Its rate limit off, its pool of connections raised: by default it is slower."""
    folder = tempfile.mkdtemp(prefix="bench-")
    os.chdir(folder)
    os.environ.update(
        {
            "MLFLOW_GENAI_EVAL_MAX_WORKERS": str(width),
            "MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT": "0",
            "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": str(width + 16),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "true",
            "MLFLOW_MODEL_CATALOG_URI": "",
        }
    )
    import mlflow
    from openai import OpenAI

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    client = OpenAI(base_url=url, api_key="k", max_retries=0)

    def predict(text: str) -> str:
        messages: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
        answer = client.chat.completions.create(model="m", messages=messages, max_tokens=16)
        return answer.choices[0].message.content or ""

    @mlflow.genai.scorer
    def right(outputs: Any, expectations: Any) -> bool:
        return bool(outputs == expectations["label"])

    def evaluate(count: int) -> tuple[int, float]:
        start = time.perf_counter()
        data = [{"inputs": {"text": r["text"]}, "expectations": {"label": r["label"]}} for r in rows(count)]
        result = mlflow.genai.evaluate(data=data, predict_fn=predict, scorers=[right])
        return round(result.metrics["right/mean"] * count), time.perf_counter() - start

    return evaluate


def promptfoo(url: str, width: int) -> Evaluate:
    """A command of its own; its seconds are those that it says its evaluation took, without starting and ending it."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    node = PEERS / "node_modules/.bin/node"
    command = (PEERS / "node_modules/.bin/promptfoo").resolve()
    environment = {
        **os.environ,
        "PROMPTFOO_CONFIG_DIR": str(folder / "home"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "OPENAI_API_KEY": "k",
    }
    asked = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "{{text}}"}]
    (folder / "prompt.json").write_text(json.dumps(asked))

    def evaluate(count: int) -> tuple[int, float]:
        check = {"type": "equals", "value": EXPECTED}
        config = {
            "prompts": ["file://prompt.json"],
            "providers": [{"id": "openai:chat:m", "config": {"apiBaseUrl": url, "max_tokens": 16}}],
            "tests": [{"vars": {"text": row["text"]}, "assert": [check]} for row in rows(count)],
        }
        (folder / "config.json").write_text(json.dumps(config))
        options = ["-c", "config.json", "-j", str(width), "--no-cache", "--no-table", "--no-progress-bar"]
        subprocess.run(
            [node, command, "eval", *options, "-o", "out.json"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,  # it ends with 100 where a row is wrong
        )
        stats = json.loads((folder / "out.json").read_text())["results"]["stats"]
        return int(stats["successes"]), stats["evaluationDurationMs"] / 1000

    return evaluate


CONTENDERS = {
    "promptfoo": promptfoo,
    "DSPy": dspy,
    "inspect-ai": inspect_ai,
    "mlflow.genai.evaluate": mlflow_evaluate,
}


if __name__ == "__main__":
    _, contender, address, number, together = sys.argv
    measured(CONTENDERS[contender](address, int(together)), int(number))
