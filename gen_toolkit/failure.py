"""What every error of the toolkit is: a line for people, a code for scripts, its facts as data."""

from __future__ import annotations

import difflib
import linecache
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar


class GenToolkitError(Exception):
    """The base. `message` says what happened and where, `fix` what to do, `data` holds the facts."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, fix: str = "", **data: Any) -> None:
        message = _one_line(message).rstrip(". ")
        super().__init__(message)
        self.message = message
        self.fix = _one_line(fix)
        self.data = data
        for name, value in data.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return f"{self.message}. {self.fix}" if self.fix else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.fix, self.data)

    def to_json(self) -> dict[str, Any]:
        """Plain data for `--json` and for the journal; `from_json` turns it back."""
        return {"code": self.code, "message": self.message, "fix": self.fix, **_plain(self.data)}

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: in a notebook a user's mistake is a line, not a page."""
        where = ""
        frame = self.__traceback__
        while frame is not None:
            file = frame.tb_frame.f_code.co_filename
            if "ipykernel_" in file or file.startswith("<ipython-input"):
                line = linecache.getline(file, frame.tb_lineno).strip()
                where = f"  line {frame.tb_lineno}: {line}"
            frame = frame.tb_next
        lines = [f"{type(self).__name__}: {self.message}"]
        return [*lines, *([f"  {self.fix}"] if self.fix else []), *([where] if where else [])]


def _rebuild(kind: type[GenToolkitError], message: str, fix: str, data: dict[str, Any]) -> GenToolkitError:
    return kind(message, fix=fix, **data)


def _one_line(text: str) -> str:
    """A cause may speak in several lines; what we say of it is one."""
    return " ".join(text.splitlines())


def _plain(value: Any) -> Any:
    """Only what JSON can hold; anything else as its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def from_json(data: Mapping[str, Any]) -> GenToolkitError:
    """The typed error that `to_json` described; an unknown code comes back as the base class."""
    rest = {key: value for key, value in data.items() if key not in {"code", "message", "fix"}}
    kind = _by_code(GenToolkitError).get(str(data.get("code")), GenToolkitError)
    return kind(str(data.get("message", "unknown error")), fix=str(data.get("fix", "")), **rest)


def _by_code(kind: type[GenToolkitError]) -> dict[str, type[GenToolkitError]]:
    found = {kind.code: kind}
    for sub in kind.__subclasses__():
        found.update(_by_code(sub))
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """ " Did you mean 'x'?" or nothing: the end of many messages."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else ""
