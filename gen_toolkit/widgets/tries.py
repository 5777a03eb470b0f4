"""A try: what was asked of which models, and what each of them has answered so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from gen_toolkit import display
from gen_toolkit.messages.reply import Reply
from gen_toolkit.widgets.draft import Draft
from gen_toolkit.widgets.fields import Fields

State = Literal["waiting", "writing", "done", "failed", "stopped"]


@dataclass(frozen=True)
class Answer:
    """One model's part of a try."""

    model: str
    state: State = "waiting"
    text: str = ""
    """What has come so far, also of an answer that failed or was stopped."""
    error: str = ""
    """Of one that failed: why, in one line."""
    reply: Reply | None = None
    seconds: float | None = None
    """From the click to the end; the reply's own seconds do not count waiting for a limit."""

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "stopped")

    @property
    def facts(self) -> str:
        """Seconds, tokens and cost; what is not known is left out, and of a cost said to be unknown."""
        reply = self.reply
        said = [display.seconds(self.seconds)]
        if reply is not None:
            if reply.first_token_seconds is not None:
                said.append(f"first text {display.seconds(reply.first_token_seconds)}")
            counts = (reply.usage.input_tokens, reply.usage.output_tokens)
            if counts != (None, None):
                said.append(f"{_count(counts[0])} → {_count(counts[1])} tokens")
            said.append(self.cost)
            if reply.source != "live":
                said.append("from the journal")
            if reply.finish_reason not in ("stop", None):
                said.append(f"ended by {reply.finish_reason}")
        return " · ".join(filter(None, said))

    @property
    def cost(self) -> str:
        """USD, or that it is not known; nothing where there is no reply."""
        if self.reply is None:
            return ""
        if self.reply.cost is None:
            return "cost unknown"
        return display.money(self.reply.cost, 6 if self.reply.cost else 0)


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


@dataclass(frozen=True)
class Try:
    """Everything that is needed to go back to it."""

    number: int
    draft: Draft
    fields: Fields
    position: int
    models: tuple[str, ...]
    streamed: bool
    answers: tuple[Answer, ...]
    at: float
    """Seconds since 1970."""

    @property
    def is_over(self) -> bool:
        return all(answer.is_over for answer in self.answers)

    def with_answer(self, number: int, answer: Answer) -> Try:
        return replace(self, answers=(*self.answers[:number], answer, *self.answers[number + 1 :]))

    def __str__(self) -> str:
        said = ", ".join(f"{answer.model} {_outcome(answer)}" for answer in self.answers)
        return f"try {self.number} · {time.strftime('%H:%M:%S', time.localtime(self.at))} · {said}"


def _outcome(answer: Answer) -> str:
    return f"{display.seconds(answer.seconds)} {answer.cost}" if answer.state == "done" else answer.state
