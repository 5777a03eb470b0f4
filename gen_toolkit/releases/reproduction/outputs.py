"""What cells showed, brought to a form that is the same for each execution of the same code on the same answers."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from gen_toolkit.display import PROGRESS
from gen_toolkit.ipynb import Notebook, code_cells, stripped, tags
from gen_toolkit.releases.reproduction.measured import without_measures
from gen_toolkit.releases.reproduction.sanitize import Rules

_WIDGET = "application/vnd.jupyter.widget-view+json"  # holds the id of a model that lives only in the kernel
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)

Output = dict[str, Any]


def with_normal_outputs(executed: Notebook, rules: Rules) -> Notebook:
    """The executed notebook as it can be kept: no times, no metadata of a run, outputs normalised.

    Cells that a run puts in are left out, so cells are numbered as in the notebook that was executed.
    """
    kept = stripped(executed)
    ran = [cell for cell in executed["cells"] if "injected-parameters" not in tags(cell)]
    for cell, was in zip(kept["cells"], ran, strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"] = normalised(was.get("outputs", []), rules)
            cell["execution_count"] = was.get("execution_count")
    return kept


def normalised(outputs: Sequence[Output], rules: Rules) -> list[Output]:
    """Outputs in nbformat's form. Standard error and progress tell how work goes on, not what it brought: left out.

    Of pictures only that they are there is kept, of an error its name and message.
    """
    found: list[Output] = []
    printed: Output | None = None
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            if output.get("name") != "stdout":
                continue
            if printed is None:
                printed = {"output_type": "stream", "name": "stdout", "text": ""}
                found.append(printed)
            printed["text"] += _text(output.get("text", ""))
        elif kind == "error":
            name, message = (str(output.get(key, "")) for key in ("ename", "evalue"))
            found.append({"output_type": "error", "ename": name, "evalue": _same(message, rules), "traceback": []})
        elif kind in {"display_data", "execute_result"} and not (output.get("metadata") or {}).get(PROGRESS):
            data = {mime: _datum(mime, value, rules) for mime, value in sorted(output.get("data", {}).items())}
            data.pop(_WIDGET, None)
            count = {"execution_count": output.get("execution_count")} if kind == "execute_result" else {}
            found.append({"output_type": kind, "data": data, "metadata": {}, **count})
    if printed is not None:
        printed["text"] = _same(_OVERWRITTEN.sub("", printed["text"]), rules)
    return [output for output in found if output.get("text") != ""]


def _datum(mime: str, value: Any, rules: Rules) -> Any:
    if mime.startswith("image/") and mime != "image/svg+xml":
        return ""  # its bytes depend on fonts and versions
    if mime.endswith("json"):
        return _data(value, rules)
    return _same(_text(value), rules)


def _data(value: Any, rules: Rules) -> Any:
    """JSON: every text in it."""
    if isinstance(value, str):
        return rules.applied(value)
    if isinstance(value, list):
        return [_data(item, rules) for item in value]
    if isinstance(value, dict):
        return {name: _data(item, rules) for name, item in value.items()}
    return value


def _same(text: str, rules: Rules) -> str:
    return rules.applied(without_measures(text))


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def shown(cell: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a cell with normalised outputs showed, by kind, in order: `stdout`, `error`, `text/plain`, `text/html`, …

    As nbval compares: the order among outputs of different kinds is not told.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            found["stdout"].append(output["text"])
        elif output["output_type"] == "error":
            found["error"].append(f"{output['ename']}: {output['evalue']}")
        else:
            for mime, value in output["data"].items():
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
                found[mime].append(text)
    return dict(found)


def code_of(notebook: Notebook) -> list[tuple[int, dict[str, Any]]]:
    """(number from 1 over all cells, cell) of the code cells that people wrote."""
    return [(index + 1, cell) for index, cell in code_cells(notebook) if "release" not in tags(cell)]
