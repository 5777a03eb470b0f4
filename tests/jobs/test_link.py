"""The runner's line to the reaper: what belongs together goes in one piece, in the order in which it was said."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from gen_toolkit.jobs.lines import Lines
from gen_toolkit.jobs.link import Link


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Link, socket.socket]]:
    """A link that does not listen: it would end this process with the other end."""
    monkeypatch.setattr(Link, "_listen", lambda _: None)
    theirs, ours = socket.socketpair()
    link = Link(ours.detach())
    yield link, theirs
    link._socket.close()
    theirs.close()


def test_what_can_wait_goes_before_what_is_said_next(pair: tuple[Link, socket.socket]) -> None:
    link, theirs = pair
    heard = Lines(theirs.fileno())
    link.say_next(event="ran", cell=1)
    assert heard.read() == []
    link.say(event="cell", cell=2)
    assert heard.read() == [{"event": "ran", "cell": 1}, {"event": "cell", "cell": 2}]
    link.say(event="done")
    assert heard.read() == [{"event": "done"}]


def test_nothing_that_was_said_is_lost_where_nothing_follows(pair: tuple[Link, socket.socket]) -> None:
    link, theirs = pair
    heard = Lines(theirs.fileno())
    link.say_next(event="ran", cell=1)
    link.flush()
    assert heard.read() == [{"event": "ran", "cell": 1}]
