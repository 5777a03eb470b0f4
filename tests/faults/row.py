"""A row of the table: what the provider does, what the user gets, and the faults that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from faults.server import Fault, Play


@dataclass(frozen=True)
class Row:
    """All faults of a row end alike, plain and streamed, through both transports."""

    does: str
    gets: str
    """The class of the error; "" is an answer. Two with " or " between: which of them, nobody can foretell."""
    faults: tuple[Fault, ...]
    note: str = ""
    """What else the user gets, for the docs."""
    again: bool = False
    billed: bool | None = None
    """True: on the bill, False: surely not, None: it may be, and is counted as such."""
    advice: str = ""
    """A piece of the error's `fix`."""
    reason: str = ""

    @property
    def ends(self) -> set[str]:
        return set(self.gets.split(" or "))

    @property
    def line(self) -> str:
        """The row in the docs."""
        got = " or ".join(f"`{end}`" if end else "the answer" for end in self.gets.split(" or "))
        got += f", `reason` is `{self.reason}`" if self.reason else ""
        got += f"{'; ' if self.reason else ', '}{self.note}" if self.note else ""
        again = "yes" if self.again else "no"
        bill = {True: "yes", False: "no", None: "may be"}[self.billed]
        return f"| {self.does} | {got} | {again} | {bill} |"


def same(name: str, play: Play, **more: Any) -> Fault:
    """A fault that looks the same whether a stream was asked for or not."""
    return Fault(name, play, play, **more)


def plain(name: str, play: Play, **more: Any) -> Fault:
    return Fault(name, play, **more)


def stream(name: str, play: Play, **more: Any) -> Fault:
    return Fault(name, (), play, **more)
