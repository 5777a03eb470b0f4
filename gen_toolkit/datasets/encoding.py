"""Bytes of a file as text: UTF-8, or what a byte order mark says; anything else is refused, not guessed."""

from __future__ import annotations

import codecs

from gen_toolkit.datasets.place import Place
from gen_toolkit.errors import DatasetError


def decode(data: bytes) -> str:
    """The text. Raises UnicodeDecodeError, whose place `no_text` puts into words."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if marked else "utf-8-sig")


def no_text(error: UnicodeDecodeError, place: Place) -> DatasetError:
    """What is said of bytes that are no text."""
    byte = error.object[error.start : error.start + 1].hex()
    return place.error(
        f"is not {error.encoding.upper()}: byte 0x{byte} ({error.reason})",
        fix="Save the file as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW.",
    )
