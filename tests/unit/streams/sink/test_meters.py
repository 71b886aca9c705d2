"""The sink knows a meter when its revision has come, waits for it a while, and stops where none comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError

from rating.catalog import publish, revision_value
from streams.kafka import Stop
from streams.patience import Patience, Stopping
from streams.sink.meters import KnownMeters
from tests.unit.streams.fakes import Consumer, Message, end, settings

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


def known(
    monkeypatch: pytest.MonkeyPatch, *batches: list[Message], stopping: Callable[[], bool] = lambda: False
) -> tuple[KnownMeters, Consumer]:
    """The meters of a topic that ends at 3 unless a test moves its end."""
    consumer = Consumer(*batches, marks=(0, 3))
    monkeypatch.setattr("streams.reader.plain_consumer", lambda *_, **__: consumer)
    return KnownMeters(settings(topic_prefix="p."), Patience("sink", stopping)), consumer


def test_a_meter_is_known_by_tenant_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = known(
        monkeypatch, [revision(0, 1, SUM), revision(1, 1, UNIQUE, tenant="other")], [end(3)]
    )
    assert consumer.assigned[0].topic == "p.billing.catalog.v1"
    assert tuple(found("acme", "tokens")) == (("model", "region"), False)
    assert tuple(found("other", "users")) == ((), True)


def test_one_that_comes_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = known(monkeypatch, [revision(0, 1, SUM)], [], [end(1)], [revision(2, 2, SUM, UNIQUE)])
    assert tuple(found("acme", "users")) == ((), True)
    assert tuple(found("acme", "tokens")) == (("model", "region"), False)
    found.close()
    assert consumer.closed


def test_the_end_that_is_read_to_is_the_end_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = known(monkeypatch, [revision(0, 1, SUM)], [revision(1, 2, SUM, UNIQUE)])
    consumer.marks = (0, 1)
    assert found("acme", "tokens")
    assert len(consumer.batches) == 1
    consumer.marks = (0, 2)
    assert tuple(found("acme", "users")) == ((), True)


def test_one_that_is_not_on_the_topic_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = known(monkeypatch, [revision(0, 1, SUM)], [end(3)])
    with pytest.raises(Stop, match=r"no revision on p\.billing\.catalog\.v1 has meter users of acme"):
        found("acme", "users")


def test_what_is_open_before_the_end_is_waited_for_until_we_are_to_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopping = iter([False, False, True])
    found, _ = known(monkeypatch, [revision(0, 1, SUM)], stopping=lambda: next(stopping))
    with pytest.raises(Stopping):
        found("acme", "users")


def test_an_error_of_the_topic_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = known(monkeypatch, [Message(0, error=KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))])
    with pytest.raises(Stop, match="cannot be read"):
        found("acme", "users")
