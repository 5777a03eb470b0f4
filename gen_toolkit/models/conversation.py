"""gt.Conversation: questions that build on the answers before them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from gen_toolkit import display, text
from gen_toolkit.errors import InputError
from gen_toolkit.loop import on_loop, run_sync
from gen_toolkit.messages.history import History, Messages
from gen_toolkit.messages.output import Output
from gen_toolkit.messages.reply import NO_USAGE, Reply, Usage
from gen_toolkit.messages.request import PromptReference, Rendered, as_rendered, content_text
from gen_toolkit.messages.sum import cost_of
from gen_toolkit.messages.tool import Tool, ToolCall
from gen_toolkit.messages.tools import tools_of
from gen_toolkit.models.chat import question
from gen_toolkit.models.counted import count_calls
from gen_toolkit.models.gateway import Model
from gen_toolkit.models.options import plain
from gen_toolkit.models.provider import Pieces
from gen_toolkit.models.question import Question
from gen_toolkit.models.stream import Stream

Said = Rendered | str | Sequence[Mapping[str, Any]] | None


class Conversation:
    """Keeps what was said, and sends it along with the next question.

    `prompt` is what stands before the first turn: a text (the system's), a prompt or its rendering, or
    messages. `model`, `output`, `tools`, `reask` and `options` are as for `gt.chat`, and hold for every turn
    that does not say otherwise. A call that fails leaves the conversation as it was.

    >>> talk = gt.Conversation("You are brief.", model="fast")
    >>> talk.chat("Who was Ada?").text
    >>> len(talk), talk.cost
    """

    def __init__(
        self,
        prompt: Said | Callable[[], Rendered] = None,
        *,
        model: Model = None,
        output: Any = None,
        tools: Sequence[Any] = (),
        reask: bool | None = None,
        **options: Any,
    ) -> None:
        start = _start(prompt)
        self.model = model
        self.usage: Usage = NO_USAGE
        """Of every call so far: also of turns that were taken back, and of answers that did not fit."""
        self.cost: Decimal | None = Decimal(0)
        """USD, of the same; None as soon as one is unknown."""
        self._prompt: PromptReference | None = start.prompt
        self._output = Output.of(output) or start.output
        self._tools: tuple[Tool, ...] = tools_of(tools)
        self._reask = reask
        self._options = plain(options)
        self._history = History(start.messages)

    def chat(self, said: Said = None, *, output: Any = None, **options: Any) -> Reply:
        """Say something and wait for the answer. Arguments as for `gt.chat`; raises what it raises.

        `said` is a text, a list of parts (texts, images), or a rendered prompt; nothing where results of
        tools are to be answered, or a prompt that ends with a question.
        """
        return run_sync(self._answer(said, output, options))

    async def achat(self, said: Said = None, *, output: Any = None, **options: Any) -> Reply:
        """The same as `chat`, to be awaited."""
        return await on_loop(self._answer(said, output, options))

    def stream(self, said: Said = None, *, output: Any = None, **options: Any) -> Stream:
        """Say something and get the answer as it is written. The turn is kept when the stream is at its end."""
        before = self._history
        asked, it = self._question(before, said, output, options)

        async def pieces() -> Pieces:
            self._check_unchanged(before)  # it may be read much later
            with self._counted():
                async with contextlib.aclosing(it.pieces()) as answer:
                    async for piece in answer:
                        if piece.reply is not None:
                            self._take(before, asked, piece.reply)
                        yield piece

        return Stream(pieces)

    def result(self, call: ToolCall, value: Any) -> None:
        """What came of a call that the last reply asked for; sent along with the next question."""
        self._history = self._history.with_result(call, value)

    def undo(self) -> None:
        """Take back the results that were given since the last answer; where there are none, the last turn."""
        self._history = self._history.without_last()

    @property
    def messages(self) -> Messages:
        """All that was said, as messages."""
        return self._history.messages

    def __len__(self) -> int:
        """The number of answers."""
        return len(self._history.turns)

    def __bool__(self) -> bool:
        return True

    def to_json(self) -> dict[str, Any]:
        """The conversation as plain data; `from_json` takes it up again. A model's script is not part of it."""
        prompt = self._prompt
        return {
            "model": self.model if isinstance(self.model, str | None) else None,
            "prompt": None if prompt is None else {"name": prompt.name, "hash": prompt.hash, "version": prompt.version},
            "output": None if self._output is None else self._output.schema,
            "tools": [{"type": "function", "function": tool.to_json()} for tool in self._tools],
            "reask": self._reask,
            "options": self._options,
            "usage": self.usage.to_json(),
            "cost": None if self.cost is None else str(self.cost),
            **self._history.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, model: Model = None, output: Any = None) -> Conversation:
        """A conversation that goes on where another stood. `model` and `output` say what JSON cannot hold."""
        try:
            made = cls(
                model=model or data["model"],
                output=output or data["output"],
                tools=data["tools"],
                reask=data["reask"],
                **data["options"],
            )
            made._prompt = None if data["prompt"] is None else PromptReference(**data["prompt"])
            made._history = History.from_json(data)
            made.usage = Usage(**data["usage"])
            made.cost = None if data["cost"] is None else Decimal(data["cost"])
        except (KeyError, TypeError, ArithmeticError, AttributeError) as error:
            raise InputError(
                f"this is no conversation ({type(error).__name__}: {error})", fix="Give what to_json() gave."
            ) from None
        return made

    def __repr__(self) -> str:
        return f"Conversation({self._title()!r}, {self._note()})"

    def __str__(self) -> str:
        return str(Rendered(self.messages))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        said = "".join(f"<i>{text.html(m['role'])}</i>{display.html_text(content_text(m))}" for m in self.messages)
        plainly = "\n\n".join(filter(None, [f"{self._title()}: {self._note()}", str(self)]))
        return display.bundle(plainly, display.html_card(self._title(), self._note(), said))

    def _title(self) -> str:
        return str(self._prompt or "conversation")

    def _note(self) -> str:
        turns = f"{len(self)} turn{'s' * (len(self) != 1)}"
        return f"{turns} · {getattr(self.model, 'name', self.model) or 'default model'} · {display.money(self.cost)}"

    async def _answer(self, said: Said, output: Any, options: Mapping[str, Any]) -> Reply:
        before = self._history
        asked, it = self._question(before, said, output, options)
        with self._counted():
            reply = await it.answer()
        self._take(before, asked, reply)
        return reply

    def _question(
        self, before: History, said: Said, output: Any, options: Mapping[str, Any]
    ) -> tuple[Messages, Question]:
        new = _said(said)
        asked = before.asked(new.messages)
        whole = Rendered((*before.messages, *new.messages), new.prompt or self._prompt, new.output or self._output)
        return asked, question(whole, self.model, output, self._tools, {**self._options, **options}, self._reask)

    def _check_unchanged(self, before: History) -> None:
        if self._history is not before:
            raise InputError(
                "the conversation has gone on since this was asked, and does not hold it",
                fix="One turn at a time; for several at once make several conversations.",
            )

    def _take(self, before: History, asked: Messages, reply: Reply) -> None:
        self._check_unchanged(before)
        self._history = before.with_turn(asked, reply.message)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        replies: list[Reply] = []
        try:
            with count_calls(replies):
                yield
        finally:
            spent = cost_of(replies)
            self.usage = sum((reply.usage for reply in replies), self.usage)
            self.cost = None if self.cost is None or spent is None else self.cost + spent


def _start(prompt: Any) -> Rendered:
    if prompt is None:
        return Rendered(())
    if isinstance(prompt, str):
        return Rendered(({"role": "system", "content": prompt},))
    return as_rendered(prompt() if callable(prompt) else prompt)


def _said(said: Said) -> Rendered:
    """What is new in a turn; a list without roles is one message in parts."""
    if said is None:
        return Rendered(())
    given: Any = said  # whatever the annotation says
    if isinstance(given, list | tuple) and given and all(isinstance(p, Mapping) and "role" not in p for p in given):
        return as_rendered([{"role": "user", "content": list(given)}])
    return as_rendered(given)
