"""Loaded into the kernel of a job: answers whoever looks in from outside with the names, types and briefs of variables.

It answers on the control channel, which has a thread of its own in ipykernel, and not through a subshell: from the
first request there on, what the threads of the job print belongs to that request (`OutStream.set_parent` is for all
threads), and is lost to the notebook.
No code of the notebook is run for an answer, not even a `__repr__`: of the types below a brief is made here, of all
others the name is told.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import pathlib
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from gen_toolkit import text

REQUEST, REPLY = "gen_toolkit_peek_request", "gen_toolkit_peek_reply"

_MOST = 200  # variables
_LONGEST = 80  # characters of a brief, and of a name
_LOOKED_AT = 20_000  # characters: a secret that is cut would not be found any more
_ITEMS = 3
_DEPTH = 2
_LARGEST_INT = 256  # bits
_name_of = type.__dict__["__name__"].__get__  # a metaclass could say anything
_CODE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


def answer(kernel: Any, references: Sequence[str]) -> None:
    """From now on `kernel` (an ipykernel) answers `REQUEST`. The values of `references` (secrets) are masked."""

    async def told(stream: Any, ident: Any, parent: Any) -> None:
        from gen_toolkit.jobs.environment import remember_secrets

        remember_secrets(references)
        content = {"variables": shown(kernel.shell.user_ns, kernel.shell.user_ns_hidden)}
        kernel.session.send(stream, REPLY, content, parent, ident)

    kernel.control_handlers[REQUEST] = told


def shown(names: Mapping[str, Any], hidden: Mapping[str, Any]) -> list[dict[str, str]]:
    """`name`, `type` and `value` (a brief, or nothing) of what a notebook has named; no functions, classes, modules."""
    found: list[dict[str, str]] = []
    for name, value in list(names.items()):
        is_ours = type(name) is not str or name.startswith("_") or (name in hidden and hidden[name] is value)
        if is_ours or type(value) in _CODE or issubclass(type(value), type):
            continue
        if len(found) == _MOST:
            found.append({"name": "…", "type": "", "value": f"more than {_MOST}"})
            break
        kind = text.one_line(_name_of(type(value)), _LONGEST)
        found.append({"name": text.one_line(name, _LONGEST), "type": kind, "value": brief(value)})
    return found


def brief(value: Any, depth: int = _DEPTH) -> str:
    """What a value is, on one line; of a type that is not known here, nothing. Never raises."""
    kind = type(value)
    try:
        told = _BRIEFS[kind](value, depth) if kind in _BRIEFS else _of_a_table(kind, value)
    except RuntimeError:  # a dict or set that the notebook is changing at this moment
        return "is changing"
    except Exception as error:  # noqa: BLE001 - whatever a library does, the other variables can be told
        return f"cannot be told: {type(error).__name__}"
    return text.one_line(told, _LONGEST)


def _of_text(value: str, _: int) -> str:
    words = text.scrub(value[:_LOOKED_AT])
    many = f" ({len(value)} characters)" if len(words) > _LONGEST // 2 else ""
    return repr(words[: _LONGEST // 2]) + ("…" + many if many else "")


def _of_number(value: int, _: int) -> str:
    return repr(value) if value.bit_length() <= _LARGEST_INT else f"{value.bit_length()} bits"


def _of_items(opening: str, closing: str) -> Callable[[Any, int], str]:
    def told(value: Any, depth: int) -> str:
        many = len(value)
        if not depth:
            return f"{opening}…{closing}" if many else opening + closing
        items = [brief(item, depth - 1) or _name_of(type(item)) for item in islice(value, _ITEMS)]
        more = f", … {many} items" if many > _ITEMS else ""
        return f"{opening}{', '.join(items)}{more}{closing}"

    return told


def _of_pairs(value: Any, depth: int) -> str:
    if not depth:
        return "{…}" if value else "{}"
    pairs = [
        f"{brief(key, 0) or _name_of(type(key))}: {brief(item, depth - 1) or _name_of(type(item))}"
        for key, item in islice(value.items(), _ITEMS)
    ]
    more = f", … {len(value)} items" if len(value) > _ITEMS else ""
    return f"{{{', '.join(pairs)}{more}}}"


def _of_a_table(kind: type, value: Any) -> str:
    """Of numpy's and pandas' own types how large they are."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and kind is getattr(numpy, "ndarray", None):
        return f"{' × '.join(map(str, value.shape)) or 'one'} of {value.dtype}"
    if pandas is not None and kind is getattr(pandas, "DataFrame", None):
        columns = ", ".join(brief(column, 0) for column in value.columns[:_ITEMS])
        more = ", …" if len(value.columns) > _ITEMS else ""
        return f"{len(value)} rows × {len(value.columns)} columns: {columns}{more}"
    if pandas is not None and kind is getattr(pandas, "Series", None):
        return f"{len(value)} of {value.dtype}"
    return ""


def _plain(value: Any, _: int) -> str:
    return repr(value)


def _of_path(value: Any, _: int) -> str:
    return str(value)[:_LOOKED_AT]


_BRIEFS: dict[type, Callable[[Any, int], str]] = {
    type(None): _plain,
    bool: _plain,
    int: _of_number,
    float: _plain,
    complex: _plain,
    str: _of_text,
    bytes: lambda value, _: f"{len(value)} bytes",
    bytearray: lambda value, _: f"{len(value)} bytes",
    range: _plain,
    list: _of_items("[", "]"),
    tuple: _of_items("(", ")"),
    set: _of_items("{", "}"),
    frozenset: _of_items("{", "}"),
    collections.deque: _of_items("[", "]"),
    dict: _of_pairs,
    collections.OrderedDict: _of_pairs,
    collections.defaultdict: _of_pairs,
    collections.Counter: _of_pairs,
    datetime.date: lambda value, _: value.isoformat(),
    datetime.datetime: lambda value, _: value.replace(tzinfo=None).isoformat(" "),  # a zone may be the notebook's own
    datetime.timedelta: lambda value, _: str(value),
    decimal.Decimal: lambda value, _: str(value)[:_LOOKED_AT],
    type(pathlib.Path()): _of_path,
}
