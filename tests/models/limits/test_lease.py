"""What processes agree on: who may go when, and that a server's word counts for all of them."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from gen_toolkit.database.engine import open_database
from gen_toolkit.database.limits import Meter, read, write
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import limits
from gen_toolkit.models.limits.lease import LONGEST, Ask, Lease, Limit, Meters, NotNow, lease, pause, settle
from gen_toolkit.models.limits.pace import MARGIN, SLOWED, Units

NOW = 1_000_000.0
FREE = Limit("fast", "fast 1", Units(0.0, 0.0))
LIMITED = Limit("fast", "fast 1", Units(0.2, 0.001))


def meters(requests: Meter | None = None) -> Meters:
    return Meters(requests or Meter(NOW), Meter(NOW))


def refused(after: float, *, epoch: float = 0.0, limit: Limit = LIMITED, slower: bool = True) -> NotNow:
    return NotNow(limit, epoch, after, slower, sent=1)


def test_processes_that_ask_in_turn_are_served_in_turn() -> None:
    first, one = lease(NOW, meters(), Ask(LIMITED, (1.0,) * 50))
    _, other = lease(NOW, first, Ask(LIMITED, (1.0,) * 50))
    assert one.delays == pytest.approx((0.0, 0.2, 0.4))
    assert other.delays == pytest.approx((0.6, 0.8, 1.0))


def test_what_comes_back_is_given_to_the_next() -> None:
    after, _ = lease(NOW, meters(), Ask(LIMITED, (4_000.0,)))
    _, waits = lease(NOW, after, Ask(LIMITED, (1.0,)))
    _, goes = lease(NOW, after, Ask(LIMITED, (1.0,), Units(0.0, 3_990.0)))
    assert waits.delays == pytest.approx((4.0,))
    assert goes.delays == pytest.approx((0.2,))


def test_what_was_used_beyond_its_lease_holds_the_next_up() -> None:
    _, waits = lease(NOW, meters(), Ask(LIMITED, (1.0,), Units(0.0, -7_000.0)))
    assert waits.delays == pytest.approx((7.0,))


def test_in_a_pause_nothing_is_leased_and_the_schedule_goes_on_at_its_end() -> None:
    paused = meters(pause(NOW, Meter(NOW), refused(2.0)))
    _, early = lease(NOW + 1, paused, Ask(LIMITED, (1.0,)))
    _, late = lease(NOW + 1.95, paused, Ask(LIMITED, (1.0,)))
    assert early == Lease(NOW + 2, 1.0)
    assert late.delays == pytest.approx((0.05,))
    assert late.credit == (0.0, 0.0)


def test_a_429_slows_the_schedule_once_for_all_that_were_under_way() -> None:
    once = pause(NOW, Meter(NOW + 1), refused(1.0))
    again = pause(NOW + 0.01, once, refused(1.0))
    assert once == again == Meter(NOW + 1, 0.2 / MARGIN, NOW + 1)
    after, given = lease(NOW + 1, meters(once), Ask(LIMITED, (1.0, 1.0)))
    assert given.delays == pytest.approx((0.0, 0.2 / MARGIN / SLOWED), abs=0.02)
    assert pause(NOW + 2, after.requests, refused(1.0, epoch=given.epoch)).pace > 0.25


def test_a_longer_pause_counts_also_for_those_who_knew_of_a_shorter_one() -> None:
    once = pause(NOW, Meter(NOW), refused(1.0))
    longer = pause(NOW, once, refused(30.0))
    assert longer.paused_until == longer.next_at == NOW + 30
    assert longer.pace == once.pace
    assert pause(NOW, longer, refused(1.0)) == longer


def test_a_pause_without_429_slows_nothing() -> None:
    assert pause(NOW, Meter(NOW), refused(1.0, slower=False)) == Meter(NOW + 1, 0.0, NOW + 1)


def test_an_alias_without_limits_gets_one_from_a_429_and_loses_it_again() -> None:
    flood = NotNow(FREE, 0.0, 1.0, slower=True, sent=50)
    slowed = pause(NOW, Meter(NOW), flood)
    _, given = lease(NOW + 1, meters(slowed), Ask(FREE, (0.0, 0.0)))
    assert given.delays == pytest.approx((0.0, 1 / 50 / SLOWED), abs=0.02)
    _, later = lease(NOW + 200, meters(slowed), Ask(FREE, (0.0, 0.0)))
    assert later.credit.requests == float("inf")


def test_a_limit_that_was_taken_out_of_the_settings_holds_nobody_up() -> None:
    left = Meters(Meter(NOW + 50), Meter(NOW + 50))
    after, given = lease(NOW, left, Ask(FREE, (9.0,)))
    assert given.delays[0] <= 0
    assert given.credit.requests == float("inf")
    assert after == left


def test_a_server_s_word_is_taken_for_an_hour() -> None:
    assert pause(NOW, Meter(NOW), refused(1e9)).paused_until == NOW + LONGEST


def test_a_hard_limit_that_nobody_configured_is_found_and_kept_to() -> None:
    """5 a second in a sliding window: after the first seconds few are refused, and little of the limit is lost."""
    now, state, waiting = NOW, meters(), deque[tuple[float, float]]()
    answered: list[float] = []
    refusals: list[float] = []
    state = state._replace(requests=pause(now, state.requests, NotNow(FREE, 0.0, 1.0, slower=True, sent=100)))
    while now < NOW + 320:
        if not waiting:
            state, given = lease(now, state, Ask(FREE, (0.0,) * 100))
            waiting.extend((now + delay, given.epoch) for delay in given.delays)
            now += given.paused if not waiting else 0.0
            continue
        at, epoch = waiting.popleft()
        now = max(now, at)
        if len([then for then in answered[-5:] if then > now - 1]) < 5:
            answered.append(now)
        else:
            refusals.append(now)
            waiting.clear()
            state = state._replace(requests=pause(now, state.requests, NotNow(FREE, epoch, 1.0, slower=True, sent=1)))
    settled = [at for at in answered if at > NOW + 20]
    assert len(refusals) < 30
    assert len([at for at in refusals if at > NOW + 20]) < 15
    assert len(settled) > 0.87 * 5 * 300


def test_rows_are_made_where_there_is_a_limit_and_for_a_server_s_word(either_database: str) -> None:
    database = open_database()

    def keys() -> set[str]:
        with database.read() as connection:
            return set(connection.execute(select(limits.c.key)).scalars())

    with database.write() as connection:
        settle(connection, [Ask(FREE, (5.0,))])
    assert keys() == set()
    with database.write() as connection:
        settle(connection, [refused(1.0, limit=FREE)])
    assert keys() == {"fast 1 requests"}
    with database.write() as connection:
        settle(connection, [Ask(LIMITED, (5.0,))])
    assert keys() == {"fast 1 requests", "fast 1 tokens"}


def test_what_is_asked_after_a_server_s_word_is_answered_after_it(either_database: str) -> None:
    with open_database().write() as connection:
        before, said, after = settle(connection, [Ask(FREE, (0.0,)), refused(9.0, limit=FREE), Ask(FREE, (0.0,))])
    assert before is not None
    assert after is not None
    assert (len(before.delays), before.paused) == (1, 0.0)
    assert said is None
    assert after.delays == ()
    assert after.paused == pytest.approx(9.0)


def test_a_clock_that_was_set_back_stops_nobody(either_database: str) -> None:
    database = open_database()
    with database.write() as connection:
        now, rows = read(connection, ["fast 1 requests"], ["fast 1 requests"])
        ahead = replace(rows["fast 1 requests"], next_at=now + 86_400, paused_until=now + 86_400)
        write(connection, {"fast 1 requests": ahead})
        (given,) = settle(connection, [Ask(LIMITED, (1.0,))])
    assert given is not None
    assert given.delays == pytest.approx((0.0,), abs=0.01)
    assert given.paused == 0.0
