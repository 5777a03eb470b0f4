"""What a model answered, and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from gen_toolkit import display, text
from gen_toolkit.messages.tool import ToolCall
from gen_toolkit.messages.vectors import pack, unpack

Source = Literal["live", "reuse", "replay"]


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more calls. `None` means the server did not say; + adds, and None stays None."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
            _sum(self.reasoning_tokens, other.reasoning_tokens),
        )

    def to_json(self) -> dict[str, int | None]:
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_tokens": self.cached_tokens,
            "reasoning_tokens": self.reasoning_tokens,
        }


def _sum(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


NO_USAGE = Usage(0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A model's answer. `value` is the text, or what the declared output made of it.

    Where an output was declared and the model wants tools called instead, `value` is None. Of several calls
    made for one answer (asked again, embedded in parts) usage, cost, seconds and attempts are the sums.
    """

    id: str = ""
    """The call's id in the journal."""
    model: str = ""
    """The alias that answered."""
    value: Any = None
    text: str = ""
    finish_reason: str | None = None
    """`stop`, `length`, …; None: the server did not say, so the answer may be incomplete."""
    usage: Usage = Usage()
    cost: Decimal | None = None
    """USD; None: unknown, which is not 0."""
    seconds: float = 0.0
    first_token_seconds: float | None = None
    """Of a stream: from the start of the attempt that answered to its first text."""
    between_seconds: float | None = None
    """Of a stream: the mean time between its pieces; None where there are not two."""
    attempts: int = 1
    unanswered: int = 0
    """Attempts before it that brought no answer and may be on the bill all the same."""
    source: Source = "live"
    """`live`: called now; `reuse`, `replay`: taken from the journal."""
    probabilities: Mapping[str, float] | None = None
    """For `choose`: each label's share of the probability."""
    tool_calls: tuple[ToolCall, ...] = ()
    """What the model wants called; nothing is ever run here."""
    repairs: tuple[str, ...] = ()
    """What had to be mended before the text was the declared output: `fences`, `trailing comma`, …"""
    vectors: tuple[tuple[float, ...], ...] | None = None
    """Of `embed`: one vector a text."""
    pieces: tuple[int, ...] = ()
    """Of a stream: the length of each piece of the text, in characters."""

    @property
    def message(self) -> dict[str, Any]:
        """This reply as the next message of a conversation."""
        said: dict[str, Any] = {"role": "assistant", "content": self.text or None if self.tool_calls else self.text}
        if self.tool_calls:
            said["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.written}}
                for call in self.tool_calls
            ]
        return said

    def to_json(self) -> dict[str, Any]:
        """What the journal stores: all that is needed to give the same answer again."""
        stored: dict[str, Any] = {
            "text": self.text,
            "finish_reason": self.finish_reason,
            "usage": self.usage.to_json(),
            "cost": None if self.cost is None else str(self.cost),
            "seconds": round(self.seconds, 6),
        }
        if self.probabilities is not None:
            stored["probabilities"] = dict(self.probabilities)
        if self.first_token_seconds is not None:
            stored["first_token_seconds"] = round(self.first_token_seconds, 6)
        if self.between_seconds is not None:
            stored["between_seconds"] = round(self.between_seconds, 6)
        if self.tool_calls:
            stored["tool_calls"] = [call.to_json() for call in self.tool_calls]
        if self.vectors is not None:
            stored["vectors"] = pack(self.vectors)
        if self.pieces:
            stored["pieces"] = list(self.pieces)
        return stored

    @classmethod
    def from_json(cls, data: Mapping[str, Any], **more: Any) -> Reply:
        cost = data.get("cost")
        vectors = unpack(data["vectors"]) if "vectors" in data else None
        return cls(
            text=data["text"],
            value=data["text"] if vectors is None else vectors,
            vectors=vectors,
            first_token_seconds=data.get("first_token_seconds"),
            between_seconds=data.get("between_seconds"),
            tool_calls=tuple(ToolCall(**call) for call in data.get("tool_calls", ())),
            pieces=tuple(data.get("pieces", ())),
            finish_reason=data.get("finish_reason"),
            usage=Usage(**data.get("usage", {})),
            cost=None if cost is None else Decimal(cost),
            seconds=data.get("seconds", 0.0),
            probabilities=data.get("probabilities"),
            **more,
        )

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = self._shown()
        facts: dict[str, object] = {
            "model": self.model,
            "finish reason": self.finish_reason or "not given",
            "input tokens": self.usage.input_tokens,
            "output tokens": self.usage.output_tokens,
            "cost": display.money(self.cost, 6),
            "seconds": display.seconds(self.seconds),
            "attempts": self.attempts,
            "source": self.source,
        }
        if self.probabilities is not None:
            facts["probabilities"] = ", ".join(f"{k} {v:.3f}" for k, v in self.probabilities.items())
        if self.first_token_seconds is not None:
            facts["first token"] = display.seconds(self.first_token_seconds)
        if self.between_seconds is not None:
            facts["between pieces"] = display.seconds(self.between_seconds)
        if self.repairs:
            facts["repaired"] = ", ".join(self.repairs)
        details = display.html_table(["", ""], facts.items())
        return display.bundle(
            shown, display.html_text(shown) + f"<details><summary>{text.html(self.model)}</summary>{details}</details>"
        )

    def _shown(self) -> str:
        """The answer itself: a text, a value, calls of tools, or how many vectors."""
        if self.vectors is not None:
            return f"{len(self.vectors)} vectors of {len(self.vectors[0]) if self.vectors else 0} numbers"
        if self.tool_calls:
            calls = [f"{call.name}({call.written})" for call in self.tool_calls]
            return "\n".join([self.text, *calls] if self.text else calls)
        return self.text if isinstance(self.value, str) and self.value == self.text else repr(self.value)
