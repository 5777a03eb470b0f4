"""A channel of alerts, as the settings say it: what is called when something happens, and for which events."""

from __future__ import annotations

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Occasion = Literal["failure", "recovery", "slow", "over-budget", "missed"]
"""What alerts are sent for."""

ALL: tuple[Occasion, ...] = ("failure", "recovery", "slow", "over-budget", "missed")
_REFERENCE = re.compile(r"(?:env|file):\S+")


class Channel(BaseModel):
    """Where alerts go: an address or a program. Secrets stand as references, `env:NAME` or `file:PATH`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: str | None = None
    """An address that takes JSON by POST, or a reference to one."""
    headers: dict[str, str] = {}
    """Of the webhook; a word of a value may be a reference: `"Bearer env:TOKEN"`."""
    command: tuple[str, ...] = ()
    """Instead of a webhook: a program and its arguments; it gets the JSON on its standard input, no shell."""
    on: tuple[Occasion, ...] = ALL
    slow_s: float | None = Field(default=None, gt=0)
    """A run that succeeded is slow over so many seconds."""
    slow_factor: float | None = Field(default=None, gt=1)
    """A run that succeeded is slow over so many times the median of those before it (at least 5)."""
    timeout_s: float = Field(default=10, gt=0, le=300)
    """Of one delivery."""

    @field_validator("webhook")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None or _REFERENCE.fullmatch(value):
            return value
        refuse_bad_address(value)
        if urlsplit(value).password:
            raise ValueError("the address holds a password; write env:NAME where the whole address stands")
        return value

    @field_validator("headers")
    @classmethod
    def _fit_http(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not text.isprintable():
                raise ValueError(f"{name!r} cannot be a header")
        return value

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.webhook is None) == (not self.command):
            raise ValueError("a channel has either webhook or command")
        return self


def refuse_bad_address(address: str) -> None:
    """Raises ValueError for what is no http address. Says nothing of the address, which may be secret."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not address.isascii() or any(character.isspace() for character in address):
        raise ValueError("a webhook is an address like https://host/path, or env:NAME where one stands")
