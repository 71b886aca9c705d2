"""Offsets are committed up to what is not done; what one topic says of an account keeps its order."""

from __future__ import annotations

from schemas.webhooks import Webhook
from streams.notify.window import Delivery, Place, Window

P, Q = ("thresholds", 0), ("ledger", 3)


def webhook(name: str, key: str = "acme/a") -> Webhook:
    return Webhook(name, "threshold.breached", "acme", key, b"{}")


def holding(*records: tuple[Place, int, str, str]) -> Window:
    """A window of both partitions from 0 on, with these webhooks: place, offset, id, key."""
    found = Window()
    found.assign(P, 0)
    found.assign(Q, 0)
    for place, offset, name, key in records:
        assert found.take(place, offset)
        found.add(place, offset, webhook(name, key))
    return found


def ids(chains: list[list[Delivery]]) -> list[list[str]]:
    return [[each.webhook.id for each in chain] for chain in chains]


def test_what_is_due_comes_by_account_and_topic_in_order() -> None:
    window = holding((P, 0, "1", "a"), (P, 1, "2", "b"), (Q, 0, "3", "a"), (P, 2, "4", "a"))
    assert ids(window.chains(0)) == [["1", "4"], ["2"], ["3"]]
    assert len(window) == 4


def test_what_waits_holds_up_its_own_followers_alone() -> None:
    window = holding((P, 0, "1", "a"), (P, 1, "2", "a"), (P, 2, "3", "b"), (Q, 0, "4", "a"))
    window.chains(0)[0][0].due = 50
    assert ids(window.chains(49)) == [["3"], ["4"]]
    assert window.next_due() == 0
    for chain in window.chains(49):
        window.done(chain[0])
    assert window.next_due() == 50
    assert ids(window.chains(50)) == [["1", "2"]]


def test_offsets_follow_what_is_done_without_a_gap() -> None:
    window = holding((P, 0, "1", "a"), (P, 1, "2", "b"), (P, 5, "3", "c"))
    assert window.offsets() == {}
    one, two, three = (chain[0] for chain in window.chains(0))
    window.done(two)
    assert window.offsets() == {}
    window.done(one)
    assert window.offsets() == {P: 5}
    assert window.offsets() == {}
    window.done(three)
    assert window.offsets() == {P: 6}
    assert window.take(P, 9)
    assert window.offsets() == {P: 10}, "a record that becomes no webhook is done at once"


def test_a_record_is_taken_once_and_of_our_partitions_alone() -> None:
    window = holding()
    assert [window.take(P, offset) for offset in (3, 3, 2, 4)] == [True, False, False, True]
    assert not window.take(("thresholds", 1), 0)


def test_a_partition_that_goes_takes_its_webhooks_along() -> None:
    window = holding((P, 0, "1", "a"), (Q, 0, "2", "a"))
    mine = window.chains(0)[0][0]
    window.revoke(P)
    window.done(mine)
    window.add(P, 1, webhook("3"))
    assert ids(window.chains(0)) == [["2"]]
    assert window.offsets() == {}
    window.assign(P, 0)
    assert window.take(P, 0)
    window.clear()
    assert (len(window), window.next_due(), window.offsets()) == (0, None, {})
