"""The sink knows a meter when its revision has come, waits for it a while, and stops where none comes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError

from rating.catalog import publish, revision_value
from streams.kafka import Stop
from streams.sink import meters as module
from streams.sink.meters import WAIT_S, KnownMeters
from tests.unit.streams.fakes import Clock, Consumer, Message, end, settings

SUM = {
    "key": "tokens",
    "event_type": "e",
    "aggregation": "sum",
    "value": "$.v",
    "group_by": {"model": "$.m", "region": "$.r"},
}
UNIQUE = {"key": "users", "event_type": "e", "aggregation": "unique", "value": "$.u"}


def revision(offset: int, number: int, *found: dict[str, Any], tenant: str = "acme") -> Message:
    value = revision_value(
        tenant, number, "2026-01-01T00:00:00.000000Z", "c", publish(None, {"meters": list(found)})
    )
    return Message(offset, msgspec.json.encode(value), f"{tenant}/{number}".encode())


def known(monkeypatch: pytest.MonkeyPatch, *batches: list[Message]) -> tuple[KnownMeters, Consumer]:
    consumer = Consumer(*batches)
    monkeypatch.setattr(module, "plain_consumer", lambda *_: consumer)
    return KnownMeters(settings(topic_prefix="p.")), consumer


def test_a_meter_is_known_by_tenant_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = known(
        monkeypatch, [revision(0, 1, SUM), revision(1, 1, UNIQUE, tenant="other")], [end(2)]
    )
    assert consumer.assigned[0].topic == "p.billing.catalog.v1"
    assert tuple(found("acme", "tokens")) == (("model", "region"), False)
    assert tuple(found("other", "users")) == ((), True)


def test_one_that_comes_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = known(monkeypatch, [revision(0, 1, SUM)], [], [end(1)], [revision(1, 2, SUM, UNIQUE)])
    assert tuple(found("acme", "users")) == ((), True)
    assert tuple(found("acme", "tokens")) == (("model", "region"), False)
    found.close()
    assert consumer.closed


def test_one_that_never_comes_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    found, consumer = known(monkeypatch, [revision(0, 1, SUM)])
    real = consumer.consume

    def consume(most: int, timeout: float = 0) -> list[Message]:
        clock.at += 1
        return real(most, timeout)

    monkeypatch.setattr(consumer, "consume", consume)
    with pytest.raises(Stop, match=r"no revision on p\.billing\.catalog\.v1 has meter users of acme"):
        found("acme", "users")
    assert clock.at - 1_000 >= WAIT_S


def test_an_error_of_the_topic_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = known(monkeypatch, [Message(0, error=KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))])
    with pytest.raises(Stop, match="cannot be read"):
        found("acme", "users")
