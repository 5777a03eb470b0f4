"""Copies of frozen data with some of it changed, where thousands are made a second."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any, TypeVar

Data = TypeVar("Data")


def changed(data: Data, **fields: Any) -> Data:
    """The same as `dataclasses.replace`, in a fifth of the time: nothing is constructed anew.

    For dataclasses without slots and without `__post_init__`. What the old one had worked out (`cached_property`)
    is worked out again.
    """
    kind: Any = type(data)
    if not fields.keys() <= kind.__dataclass_fields__.keys():
        raise TypeError(f"{kind.__name__} has no field {', '.join(fields.keys() - kind.__dataclass_fields__.keys())}")
    copy: Data = object.__new__(kind)
    state = copy.__dict__
    state.update(data.__dict__)
    for name in _worked_out(kind):
        state.pop(name, None)
    state.update(fields)
    return copy


@cache
def _worked_out(kind: type) -> tuple[str, ...]:
    return tuple(name for each in kind.__mro__ for name, value in vars(each).items() if type(value) is cached_property)
