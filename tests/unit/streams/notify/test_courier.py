"""A round tries what is due once, in order, and says what is dead; nothing that is under way outlives a stop."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from typing import Any

import pytest

from schemas.webhooks import Webhook
from sinks.webhooks.signing import key_of
from streams.notify.courier import ROUND_S, Courier, Dead
from streams.notify.window import Delivery
from tests.receiver import SILENT, Receiver, Request
from tests.unit.streams.fakes import settings

SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "AAAA" * 8]
S = 1_000_000
NOW = 1_800_000_000 * S


def delivery(name: str, offset: int = 0) -> Delivery:
    return Delivery(
        ("p.billing.signals.v1", 2), offset, Webhook(name, "signal.on", "acme", "acme/a", b'{"n": 1}')
    )


class Life:
    """A courier to a receiver, and what its rounds came to."""

    def __init__(self, receiver: Receiver, stopping: Callable[[], bool] = lambda: False, **fields: Any):
        given = {"url": receiver.url, "secrets": SECRETS}
        self.done: list[str] = []
        self.courier = Courier(
            settings(webhooks={"crm": given}, webhook_timeout="5s", **fields), "crm", stopping, lambda: NOW, lambda: 0.5,
        )  # fmt: skip

    def round(self, *chains: list[Delivery]) -> list[Dead]:
        return asyncio.run(self.courier.round(chains, lambda each: self.done.append(each.webhook.id)))


def test_what_is_taken_is_done_and_signed_by_every_secret() -> None:
    with Receiver() as receiver:
        life = Life(receiver)
        assert life.round([delivery("1"), delivery("2")], [delivery("3")]) == []
    assert sorted(life.done) == ["1", "2", "3"]
    assert life.done.index("1") < life.done.index("2")
    found = receiver.requests[0]
    assert (found.path, found.headers["content-type"], found.body) == (
        "/hook",
        "application/json",
        b'{"n": 1}',
    )
    content = f"{found.id}.1800000000.".encode() + found.body
    want = [base64.b64encode(hmac.digest(key_of(each), content, hashlib.sha256)).decode() for each in SECRETS]
    assert found.headers["webhook-signature"] == " ".join(f"v1,{each}" for each in want)


def test_what_is_not_taken_waits_longer_each_time_and_holds_up_its_own_chain() -> None:
    one, other = delivery("1"), delivery("2")
    with Receiver(lambda request: 503) as receiver:
        life = Life(receiver, webhook_first_pause="4s", webhook_longest_pause="8s")
        for tried, pause in ((1, 3), (2, 6), (3, 6)):
            assert life.round([one, other]) == []
            assert (one.tried, one.due) == (tried, NOW + pause * S)
    assert receiver.ids() == ["1"] * 3
    assert (life.done, other.tried) == ([], 0)


def test_a_receiver_may_ask_for_a_longer_pause() -> None:
    one = delivery("1")
    with Receiver(lambda request: (429, {"Retry-After": "60"})) as receiver:
        Life(receiver).round([one])
    assert one.due == NOW + 60 * S


def test_after_the_last_try_it_is_dead_and_its_chain_goes_on() -> None:
    one, other = delivery("1", 7), delivery("2", 8)
    with Receiver(lambda request: 500 if request.id == "1" else 200) as receiver:
        life = Life(receiver, webhook_tries=2)
        assert life.round([one, other]) == []
        ((dead, letter),) = life.round([one, other])
    assert (dead, life.done, receiver.ids()) == (one, ["2"], ["1", "1", "2"])
    assert letter.key == b"crm/1"
    assert dict(letter.headers()) == {
        "reason": b"answered 500 Internal Server Error", "tries": b"2", "origin_topic": b"p.billing.signals.v1",
        "origin_partition": b"2", "origin_offset": b"7",
    }  # fmt: skip


def test_a_receiver_that_is_gone_is_not_tried_again() -> None:
    with Receiver(lambda request: 410) as receiver:
        ((_, letter),) = Life(receiver).round([delivery("1")])
    assert (letter.reason, letter.tried) == ("answered 410 Gone", 1)


def test_chains_do_not_wait_for_each_other() -> None:
    last = threading.Event()
    waited: list[bool] = []

    def answer(request: Request) -> int:
        if request.id == "4":
            last.set()
        if request.id != "slow":
            return 200
        waited.append(last.wait(60))
        return 503

    slow, quick = delivery("slow"), [delivery(str(each)) for each in range(5)]
    with Receiver(answer) as receiver:
        life = Life(receiver, webhook_first_pause="4s")
        life.courier._timeout_s = 600
        life.round([slow], quick)
    assert (life.done, waited) == (["0", "1", "2", "3", "4"], [True])
    assert (slow.tried, slow.due) == (1, NOW + 3 * S)


def test_no_answer_in_time_is_a_try_that_failed() -> None:
    one = delivery("1")
    with Receiver(lambda request: SILENT) as receiver:
        life = Life(receiver, webhook_first_pause="4s")
        life.courier._timeout_s = 0.2
        life.round([one])
    assert (life.done, one.tried, one.due) == ([], 1, NOW + 3 * S)


def test_a_stop_ends_a_round_at_once_and_costs_no_try() -> None:
    stop: list[bool] = []

    def answer(request: Request) -> int:
        stop.append(True)
        return SILENT

    one = delivery("1")
    with Receiver(answer) as receiver:
        life = Life(receiver, stopping=lambda: bool(stop))
        life.courier._timeout_s = 600
        assert life.round([one, delivery("2")]) == []
        assert life.round([delivery("3")]) == []
    assert (one.tried, life.done, receiver.ids()) == (0, [], ["1"])


def test_a_round_begins_no_try_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, ROUND_S + 1])
    monkeypatch.setattr("streams.notify.courier.clock.monotonic", lambda: next(times))
    with Receiver() as receiver:
        life = Life(receiver)
        life.round([delivery("1")])
    assert (life.done, receiver.ids()) == ([], [])
