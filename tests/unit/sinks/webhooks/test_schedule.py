"""Pauses double up to a longest one, are cut by chance to no less than half, and end."""

from __future__ import annotations

import pytest

from sinks.webhooks.schedule import Schedule

S = 1_000_000
SIX = Schedule(tries=6, first=5 * S, longest=30 * S)


def test_pauses_double_up_to_the_longest_and_end_with_the_last_try() -> None:
    assert [SIX.pause(tried, 0) for tried in range(1, 7)] == [5 * S, 10 * S, 20 * S, 30 * S, 30 * S, None]


@pytest.mark.parametrize(("chance", "cut"), [(0.0, 10 * S), (0.5, 7_500_000), (0.999999, 5_000_005)])
def test_chance_cuts_a_pause_to_no_less_than_half(chance: float, cut: int) -> None:
    assert SIX.pause(2, chance) == cut


def test_a_receiver_may_ask_for_more_up_to_the_longest() -> None:
    assert SIX.pause(1, 0, wanted=12 * S) == 12 * S
    assert SIX.pause(1, 0, wanted=1 * S) == 5 * S
    assert SIX.pause(1, 0, wanted=3600 * S) == 30 * S
    assert SIX.pause(6, 0, wanted=12 * S) is None


def test_one_try_is_no_pause_and_many_do_not_overflow() -> None:
    assert Schedule(1, S, S).pause(1, 0) is None
    assert Schedule(1000, S, 86_400 * S).pause(999, 0) == 86_400 * S
