"""Columns of text that hold whatever people and models write, in every database alike."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy
from sqlalchemy.types import TypeDecorator

_HASH = 9  # an ellipsis and eight hexadecimal digits


class Text(TypeDecorator[str]):
    """Text of any length. What no database can hold (NUL, halves of characters) stands as an escape."""

    impl = sqlalchemy.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002 - SQLAlchemy's names
        return None if value is None else _storable(value)


class Name(TypeDecorator[str]):
    """A name somebody gave. A longer one is cut and told apart by a hash: SQLite would take it, PostgreSQL not.

    What is looked up is cut in the same way, so a long name finds itself.
    """

    impl = sqlalchemy.String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self._length = length

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        value = _storable(value)
        if len(value) <= self._length:
            return value
        return value[: self._length - _HASH] + "…" + hashlib.sha256(value.encode()).hexdigest()[: _HASH - 1]


def _storable(value: str) -> str:
    if not value.isascii():
        value = value.encode("utf-8", "backslashreplace").decode()
    return value.replace("\0", "\\x00") if "\0" in value else value
