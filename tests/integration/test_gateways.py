"""Several gateways share the accounts: whoever is asked answers for all, and an owner that dies is replaced."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration import ledger
from tests.integration.asking import Client
from tests.integration.test_reservations import ACCOUNT, CHAT, client, commit, published, reserve

__all__ = ["client"]
REPLACED_S = 60


@pytest.fixture
def both(client: Client) -> tuple[Client, Client]:
    """Two gateways; the first one had every partition before the second came."""
    second = Client(client.fleet, "second", client.key)
    second.start(AZOTTE_GATEWAY_TIMEOUT="1m")
    shared = {(200, 503), (503, 200)}
    ledger.until(lambda: set(owners((client, second)).values()) == shared, 60, "its part", client.fleet.logs)
    return client, second


def owners(both: tuple[Client, Client]) -> dict[str, tuple[int, ...]]:
    """What each says of some accounts when it may not send on: 200 of its own, 503 of the other's."""
    return {
        account: tuple(
            each.ask("GET", CHAT.replace("cust-1", account), **{"X-Azotte-Forwarded": "1"})[0]
            for each in both
        )
        for account in (f"cust-{number}" for number in range(2, 14))
    }


def owner_of(both: tuple[Client, Client]) -> tuple[Client, Client]:
    """Who has cust-1, and the other: a request that was sent on is answered by its owner alone."""
    while True:
        for one, other in (both, both[::-1]):
            if one.ask("GET", CHAT, **{"X-Azotte-Forwarded": "1"})[0] == 200:
                return one, other


def everything(one: Client) -> tuple[Any, ...]:
    body = one.ask("GET", CHAT)[1]
    return body["used"], body["reserved"], body["available"]


def test_whoever_is_asked_answers_for_all(both: tuple[Client, Client]) -> None:
    one, other = both
    for each in (one, other):
        assert each.ask("GET", CHAT)[0] == 200
    assert reserve(one, "a", 10)[0] == 201
    assert reserve(other, "a", 10) == reserve(one, "a", 10)
    assert reserve(other, "b", 91)[0] == 402
    assert {tuple(sorted(statuses)) for statuses in owners(both).values()} == {(200, 503)}, "one owner each"
    assert commit(other, "a", 10) == 202
    ledger.until(lambda: everything(one) == ("10", "0", "90"), 60, "the usage", one.fleet.logs)
    assert everything(other) == everything(one)


def test_an_owner_that_dies_is_replaced_and_nothing_is_lost(both: tuple[Client, Client]) -> None:
    owner, other = owner_of(both)
    first = reserve(owner, "a", 30)
    assert reserve(other, "b", 40)[0] == 201
    owner.fleet.kill(owner.name)
    # The request waits until the partition has its next owner.
    assert reserve(other, "c", 31)[0] == 402
    assert reserve(other, "a", 30) == first
    assert commit(other, "b", 40) == 202
    ledger.until(lambda: everything(other) == ("40", "30", "30"), 60, "the usage", other.fleet.logs)
    assert len(published(other.fleet)) == 1


def test_an_owner_that_was_thought_dead_sells_nothing(both: tuple[Client, Client]) -> None:
    owner, other = owner_of(both)
    assert reserve(owner, "a", 60)[0] == 201
    process = owner.fleet.running[owner.name]
    process.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(4) as pool:
        # The frozen one has these in its socket, and decides on them when it wakes, with what it knew.
        stale = [pool.submit(reserve, owner, f"stale-{number}", 30) for number in range(3)]
        assert reserve(other, "b", 40)[0] == 201, "what was left is sold by the next owner"
        process.send_signal(signal.SIGCONT)
        statuses = [each.result(REPLACED_S)[0] for each in stale]
    assert 201 not in statuses, statuses
    assert set(statuses) <= {402, 503}
    assert everything(other) == ("0", "100", "0")


def test_a_gateway_that_ends_hands_over_at_once(both: tuple[Client, Client]) -> None:
    owner, other = owner_of(both)
    first = reserve(owner, "a", 30)
    owner.fleet.end(owner.name)
    assert reserve(other, "a", 30) == first
    assert other.ask("DELETE", f"{ACCOUNT}/reservations/a")[0] == 204
    assert everything(other) == ("0", "0", "100")
