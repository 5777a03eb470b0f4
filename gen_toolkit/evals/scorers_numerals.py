"""Numbers as people and models write them in texts; what could be read in two ways is marked, not guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise

_GROUPS = "'’_\u00a0\u2009\u202f"  # between thousands, whatever the decimal mark: apostrophes, spaces that do not break
# Joined by one of these, digits are one token: 1,234.5 and also what is no single number: a date, a range, a power.
_TOKEN = re.compile(rf"\d+(?:[.,:/^×*\-–−{_GROUPS}]\d+)*(?:[eE][-+]?\d+)?")
_PERCENT = re.compile(r"\s?(%|per ?cent\b)", re.IGNORECASE)
_SCALE = re.compile(
    r"(k|m|mn|mio|mrd|bn|b|tn|t)(?!\w)|\s?(hundred|thousand|million|billion|trillion|dozen|lakh|crore)(?!\w)|\s?‰",
    re.IGNORECASE,
)
_GLUED = re.compile(r"\w*\d")  # 0x1F, 5m2
_SIGNS = "-+−"
_CURRENCIES = "$€£¥"
_OPENING = "([{=:;,|\"'“‘*~≈<>" + _CURRENCIES


@dataclass(frozen=True)
class Numeral:
    """A number in a text. `value` is None where it could be read in several ways, and `why` says which."""

    written: str
    value: Decimal | None
    is_percent: bool = False
    why: str = ""


def numerals(text: str, decimal: str = ".") -> list[Numeral]:
    """The numbers in a text, in order; `decimal` is the mark before fractions, the other mark groups thousands.

    Digits that belong to a name (GPT-4, H2O) are no numbers; a unit behind digits (5kg, 2nd) is left out.

    >>> [(n.written, n.value) for n in numerals("GPT-4 took $1,234.50, or -5kg")]
    [('1,234.50', Decimal('1234.50')), ('-5', Decimal('-5'))]
    """
    found = list(_found(text, decimal))
    marked = [numeral for _, _, numeral in found]
    for number, ((_, end, one), (start, _, other)) in enumerate(pairwise(found)):
        if (
            text[end:start] == " "
            and re.fullmatch(r"[1-9]\d{0,2}", one.written)
            and re.match(r"\d{3}(?!\d)", other.written)
        ):
            why = f"{one.written} {other.written} may be one number or two"
            marked[number] = marked[number + 1] = Numeral(f"{one.written} {other.written}", None, why=why)
    return marked


def _found(text: str, decimal: str) -> Iterator[tuple[int, int, Numeral]]:
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        begins = _beginning(text, start, decimal)
        if begins is not None:
            yield begins, end, _numeral(text, begins, start, end, decimal)


def _beginning(text: str, start: int, decimal: str) -> int | None:
    """Where the number at `start` begins, its sign and a leading decimal mark included; None in a name."""

    def before(place: int) -> str:
        return text[place - 1] if place > 0 else " "

    if before(start) == decimal and (before(start - 1).isspace() or before(start - 1) in _SIGNS + _OPENING):
        start -= 1
    begins = start - 1 if before(start) in _CURRENCIES else start
    previous = before(begins)
    if previous in _SIGNS + "–" and (before(begins - 1).isalpha() or before(begins - 1) == "_"):
        return None
    if previous in _SIGNS and (before(begins - 1).isspace() or before(begins - 1) in _OPENING):
        return begins - 1
    return None if previous.isalpha() or previous == "_" else start


def _numeral(text: str, begins: int, start: int, end: int, decimal: str) -> Numeral:
    sign = text[begins] if text[begins] in _SIGNS else ""
    digits = ("0." if text[start - 1 : start] == decimal and begins < start else "") + text[start:end]
    written = sign + digits
    after = text[end : end + 1]
    if _SCALE.match(text, end) or _GLUED.match(text, end) or (after and unicodedata.category(after) == "No"):
        whole = written + text[end : end + 9].rstrip()
        return Numeral(whole, None, why=f"{whole!r} may stand for another number than {written}")
    value = _read(digits, decimal)
    if value is None:
        return Numeral(written, None, why=f"{written} is no single number with {decimal!r} before fractions")
    return Numeral(written, value.copy_negate() if sign in ("-", "−") else value, _PERCENT.match(text, end) is not None)


def _read(digits: str, decimal: str) -> Decimal | None:
    plain, grouped = _forms(decimal)
    if not plain.fullmatch(digits) and not grouped.fullmatch(digits):
        return None
    kept = "".join(c for c in digits if c.isdigit() or c in "eE+-" or c == decimal)
    try:
        return Decimal(kept.replace(decimal, "."))
    except InvalidOperation:  # an exponent beyond all bounds
        return None


@lru_cache
def _forms(decimal: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    mark, group = re.escape(decimal), "," if decimal == "." else "."
    rest = rf"(?:{mark}\d+)?(?:[eE][-+]?\d+)?"
    return (
        re.compile(rf"\d+{rest}"),
        re.compile(rf"[1-9]\d{{0,2}}(?:([{group}{_GROUPS}])\d{{3}})(?:\1\d{{3}})*{rest}"),
    )
