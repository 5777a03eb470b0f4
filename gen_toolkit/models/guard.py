"""What a guard looks for in a text, and what it does about it. Pure: no model, no record.

rules = Rules(GuardRules(email="redact", card="refuse"))
rules.applied("write to a@example.com")       # ("write to [email]", [Finding("email", "redacted", 1)])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from gen_toolkit import text as plain
from gen_toolkit.alias import GuardRules
from gen_toolkit.errors import SettingError
from gen_toolkit.secret import KEY_SIGNS, KEYS

Action = Literal["redacted", "refused"]

# Local parts and domains as they are in use (RFC 5321 allows more), every run bounded: linear on any text.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w-])", re.ASCII)
WORD = re.compile(r"[A-Za-z0-9_.+@:/=%-]+")  # what no pattern of one word goes beyond
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?!\d)")


@dataclass(frozen=True)
class Finding:
    """What was found, so often, and what was done. Never the text itself."""

    reason: str
    """`secret`, `email`, `card`, `deny`, `too-long`, or `check:` and the name of a function."""
    action: Action
    count: int = 1


@dataclass(frozen=True)
class _Rule:
    reason: str
    action: Action
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool] = bool
    signs: tuple[str, ...] = ()
    """Texts of which one is in every match: to look for them first is ten times quicker than to match."""

    def applied(self, text: str) -> tuple[str, int]:
        if self.signs and not any(sign in text for sign in self.signs):
            return text, 0
        found = 0

        def masked(match: re.Match[str]) -> str:
            nonlocal found
            if not self.accepts(match[0]):
                return match[0]
            found += 1
            return f"[{self.reason}]"

        return self.pattern.sub(masked, text), found


class Rules:
    """The rules of one direction, ready to be applied. Raises SettingError for a rule that cannot be."""

    def __init__(self, rules: GuardRules) -> None:
        self._most = rules.max_chars
        self._rules = list(_patterns(rules))
        self._checks = [(name, _function(name)) for name in rules.checks]
        self.needs_whole = bool(self._checks) or not all(WORD.fullmatch(word) for word in rules.deny)
        """Whether a text can be judged only when all of it is there."""
        self.is_empty = not (self._rules or self._checks or self._most)
        """Then only secrets that this process knows are masked."""

    def applied(self, text: str) -> tuple[str, list[Finding]]:
        """The text as it may go on, and what was found. After a finding `refused` it must not go on."""
        known = plain.scrub(text)
        findings = [] if known == text else [Finding("secret", "redacted")]
        text = known
        if self.is_too_long(len(text)):
            findings.append(Finding("too-long", "refused"))
        for rule in self._rules:
            text, count = rule.applied(text)
            if count:
                findings.append(Finding(rule.reason, rule.action, count))
        for name, check in self._checks:
            text = self._checked(name, check, text, findings)
        return text, findings

    def is_too_long(self, characters: int) -> bool:
        return self._most is not None and characters > self._most

    def _checked(self, name: str, check: Callable[[str], object], text: str, findings: list[Finding]) -> str:
        reason = f"check:{name.rpartition(':')[2]}"
        try:
            changed = check(text)
        except ValueError:
            findings.append(Finding(reason, "refused"))
            return text
        if changed is None or changed == text:
            return text
        if not isinstance(changed, str):
            raise SettingError(
                f"the guard's check {name!r} gave {type(changed).__name__}",
                fix="Give None (good), a changed text, or raise ValueError to refuse.",
                setting="guard",
            )
        findings.append(Finding(reason, "redacted"))
        return changed


def _patterns(rules: GuardRules) -> Iterator[_Rule]:
    built_in = (
        ("secret", rules.secrets, KEYS, bool, KEY_SIGNS),
        ("email", rules.email, _EMAIL, bool, ("@",)),
        ("card", rules.card, _CARD, is_card, ()),
    )
    for reason, policy, pattern, accepts, signs in built_in:
        if policy != "allow":
            yield _Rule(reason, _action(policy), pattern, accepts, signs)
    if rules.deny_policy != "allow":
        for word in rules.deny:
            yield _Rule("deny", _action(rules.deny_policy), _denied(word))


def _action(policy: str) -> Action:
    return "refused" if policy == "refuse" else "redacted"


def _denied(word: str) -> re.Pattern[str]:
    if not word.startswith("re:"):
        return re.compile(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", re.IGNORECASE)
    try:
        return re.compile(word.removeprefix("re:"))
    except re.error as error:
        raise SettingError(
            f"the guard's deny entry {word!r} is no regular expression ({error})", fix="Correct it.", setting="guard"
        ) from None


def _function(name: str) -> Callable[[str], object]:
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingError(
            f"the guard's check {name!r} cannot be loaded ({error})",
            fix="Write package.module:function.",
            setting="guard",
        ) from None
    check: Callable[[str], object] = found
    return check


def is_card(digits: str) -> bool:
    """Whether a number's last digit is its checksum, and its first one that of a card scheme.

    Source: ISO/IEC 7812-1, Luhn's formula (H. P. Luhn, US patent 2,950,048, 1960); 2 to 6 are banking and travel.
    """
    numbers = [int(digit) for digit in digits if digit.isascii() and digit.isdigit()]
    doubled = sum(sum(divmod(2 * number, 10)) for number in numbers[-2::-2])
    return 2 <= numbers[0] <= 6 and len(set(numbers)) > 1 and (sum(numbers[-1::-2]) + doubled) % 10 == 0
