"""The arithmetic of a limit: never more than it allows, nothing lost of what it allows, and what a 429 does to it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.models.limits.pace import (
    BLOCK,
    BURST,
    MARGIN,
    NOTHING,
    RECOVERY,
    SLOWED,
    SLOWEST,
    Units,
    recovering,
    schedule,
    spare,
    too_fast,
)

NOW = 1_000.0
FIVE_A_SECOND = Units(0.2, 0.0)

paces = st.builds(Units, st.sampled_from([0.0, 0.01, 0.2, 6.0]), st.sampled_from([0.0, 0.0001, 0.003]))
callers = st.lists(st.floats(1, 5_000), max_size=30)


@given(paces, callers, st.floats(-10, 10), st.floats(-10, 10))
def test_calls_are_let_go_in_their_order_and_a_block_is_short(
    pace: Units, calls: list[float], requests: float, tokens: float
) -> None:
    instants, _ = schedule(NOW, Units(NOW + requests, NOW + tokens), pace, calls)
    assert instants == sorted(instants)
    assert len(instants) >= bool(calls)
    assert all(at - instants[0] < BLOCK for at in instants)
    assert all(at >= max(NOW - BURST, NOW + requests, NOW + tokens) for at in instants[:1])


@given(st.lists(st.tuples(st.floats(0, 2), callers, st.booleans()), max_size=40), paces)
def test_in_no_window_go_more_calls_or_tokens_than_the_limit_and_half_a_second_of_it(
    asked: list[tuple[float, list[float], bool]], pace: Units
) -> None:
    """Several processes ask one after the other; some use at once what they may use without asking."""
    now, next_at = NOW, Units(NOW, NOW)
    went: list[tuple[float, float]] = []
    for seconds, calls, greedy in asked:
        now += seconds
        instants, next_at = schedule(now, next_at, pace, calls)
        went += [(max(at, now), call) for at, call in zip(instants, calls, strict=False)]
        if greedy and len(instants) == len(calls) and all(pace):
            credit, next_at = spare(now, next_at, pace)
            each = credit.tokens / max(1.0, credit.requests)
            went += [(now, each)] * int(credit.requests)
    went.sort()
    dearest = max((tokens for _, tokens in went), default=0.0)
    for (start, _), (end, _) in itertools.combinations(went, 2):
        inside = [tokens for at, tokens in went if start <= at <= end]
        if pace.requests:
            assert len(inside) <= (end - start + BURST) / pace.requests + 1.001
        if pace.tokens:
            assert sum(inside) <= (end - start + BURST) / pace.tokens + dearest * 1.001


def test_while_calls_wait_no_capacity_is_lost_however_it_is_leased() -> None:
    now, next_at, went = NOW, Units(NOW, NOW), list[float]()
    while len(went) < 100:
        instants, next_at = schedule(now, next_at, FIVE_A_SECOND, [0.0] * 7)
        went += instants
        now = instants[-1] + 0.03  # the next lease is always asked for a little late
    assert went == pytest.approx([NOW + 0.2 * number for number in range(len(went))])


def test_what_was_not_used_is_kept_for_half_a_second_and_no_longer() -> None:
    instants, _ = schedule(NOW, Units(NOW - 60, 0), FIVE_A_SECOND, [0.0] * 5)
    assert [at <= NOW for at in instants] == [True, True, True]
    instants, _ = schedule(NOW, Units(NOW - 60, 0), Units(6.0, 0.0), [0.0] * 5)
    assert len(instants) == 1


def test_a_call_waits_for_the_limit_that_is_shorter() -> None:
    instants, next_at = schedule(NOW, Units(NOW, NOW + 3), Units(0.2, 0.001), [100.0, 100.0])
    assert instants == pytest.approx([NOW + 3, NOW + 3.2])
    assert next_at == pytest.approx((NOW + 3.4, NOW + 3.3))


def test_requests_that_tokens_held_back_do_not_go_all_at_once_afterwards() -> None:
    instants, _ = schedule(NOW, Units(NOW, NOW + 10), Units(0.2, 0.000001), [1.0] * 10)
    assert [b - a for a, b in itertools.pairwise(instants)] == pytest.approx([0.2] * (len(instants) - 1))


def test_nothing_is_left_over_where_calls_wait() -> None:
    assert spare(NOW, Units(NOW + 0.1, 0.0), FIVE_A_SECOND) == (NOTHING, Units(NOW + 0.1, 0.0))


def test_of_what_is_left_over_the_next_who_asks_finds_half() -> None:
    pace = Units(0.001, 0.0)
    first, next_at = spare(NOW, Units(NOW - 60, 0.0), pace)
    second, _ = spare(NOW, next_at, pace)
    assert first.requests == pytest.approx(250, abs=1)
    assert second.requests == pytest.approx(125, abs=1)


def test_an_alias_without_limits_may_do_as_much_as_it_likes() -> None:
    assert spare(NOW, NOTHING, NOTHING)[0] == (float("inf"), float("inf"))
    instants, _ = schedule(NOW, NOTHING, NOTHING, [5_000.0] * 50)
    assert all(at <= NOW for at in instants)
    assert len(instants) == 50


def test_after_a_429_the_rate_is_a_share_of_the_one_at_which_it_came_and_comes_back() -> None:
    assert recovering(0.2, 0.0) == pytest.approx(0.2 / SLOWED)
    assert recovering(0.2, RECOVERY) == pytest.approx(0.2)
    assert recovering(0.2, 3 * RECOVERY) < 0.1
    assert recovering(0.2, 5 * RECOVERY) == 0.0  # nothing holds any more
    assert recovering(0.0, 1.0) == 0.0


@given(st.floats(0.001, 10), st.floats(0, 80), st.floats(0, 80))
def test_the_rate_never_falls_without_another_429(pace: float, one: float, other: float) -> None:
    earlier, later = sorted([one, other])
    assert recovering(pace, later) <= recovering(pace, earlier)


def test_the_rate_at_which_a_429_came_is_that_of_the_schedule_only_where_calls_waited_for_it() -> None:
    assert too_fast(NOW, NOW + 1, 0.01, sent=3) == pytest.approx(0.01 / MARGIN)
    assert too_fast(NOW, NOW - 1, 0.01, sent=20) == pytest.approx(1 / 20 / MARGIN)
    assert too_fast(NOW, NOW, 0.0, sent=100) == pytest.approx(1 / 100 / MARGIN)  # there was no limit
    assert too_fast(NOW, NOW, 0.0, sent=0) == pytest.approx(1 / MARGIN)


def test_however_often_a_server_refuses_it_is_asked_now_and_then() -> None:
    pace = 0.01
    for _ in range(100):
        pace = too_fast(NOW, NOW + 1, recovering(pace, 0.0), sent=1)
    assert pace == SLOWEST
