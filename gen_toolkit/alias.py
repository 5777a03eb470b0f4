"""A model under a name of the workspace's own: what `model="fast"` means, as the settings say it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Price(BaseModel):
    """What a model costs, in USD per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)


Policy = Literal["allow", "redact", "refuse"]


class GuardRules(BaseModel):
    """What the guard of an alias does with what it finds in one direction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secrets: Policy = "allow"
    """Texts in the form of keys and tokens. Secrets that this process has read itself are always redacted."""
    email: Policy = "allow"
    card: Policy = "allow"
    """Numbers of payment cards, told by their checksum."""
    deny: list[str] = []
    """Words, or regular expressions as `re:…`, that are handled as `deny_policy` says."""
    deny_policy: Policy = "refuse"
    max_chars: int | None = Field(default=None, ge=1)
    """A longer text is refused."""
    checks: list[str] = []
    """Own functions, `package.module:function`: text → None (good) or a changed text; ValueError refuses."""


class Guard(BaseModel):
    """The guard of an alias: what may be sent, and what may come back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: GuardRules = GuardRules()
    output: GuardRules = GuardRules()


class Alias(BaseModel):
    """What an alias means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = "openai"
    """`openai` (anything that speaks its API), `azure`, `embedded`, `scripted`, or a plugin's name."""
    model: str | None = None
    """The model's name at the provider."""
    base_url: str | None = None
    api_key: str | None = None
    """A reference, `env:NAME` or `file:PATH`, never the key itself."""
    api_version: str | None = None
    """For `azure`: the version of its API."""
    headers: dict[str, str] = {}
    """Sent with every request; a value may be a reference, `env:NAME` or `file:PATH`."""
    options: dict[str, Any] = {}
    """Sent with every request unless the call says otherwise."""
    transport: Literal["fast", "sdk"] = "fast"
    """How requests travel: our own thin client, or the `openai` package's."""
    structured: Literal["schema", "json", "prompt"] = "schema"
    """How the server is held to a declared output: by the schema, by JSON mode, or by the prompt alone."""
    reask: bool = False
    """Whether an answer that does not fit the declared output is asked for once more."""
    deadline_s: float = Field(default=60.0, gt=0)
    """Total seconds for a call: all attempts and the waits between them."""
    max_attempts: int = Field(default=4, ge=1)
    concurrency: int = Field(default=8, ge=1)
    """How many calls an evaluation keeps in flight."""
    price: Price | None = None
    """Overrides the price list; without either the cost is unknown."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    tokens_per_minute: float | None = Field(default=None, gt=0)
    fallbacks: list[str] = []
    """Aliases that are asked in turn when this one cannot answer; they must have the same `data` label."""
    data: str = ""
    """A label of your own for where texts may go (`internal`, `eu`, …)."""
    bodies: Literal["full", "hash"] = "full"
    """What the journal keeps of calls: requests and replies, or their hashes only (then nothing can be reused)."""
    guard: Guard = Guard()
    replies: str | None = None
    """For `scripted`: the file with its replies, relative to the workspace."""

    @property
    def references(self) -> list[str]:
        """To all its secrets: the key, and what stands in headers."""
        named = (self.api_key, *self.headers.values())
        return [value for value in named if value and value.startswith(("env:", "file:"))]

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError("write an address like http://localhost:8000/v1")
        return value

    @field_validator("api_key")
    @classmethod
    def _is_reference(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith(("env:", "file:")) and value.partition(":")[2]):
            raise ValueError("write env:NAME or file:PATH, never the key itself")
        return value
