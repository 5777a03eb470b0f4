"""When a run is tried again by itself: by class of failure, after a wait that doubles.

Never where the next attempt would fail alike: wrong code, data or input, a budget, an assert.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from gen_toolkit.errors import (
    DatabaseError,
    DeadlineExceeded,
    GenToolkitError,
    ModelError,
    SettingError,
    TrackingError,
    nearest,
)
from gen_toolkit.jobs.rows import Reason

CLASSES = {
    "lost": "the process that supervised it is gone, or could not prove its lease",
    "killed": "its kernel or runner was ended by a signal, or took too much memory",
    "timed out": "it was not done in time",
    "model": "a model could not be reached, was overloaded, sent garbage, or passed the call's deadline",
    "environment": "database, network or disk failed",
    "error": "any other error, but for those that say that code, data or input is wrong",
}
LOST_ATTEMPTS = 5
"""So many attempts has a run of the queue that is lost again and again: it may be what kills its workers."""
_USUAL = ("lost", "killed", "model", "environment")
# What says that code, data or input is wrong: the next attempt would say the same.
_ALIKE = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, NotImplementedError,
    RecursionError, SyntaxError, TypeError, ValueError, FileNotFoundError, FileExistsError, PermissionError,
    IsADirectoryError, NotADirectoryError,
)  # fmt: skip
_ALWAYS_ALIKE = {"Stopped", "ValidationError", "UsageError"}


@dataclass(frozen=True)
class Retries:
    """The table `retries` of a pipeline.toml. Seconds."""

    attempts: int = 1
    """In all, the first included."""
    wait_s: float = 30.0
    """Before the second attempt; doubled before each further one."""
    longest_wait_s: float = 3600.0
    on: tuple[str, ...] = _USUAL
    """Classes of failure: see CLASSES."""
    queued: bool = False
    """Whether a server has it, and not a person."""

    @classmethod
    def of(cls, table: Mapping[str, Any], origin: str) -> Self:
        """As a pipeline.toml says it. Raises SettingError naming what is wrong."""
        forms: dict[str, tuple[Callable[[Any], bool], str]] = {
            "attempts": (lambda v: _is_number(v, int) and 1 <= v <= 100, "a whole number from 1 to 100"),
            "wait_s": (lambda v: _is_number(v, (int, float)) and v >= 0, "a number of seconds"),
            "longest_wait_s": (lambda v: _is_number(v, (int, float)) and v >= 0, "a number of seconds"),
            "on": (lambda v: isinstance(v, list) and all(item in CLASSES for item in v), f"a list of {_names()}"),
        }
        for name, value in table.items():
            where = f"{origin}: retries.{name}"
            if name not in forms:
                fix = nearest(name, forms) or f"Known: {', '.join(forms)}."
                raise SettingError(f"{where} is not known", fix=fix, setting=f"retries.{name}", origin=origin)
            fits, form = forms[name]
            if not fits(value):
                fix = f"It must be {form}."
                raise SettingError(f"{where} is {value!r}", fix=fix, setting=f"retries.{name}", origin=origin)
        return cls(**{**table, **({"on": tuple(table["on"])} if "on" in table else {})})

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self:
        """As the ledger keeps them; none at all: never."""
        return cls() if data is None else cls(**{**data, "on": tuple(data["on"])})

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "on": list(self.on)}

    def wait(self, state: str, reason: Reason | None, number: int) -> float | None:
        """Seconds until the next attempt, after attempt `number` ended so; None: there is none."""
        kind = class_of(state, reason)
        if kind is None:
            return None
        if kind in self.on and number < self.attempts:
            return min(self.wait_s * 2.0 ** (number - 1), self.longest_wait_s)
        if kind == "lost" and self.queued and number < LOST_ATTEMPTS:
            return 0.0 if number == 1 else 2.0**number
        return None


NEVER = Retries()
"""Where nobody says otherwise."""


def class_of(state: str, reason: Reason | None) -> str | None:
    """The class of a failure; None: it would fail alike, or nobody wants it tried again."""
    if state in {"lost", "killed", "timed out"}:
        return state
    name = reason.error if reason is not None else None
    if state != "failed" or name is None or name in _ALWAYS_ALIKE:
        return None
    ours = _known(GenToolkitError).get(name)
    if ours is not None:
        if issubclass(ours, ModelError):
            return "model" if ours.retryable or ours is DeadlineExceeded else None
        return "environment" if issubclass(ours, DatabaseError | TrackingError) else None
    builtin = getattr(builtins, name, None)
    if isinstance(builtin, type) and issubclass(builtin, BaseException):
        if issubclass(builtin, _ALIKE) or not issubclass(builtin, Exception):
            return None
        return "environment" if issubclass(builtin, OSError) else "error"
    return "environment" if name == "NotSaved" else "error"


def _known(kind: type[GenToolkitError]) -> dict[str, type[GenToolkitError]]:
    found = {kind.__name__: kind}
    for sub in kind.__subclasses__():
        found |= _known(sub)
    return found


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _names() -> str:
    return ", ".join(f'"{name}"' for name in CLASSES)
