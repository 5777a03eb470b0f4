"""An event stream is read the same way, however its bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gen_toolkit.models.sse import Event, EventStream, EventTooLarge

FIELDS = (
    b"data: a|data:b|data:  two|data|data: {}|event: error|event|: ping|:|id: 7|retry: 5|odd|data: \xc3\xa9|data: a:b"
)
LINES = st.sampled_from([*FIELDS.split(b"|"), b"", b""])
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


def read(chunks: list[bytes]) -> list[Event]:
    stream = EventStream()
    return [event for chunk in chunks for event in stream.feed(chunk)]


@pytest.mark.parametrize(
    ("written", "events"),
    [
        (b"data: a\n\n", [Event(b"a")]),
        (b"data:a\r\n\r\n", [Event(b"a")]),
        (b"data: a\r\r", [Event(b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event(b"a")]),
        (b"data: a\ndata: b\n\n", [Event(b"a\nb")]),
        (b"data:  a\n\n", [Event(b" a")]),
        (b"data\n\n", [Event(b"")]),
        (b": ping\n\n: ping\n\ndata: a\n\n", [Event(b"a")]),
        (b"event: error\ndata: a\n\ndata: b\n\n", [Event(b"a", "error"), Event(b"b")]),
        (b"event: lonely\n\ndata: a\n\n", [Event(b"a")]),
        (b"id: 1\nretry: 5\nodd\ndata: a\n\n", [Event(b"a")]),
        (b"data: a\n\ndata: not closed\n", [Event(b"a")]),
        (b"data: a\n\ndata: not clo", [Event(b"a")]),
        (b"data: \xff\n\n", [Event(b"\xff")]),
        (b"", []),
    ],
)
def test_events_are_read_as_the_standard_says(written: bytes, events: list[Event]) -> None:
    assert read([written]) == events


@given(st.lists(st.tuples(LINES, ENDS)), st.data())
@example([(b"data: a", b"\r\n"), (b"", b"\r\n")], None)
def test_any_cutting_gives_the_same_events(lines: list[tuple[bytes, bytes]], data: st.DataObject | None) -> None:
    written = b"\xef\xbb\xbf" * (len(lines) % 2) + b"".join(line + end for line, end in lines)
    cuts = range(len(written)) if data is None else sorted(data.draw(st.sets(st.integers(0, len(written)))))
    edges = itertools.pairwise([0, *cuts, len(written)])
    assert read([written[start:end] for start, end in edges]) == read([written])


@given(st.binary())
def test_no_bytes_break_it(written: bytes) -> None:
    read([written])


@pytest.mark.parametrize("written", [b"data: " + b"x" * 99, b"data: x\n" * 40, b"data\n" * 99, b":" * 99])
def test_an_event_without_an_end_is_refused(written: bytes) -> None:
    with pytest.raises(EventTooLarge):
        EventStream(most=64).feed(written)


def test_comments_without_end_cost_nothing() -> None:
    stream = EventStream(most=64)
    assert [stream.feed(b": keep-alive") or stream.feed(b"\n") for _ in range(1000)] == [[]] * 1000
