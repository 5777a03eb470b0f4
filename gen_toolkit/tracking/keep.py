"""gt.keep: a named value that a notebook returns. Shown here, logged to MLflow, the job's outcome."""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

from gen_toolkit import scope, text
from gen_toolkit.errors import KeepError
from gen_toolkit.events import ValueKept, emit
from gen_toolkit.tracking.run import open_session

T = TypeVar("T")

_LARGEST = 50_000_000  # characters as JSON: each goes through the database and to MLflow in one piece
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


def keep(name: str, value: T) -> T:
    """Keep `value` under `name` and return it: numbers become metrics, everything else an artifact.

    Texts, numbers, booleans, None, lists and dicts of them, dates, and tables (a DataFrame, a result).
    Kept again under the same name, the last value counts. What is larger than 64 kB as JSON stands in the job's outcome
    as a file of its own. Raises KeepError, also for more than 50 MB.
    """
    if not _NAME.fullmatch(name):
        raise KeepError(
            f"{name!r} cannot be the name of a kept value",
            fix="Use letters, digits, '_', '.', '-', beginning with a letter.",
            name=name,
        )
    plain = _plain(name, value)
    emit(ValueKept(run=scope.current().run or open_session(), name=name, value=plain))
    print(f"kept {name} = {_shown(plain)}")  # noqa: T201 - keep is a display, on every surface
    return value


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        _refuse_larger(name, len(value))
    if isinstance(value, bool | str | type(None)):
        return value
    if isinstance(value, float) or type(value).__name__ == "NaTType":
        if value != value or not math.isfinite(value):
            raise KeepError(f"{name!r} is {value}, which is no number", fix="Keep None where there is none.", name=name)
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    try:
        written = json.dumps(_data(value), allow_nan=False)  # Python writes no number of more than 4,300 digits
    except (TypeError, ValueError) as error:
        raise KeepError(
            f"{name!r} is {type(value).__name__}, which cannot be kept ({error})",
            fix="Keep numbers, texts, lists and dicts of them, or a table.",
            name=name,
        ) from None
    _refuse_larger(name, len(written))
    return json.loads(written)


def _refuse_larger(name: str, size: int) -> None:
    if size > _LARGEST:
        raise KeepError(
            f"{name!r} has {size / 1e6:.0f} MB, more than the {_LARGEST / 1e6:.0f} MB that a kept value may have",
            fix="Write it to a file, and keep the file's name.",
            name=name,
        )


def _data(value: Any) -> Any:
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return json.loads(value.to_json(orient="records"))
    if hasattr(value, "to_json"):
        told = value.to_json()
        return json.loads(told) if isinstance(told, str) else told
    return value.tolist() if hasattr(value, "tolist") else value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"{len(value)} items"
    return text.one_line(value, 80)
