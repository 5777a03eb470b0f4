"""Text files that people write: read whatever their editor made of line ends, and refused in one line."""

from __future__ import annotations

from pathlib import Path

from gen_toolkit.errors import PromptError
from gen_toolkit.workspace import find_workspace

MOST_BYTES = 1_000_000


def located(path: str | Path) -> Path:
    """A path as users write it: it starts at the workspace, never at the current folder."""
    return find_workspace().root / Path(path).expanduser()


def shown(path: Path) -> str:
    """How a file is called in messages."""
    root = find_workspace().root
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def read_source(path: Path) -> str:
    """The text of a file: UTF-8 with or without a mark at its beginning, every line end as a newline."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PromptError(
            f"{shown(path)} cannot be read: {error.strerror}", fix="Name a file that is there.", path=str(path)
        ) from None
    if len(raw) > MOST_BYTES:
        raise PromptError(
            f"{shown(path)} has more than {MOST_BYTES:,} bytes", fix="Give long texts as variables.", path=str(path)
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PromptError(
            f"{shown(path)}:{line}: the file is not UTF-8", fix="Save it as UTF-8.", path=str(path), line=line
        ) from None
    return with_newlines(text)


def with_newlines(text: str) -> str:
    """Every line end as a newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
