"""The tokens of one JSON value, as models write them, put down again as strict JSON. See `repair`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_DOUBLE, _SINGLE = "“”„‟", "‘’‚‛"
QUOTES = frozenset("\"'" + _DOUBLE + _SINGLE)
_DEEPEST = 200  # brackets within brackets; no declared output comes near

_TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n]+)
    | (?P<open>[\[{{]) | (?P<close>[\]}}]) | (?P<comma>,) | (?P<colon>:)
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<word>[^\W\d]\w*)
    | (?P<string>["'{_DOUBLE}{_SINGLE}])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|.)|[\"\x00-\x1f]", re.DOTALL)
_WORDS = {"true": "true", "false": "false", "null": "null", "True": "true", "False": "false", "None": "null"}
_CLOSES = {"[": "]", "{": "}"}
_VALUES = {"close", "number", "word", "string"}


def _up_to(ends: str) -> re.Pattern[str]:
    """What stands before an end that is not escaped; possessive, so that a string without one costs one look."""
    return re.compile(rf"(?:[^{ends}\\]++|\\.)*+", re.DOTALL)


_BODY = {'"': _up_to('"'), "'": _up_to("'")}
_BODY |= dict.fromkeys(_DOUBLE, _up_to(_DOUBLE + '"')) | dict.fromkeys(_SINGLE, _up_to(_SINGLE + "'"))


@dataclass(frozen=True)
class Mended:
    """One value as strict JSON (if it is any: the decoder judges), and where it ended in the text."""

    json: str
    end: int
    is_container: bool
    repairs: tuple[str, ...]


def mended(text: str, start: int, *, fence: str, cut: bool) -> Mended:
    """Walk the value that begins at `start`, once. `fence` ends it, too; `cut`: close no brackets at its end.

    Raises ValueError where a token can be read in two ways or in none.
    """
    walk = _Walk(text, start)
    while not walk.is_whole and walk.at < len(text) and not (fence and text.startswith(fence, walk.at)):
        walk.step()
    if not walk.is_whole:
        walk.close(cut)
    walk.check_quotes()
    return Mended("".join(walk.written), walk.at, walk.written[0] in _CLOSES, tuple(dict.fromkeys(walk.repairs)))


@dataclass
class _Walk:
    text: str
    at: int
    written: list[str] = field(default_factory=list)
    """The tokens as strict JSON."""
    open: list[str] = field(default_factory=list)
    """The brackets that are open."""
    kinds: tuple[str, str] = ("", "")
    """Of the last two tokens that are no space."""
    comma: int = 0
    """Where in `written` the last comma stands."""
    repairs: list[str] = field(default_factory=list)
    delimiters: set[str] = field(default_factory=set)
    inside: set[str] = field(default_factory=set)
    """The quotes that stand inside strings."""

    @property
    def is_whole(self) -> bool:
        return not self.open and self.kinds[1] in _VALUES

    def step(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise ValueError(f"{self.text[self.at]!r} at character {self.at + 1} is no part of a JSON value")
        kind, token, self.at = str(match.lastgroup), match[0], match.end()
        if kind == "space":
            self.written.append(token)
            return
        if kind == "word":
            token = self._word(token)
        elif kind == "string":
            token = self._string(token)
        elif kind == "open":
            self._open(token)
        elif kind == "close":
            self._close(token)
        elif kind == "comma":
            self.comma = len(self.written)
        self.written.append(token)
        self.kinds = self.kinds[1], kind

    def close(self, cut: bool) -> None:
        """The text is over, and brackets are open: closed where the last value is surely whole."""
        if not self.open:
            raise ValueError("there is no JSON value")
        last = self.kinds[1]
        if cut or last not in _VALUES or (last == "number" and self.at == len(self.text) and self.text[-1].isdigit()):
            raise ValueError(f"it breaks off: {''.join(_CLOSES[bracket] for bracket in self.open[:-21:-1])} is missing")
        self.written += [_CLOSES[bracket] for bracket in reversed(self.open)]
        self.repairs.append("missing brackets")

    def check_quotes(self) -> None:
        """“a", "b” is one text or two: beside typographic delimiters no text may hold what delimits another."""
        used = [kind for kind in ('"', "'", _DOUBLE, _SINGLE) if self.delimiters & set(kind)]
        if self.delimiters - {'"', "'"} and any(self.inside & set(kind) for kind in used):
            raise ValueError("typographic and straight quotes are mixed")

    def _open(self, bracket: str) -> None:
        self.open.append(bracket)
        if len(self.open) > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")

    def _close(self, bracket: str) -> None:
        if not self.open or _CLOSES[self.open.pop()] != bracket:
            raise ValueError(f"{bracket!r} at character {self.at} closes nothing")
        if self.kinds[1] == "comma" and self.kinds[0] in _VALUES:
            self.written[self.comma] = ""
            self.repairs.append("trailing comma")

    def _word(self, word: str) -> str:
        if word not in _WORDS:
            raise ValueError(f"the word {word[:20]!r} at character {self.at - len(word) + 1} is no JSON value")
        if _WORDS[word] != word:
            self.repairs.append("Python words")
        return _WORDS[word]

    def _string(self, quote: str) -> str:
        match = _BODY[quote].match(self.text, self.at)
        assert match is not None, "the pattern matches nothing, too"
        body, begin, self.at = match[0], self.at, match.end() + 1
        end = self.text[match.end() : self.at]
        if not end or (end != quote and quote in "\"'"):
            raise ValueError(f"the string at character {begin} does not end")
        if end in "\"'" and end != quote:
            raise ValueError(f"the string at character {begin} begins with {quote} and may end with {end}")
        self.delimiters.add(quote)
        self.inside |= QUOTES & set(body)
        if quote != '"':
            self.repairs.append("single quotes" if quote == "'" else "typographic quotes")
        return f'"{_ESCAPE.sub(lambda found: self._escaped(found[0], quote), body)}"'

    def _escaped(self, found: str, quote: str) -> str:
        """One escape, quote or control character, as JSON has it."""
        if found == '"':
            return '\\"'
        if found < " ":
            self.repairs.append("line breaks in a string" if found in "\r\n" else "control characters in a string")
            return json.dumps(found)[1:-1]
        if found[1] in 'ubfnrt"\\' or (found == "\\/" and quote != "'"):
            return found
        if found == "\\'":
            if quote == '"':
                self.repairs.append("escapes")
            return "'"
        if found[1] in "xU" and len(found) > 2 and int(found[2:], 16) < 0x110000:
            self.repairs.append("escapes")
            return json.dumps(chr(int(found[2:], 16)))[1:-1]
        raise ValueError(f"the escape {found!r} is none that JSON has")
