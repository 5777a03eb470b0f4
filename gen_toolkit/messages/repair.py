"""JSON as models write it: read strictly, else mended where only one reading is left, and refused everywhere else.

Two steps. `find` says where the one value of a text begins and `mended` walks its tokens once and writes them
down as strict JSON; what comes out is judged by the standard decoder. Nothing is executed and nothing is
guessed: a string cut in its middle, a number at the very end, a key without a value, a second value, a key that
stands twice, NaN are errors. Every step is linear in the length of the text.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from gen_toolkit.messages.tokens import QUOTES, Mended, mended

_BRACKETS = re.compile(r"[\[\]{}]")
_OPENING = re.compile(r"[\[{]")
_FENCE = "```"
_LONGEST_INFO = 20  # of the word behind an opening fence: json, python, …


def read_json(text: str, *, cut: bool = False) -> tuple[Any, tuple[str, ...]]:
    """(value, names of the repairs it took). Raises ValueError with one line that says what is wrong and where.

    What is JSON comes back as `json.loads` has it, without repairs. `cut` says that the text is known to break
    off (the model reached its limit): then missing brackets are not closed, for what stood there is unknown.
    """
    try:
        return strict_json(text), ()
    except ValueError:
        return _repaired(text, cut)


def strict_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for all else: also for NaN, 1e999, a key that stands twice."""
    try:
        return _STRICT.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _repaired(text: str, cut: bool) -> tuple[Any, tuple[str, ...]]:
    bare = text.removeprefix("\ufeff")
    repairs = ["byte order mark"] if bare != text else []
    start = _start(bare)
    before, opened = _without_fence(bare[:start].rstrip(), at_end=True)
    found = mended(bare, start, fence=_FENCE if opened else "", cut=cut)
    after, closed = _without_fence(bare[found.end :].lstrip(), at_end=False)
    if opened or closed:
        repairs.append("fences")
    if before or after:
        _check_around(before, after, found)
        repairs.append("text around")
    repairs += found.repairs
    return strict_json(found.json), tuple(dict.fromkeys(repairs))


def _start(text: str) -> int:
    """Where the value begins: at a quote that opens the text, else at the first bracket, else at the first word."""
    first = len(text) - len(text.lstrip())
    if text.startswith(_FENCE, first) and (line := text.find("\n", first)) > 0:
        first = line + len(text[line:]) - len(text[line:].lstrip())
    if text[first : first + 1] in QUOTES:
        return first
    bracket = _OPENING.search(text, first)
    return bracket.start() if bracket else first


def _without_fence(around: str, *, at_end: bool) -> tuple[str, bool]:
    """What stands around a value without the backticks next to it, and whether there were some."""
    if not at_end:
        return around.lstrip("`").strip(), around.startswith("`")
    head, tick, info = around.rpartition("`")
    is_fence = bool(tick) and len(info) <= _LONGEST_INFO and (not info or info.isalnum())
    return (head.rstrip("`").strip() if is_fence else around.strip()), is_fence


def _check_around(before: str, after: str, found: Mended) -> None:
    """Text around a value must be prose: brackets, or a comma or colon that joins it, speak of another value."""
    joined = before.endswith(",") or (before.endswith(":") and before[:-1].rstrip()[-1:] in QUOTES)
    if not found.is_container or joined or after.startswith((",", ":")) or _BRACKETS.search(after):
        raise ValueError(f"there is more than one value (the first ends at character {found.end})")


def _finite(written: str) -> float:
    number = float(written)
    return number if math.isfinite(number) else _no_number(written)


def _no_number(written: str) -> NoReturn:
    raise ValueError(f"{written[:20]} is no number that JSON has")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The last of two would be a guess."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return made


_STRICT = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number, object_pairs_hook=_once)
