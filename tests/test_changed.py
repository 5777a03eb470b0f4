"""Copies of frozen data with some of it changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import pytest

from gen_toolkit.changed import changed
from gen_toolkit.messages.reply import Reply, Usage


@dataclass(frozen=True)
class Named:
    name: str
    more: int = 0

    @cached_property
    def length(self) -> int:
        return len(self.name)


def test_it_is_what_replace_would_make() -> None:
    reply = Reply(text="yes", usage=Usage(1, 2), seconds=0.5)
    assert changed(reply, cost=Decimal(1), id="7") == replace(reply, cost=Decimal(1), id="7")
    assert reply == Reply(text="yes", usage=Usage(1, 2), seconds=0.5)


def test_what_was_worked_out_is_worked_out_again() -> None:
    named = Named("four")
    assert named.length == 4
    assert changed(named, name="seventeen").length == 9
    assert named.length == 4


def test_a_field_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(TypeError, match="Named has no field nmae"):
        changed(Named("a"), nmae="b")
