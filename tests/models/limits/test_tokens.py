"""What a call is expected to take of a limit on tokens."""

from __future__ import annotations

import pytest

from gen_toolkit.messages.request import Request
from gen_toolkit.messages.tool import Tool
from gen_toolkit.models.limits.sent import Sent
from gen_toolkit.models.limits.tokens import estimate

ASKED = ({"role": "user", "content": "x" * 400},)


def test_the_input_counts_by_its_bytes() -> None:
    assert estimate(Request(ASKED), 0.0) == pytest.approx(101)
    assert estimate(Request(({"role": "user", "content": "ж" * 400},)), 0.0) == pytest.approx(201)
    assert estimate(Request((), inputs=("x" * 400, "y" * 400)), 50.0) == pytest.approx(200)
    assert estimate(Request(ASKED, tools=(Tool("look", "d" * 400, {}),)), 0.0) > 200


def test_a_picture_does_not_count_by_the_bytes_of_its_data() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    assert estimate(Request(({"role": "user", "content": [image]},)), 0.0) < 100


def test_halves_of_characters_can_be_counted() -> None:
    assert estimate(Request(({"role": "user", "content": "\ud800"},)), 0.0) > 0


@pytest.mark.parametrize("bound", [{"max_tokens": 50}, {"max_completion_tokens": 50}])
def test_the_output_counts_by_its_bound(bound: dict[str, int]) -> None:
    assert estimate(Request(ASKED, options=bound), 300.0) == pytest.approx(151)


def test_an_output_without_a_bound_counts_as_answers_of_this_alias_usually_do() -> None:
    assert estimate(Request(ASKED), 300.0) == pytest.approx(401)
    assert estimate(Request(ASKED, options={"max_tokens": None}), 300.0) == pytest.approx(401)
    assert estimate(Request(ASKED, choose=("a", "b")), 300.0) == pytest.approx(102)


def test_what_was_sent_is_known_for_the_last_two_seconds() -> None:
    sent = Sent()
    for number in range(30):
        sent.count(100 + number / 30)
    assert sent.most(100.99) == 30
    assert sent.most(101.5) == 30
    assert sent.most(104) == 0
