"""How many requests a key may make."""

from __future__ import annotations

from streams.gateway.rates import Rates


def test_as_many_at_once_as_in_a_second_and_then_one_by_one() -> None:
    rates = Rates(4)
    assert [rates.wait_s("k", 100.0) for _ in range(4)] == [0, 0, 0, 0]
    assert rates.wait_s("k", 100.0) == 0.25
    assert rates.wait_s("k", 100.25) == 0
    assert rates.wait_s("k", 100.25) > 0


def test_keys_do_not_share() -> None:
    rates = Rates(1)
    assert rates.wait_s("a", 0.0) == 0
    assert rates.wait_s("b", 0.0) == 0
    assert rates.wait_s("a", 0.0) == 1


def test_what_is_not_used_does_not_heap_up() -> None:
    rates = Rates(2)
    rates.wait_s("k", 0.0)
    assert [rates.wait_s("k", 1_000.0) == 0 for _ in range(3)] == [True, True, False]
