"""What the runner makes of a kernel's messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gen_toolkit.jobs import kernel


def sent(session: Any, *parts: bytes) -> list[bytes]:
    """As it comes from the wire: signed, and cut at the delimiter."""
    return [session.sign(list(parts)), *parts]


PARTS = [json.dumps({"msg_id": "a", "msg_type": "status", "version": "5.4"}).encode(), b"{}", b"{}", b"{}"]


def test_a_message_is_read() -> None:
    session = kernel._Session(key=b"a key")
    assert session.deserialize(sent(session, *PARTS))["msg_type"] == "status"


@pytest.mark.parametrize(
    ("parts", "because"),
    [
        ([b"owned"] * 4, "JSONDecodeError"),
        ([b"3", *PARTS[1:]], "TypeError"),
        ([b"{}", *PARTS[1:]], "KeyError"),
    ],
)
def test_what_is_no_message_is_told_with_its_usual_cause(parts: list[bytes], because: str) -> None:
    session = kernel._Session(key=b"a key")
    with pytest.raises(kernel.UnreadableMessage, match=because + ".*a cell has changed what messages are written with"):
        session.deserialize(sent(session, *parts))


def test_a_message_that_comes_twice_is_none() -> None:
    """Messages that are all written alike are signed alike."""
    session = kernel._Session(key=b"a key")
    session.deserialize(sent(session, *PARTS))
    with pytest.raises(kernel.UnreadableMessage, match="Duplicate Signature"):
        session.deserialize(sent(session, *PARTS))
