"""What an evaluation will take, before it begins: calls, tokens, money, time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from gen_toolkit import display, scope
from gen_toolkit.amount import Amount
from gen_toolkit.changed import changed
from gen_toolkit.datasets.dataset import Dataset, Row
from gen_toolkit.errors import PromptError
from gen_toolkit.evals.task import Task
from gen_toolkit.journal.call import new_call
from gen_toolkit.journal.pace import Pace, answered_keys, pace
from gen_toolkit.journal.store import open_journal
from gen_toolkit.messages.request import Request
from gen_toolkit.models.chat import rendered_request
from gen_toolkit.models.limits.tokens import estimate
from gen_toolkit.models.price import worst_case
from gen_toolkit.settings import load_settings

_CERTAIN = 4  # no text of people has a quarter of the tokens that its length says
_NOTHING = Amount(Decimal(0), 0)
_LOOKED_AT = 200  # rows of a long dataset, spread over it; what they say is scaled up: a look takes 0.1 ms a row


@dataclass(frozen=True)
class Forecast:
    """Of the prompts' own calls. What functions and judges ask, and what is asked twice, nobody can tell beforehand."""

    calls: int
    """Calls to make; answers that the journal has are left out."""
    known: int
    input_tokens: int
    """By length, four bytes a token."""
    output_tokens: int | None
    """By the alias's answers so far; None before the first."""
    usd: Decimal | None
    seconds: float | None
    """By the alias's answers so far and its limits; None where there is neither."""
    is_scaled: bool = False
    """Whether some of the rows stand for all."""
    certain: Amount = _NOTHING
    """What the calls take at the very least: their input at sixteen bytes a token, and no answer."""

    def is_over(self, limit: Amount) -> bool:
        """Whether it is expected to take more than that; what is unknown is not counted."""
        over_usd = limit.usd is not None and self.usd is not None and self.usd > limit.usd
        tokens = self.input_tokens + (self.output_tokens or 0)
        return over_usd or (limit.tokens is not None and tokens > limit.tokens)

    def __add__(self, other: Forecast) -> Forecast:
        """One after the other."""
        return Forecast(
            self.calls + other.calls,
            self.known + other.known,
            self.input_tokens + other.input_tokens,
            _both(self.output_tokens, other.output_tokens),
            None if self.usd is None or other.usd is None else self.usd + other.usd,
            None if self.seconds is None or other.seconds is None else self.seconds + other.seconds,
            self.is_scaled or other.is_scaled,
            Amount(_both(self.certain.usd, other.certain.usd), _both(self.certain.tokens, other.certain.tokens)),
        )

    def exceeds(self, limit: Amount) -> bool:
        """Whether even what is certain does not fit."""
        over_usd = limit.usd is not None and self.certain.usd is not None and self.certain.usd > limit.usd
        return over_usd or (limit.tokens is not None and (self.certain.tokens or 0) > limit.tokens)

    def __str__(self) -> str:
        about = "about " if self.is_scaled else ""
        known = f"{about}{self.known:,} answers are known"
        if not self.calls:
            return f"no call to make: {known}"
        output = "an unknown number" if self.output_tokens is None else f"{self.output_tokens:,}"
        price = "unknown price" if self.usd is None else f"about {display.money(self.usd)}"
        took = "unknown time" if self.seconds is None else f"about {display.seconds(self.seconds)}"
        said = f"{about}{self.calls:,} call{'s' * (self.calls != 1)} to make"
        said += f" ({known})" if self.known else ""
        return f"{said}: about {self.input_tokens:,} tokens in and {output} out, {price}, {took}"


def forecast(tasks: Sequence[Task], data: Dataset, repeats: int = 1) -> Forecast | None:
    """For all tasks one after the other; None where none of them is a prompt."""
    found = [_of_task(task, data, repeats) for task in tasks if task.prompt is not None]
    return sum(found[1:], found[0]) if found else None


def _of_task(task: Task, data: Dataset, repeats: int) -> Forecast:
    step = max(1, len(data) // _LOOKED_AT)
    looked = [data[index] for index in range(0, len(data), step)]
    asked, known = _asked(task, looked, repeats)
    scale = len(data) / len(looked)
    calls, answered = round(len(asked) * scale), round(known * scale)
    if not calls:
        return Forecast(0, answered, 0, 0, Decimal(0), 0.0, step > 1)
    tokens = round(sum(estimate(changed(request, options={}), 0.0) for request in asked) * scale)
    seen = pace(open_journal().database, task.model)
    output = None if seen is None or seen.output_tokens is None else round(seen.output_tokens * calls)
    usd = _money(task, asked[0].model, calls, tokens, output)
    seconds = _seconds(task, seen, calls, tokens + (output or 0))
    least = worst_case(task.door.settings, asked[0].model, tokens // calls // _CERTAIN, 0) if task.door else None
    certain = Amount(None if least is None else least * calls, tokens // _CERTAIN)
    return Forecast(calls, answered, tokens, output, usd, seconds, step > 1, certain)


def _asked(task: Task, rows: Sequence[Row], repeats: int) -> tuple[list[Request], int]:
    """(requests that are still to be asked, how many are not)."""
    assert task.door is not None, "a prompt is asked through a door"
    requests: list[tuple[Request, str]] = []
    for row in rows:
        try:
            rendered = task.rendered(row)
        except PromptError:
            continue  # it will fail, and be shown, at its row
        request = task.door.addressed(
            rendered_request(rendered, choosing=task.choose is not None, options=task.options)
        )
        for repeat in range(repeats):
            with scope.inside(row=scope.Row(row.id, repeat)):
                requests.append((request, new_call(request).key))
    mode = scope.call_mode(load_settings().settings.calls)
    if mode == "replay":
        return [], len(requests)
    known = set() if mode == "live" else answered_keys(open_journal().database, [key for _, key in requests])
    asked = [request for request, key in requests if key not in known]
    return asked, len(requests) - len(asked)


def _money(task: Task, model: str, calls: int, tokens: int, output: int | None) -> Decimal | None:
    """By the mean call: some prices rise with the length of the input."""
    assert task.door is not None, "a prompt is asked through a door"
    mean = worst_case(task.door.settings, model, tokens // calls + 1, (output or 0) // calls + 1)
    return None if mean is None or (output is None and mean) else mean * calls


def _seconds(task: Task, seen: Pace | None, calls: int, tokens: int) -> float | None:
    assert task.door is not None, "a prompt is asked through a door"
    alias = task.door.settings
    times = [] if seen is None else [seen.seconds * calls / task.concurrency]
    if alias.requests_per_minute:
        times.append(60 * calls / alias.requests_per_minute)
    if alias.tokens_per_minute:
        times.append(60 * tokens / alias.tokens_per_minute)
    return max(times, default=None)


_Number = TypeVar("_Number", int, Decimal)


def _both(one: _Number | None, other: _Number | None) -> _Number | None:
    return None if one is None or other is None else one + other
