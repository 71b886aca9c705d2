"""NOTIFY around its rounds: where it begins, what it takes, what it commits when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from schemas import topics
from streams.kafka import Anew
from streams.notify.service import NotifyStage
from streams.notify.window import Delivery
from tests import sink_records as some
from tests.unit.streams.fakes import Consumer, Message, settings
from tests.unit.streams.kafka_errors import raised

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
THRESHOLDS, ENTITLEMENTS, CHARGES = topics.THRESHOLDS.name, topics.ENTITLEMENTS.name, topics.CHARGES.name


def stage(**address: Any) -> NotifyStage:
    given = {"url": "http://127.0.0.1:1/", "secrets": [SECRET], **address}
    return NotifyStage(settings(webhooks={"crm": given}, webhook_in_flight=2), "crm", lambda words: None)


class Client(Consumer):
    """Keeps what was committed, paused and resumed."""

    def __init__(self, *batches: Any, committed: Any = (), marks: Any = (0, 0), error: Any = None) -> None:
        super().__init__(*batches, committed=committed, marks=marks)
        self.error = error
        self.done: list[tuple[int, int]] = []
        self.flow: list[str] = []

    def commit(self, offsets: Any, asynchronous: bool) -> None:
        if self.error is not None:
            raise self.error
        self.done += [(each.partition, each.offset) for each in offsets]

    def assignment(self) -> list[Any]:
        return self.assigned

    def pause(self, places: Any) -> None:
        self.flow.append("pause")

    def resume(self, places: Any) -> None:
        self.flow.append("resume")


def message(offset: int, record: dict[str, Any] | bytes | None, topic: str = THRESHOLDS) -> Message:
    value = json.dumps(record).encode() if isinstance(record, dict) else record
    return Message(offset, value, b"acme/cust-1/chat", topic)


def assign(found: NotifyStage, client: Any, topic: str = THRESHOLDS) -> list[int]:
    setattr(found, "_consumer", client)  # noqa: B010 - a stand-in
    found._assigned(client, [TopicPartition(topic, 0)])
    return [each.offset for each in client.assigned]


def at(offset: int, topic: str = THRESHOLDS) -> list[Any]:
    return [[TopicPartition(topic, 0, offset)]]


def test_it_reads_the_topics_of_the_types_that_the_address_wants() -> None:
    assert set(stage()._names) == {
        THRESHOLDS, ENTITLEMENTS, CHARGES, topics.LEDGER.name, topics.SIGNALS.name,
    }  # fmt: skip
    assert set(stage(types=["threshold.recovered", "signal.on"])._names) == {THRESHOLDS, topics.SIGNALS.name}


def test_a_new_address_begins_with_what_comes_and_commits_where_that_is() -> None:
    client = Client(committed=at(-1001), marks=(3, 9))
    assert assign(stage(), client) == [9]
    assert client.done == [(0, 9)]


def test_a_beginning_that_cannot_be_committed_begins_anew() -> None:
    client = Client(committed=at(-1001), error=raised(KafkaError.ILLEGAL_GENERATION))
    with pytest.raises(Anew, match="where to begin could not be committed"):
        assign(stage(), client)


def test_it_goes_on_from_what_is_committed_or_is_still_there(caplog: pytest.LogCaptureFixture) -> None:
    assert assign(stage(), Client(committed=at(5), marks=(3, 9))) == [5]
    assert caplog.text == ""
    assert assign(stage(), Client(committed=at(5), marks=(8, 9))) == [8]
    assert "3 records of billing.thresholds.v1 0 were deleted" in caplog.text


def test_offsets_follow_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stage()
    client = Client(
        [message(5, some.threshold(1)), message(6, some.threshold(2))], committed=at(5), marks=(0, 9)
    )
    assign(found, client)
    taken: list[Delivery] = []

    def run(chains: list[list[Delivery]]) -> list[Any]:
        for each in taken:
            found._window.done(each)
        return []

    monkeypatch.setattr(found._courier, "round", lambda chains, done: taken.extend(chains[0][:1]))
    setattr(found, "_runner", type("Runner", (), {"run": staticmethod(lambda nothing: run([]))})())  # noqa: B010
    setattr(found, "_dead", type("Dead", (), {"put": staticmethod(lambda letters: None)})())  # noqa: B010
    polled = found.poll()
    assert polled is not None
    worked = found.work(polled)
    assert [each.id for _, each in worked] == [some.threshold(1)["id"], some.threshold(2)["id"]]
    found.commit(worked)
    assert client.done == [(0, 6)]
    found.commit([])
    assert client.done == [(0, 6), (0, 7)]


def test_a_full_window_takes_nothing_but_keeps_polling() -> None:
    found = stage()
    client = Client([message(each, some.threshold(each)) for each in range(3)], committed=at(0), marks=(0, 9))
    assign(found, client)
    for taken, webhook in found.work(found.poll() or []):
        found._window.add(taken.place, taken.offset, webhook)
    assert len(found._window) == 3, "a poll may pass the bound by its own records"
    assert found.poll() == []
    assert client.flow == ["pause"]
    for chain in found._window.chains(0):
        for each in chain:
            found._window.done(each)
    assert found.poll() is None
    assert client.flow == ["pause", "resume"]


def test_what_is_no_record_costs_nothing_but_itself(caplog: pytest.LogCaptureFixture) -> None:
    found = stage()
    given = [message(0, b"{"), message(1, None), message(2, some.threshold(1))]
    assign(found, Client(given, committed=at(0), marks=(0, 9)))
    (only,) = found.work(found.poll() or [])
    assert only[0].offset == 2
    assert "billing.thresholds.v1 0 at 0 is no record of ours" in caplog.text


def test_usage_lines_are_passed_over_unread() -> None:
    found = stage()
    lines = [message(each, some.charge(each), CHARGES) for each in range(5)]
    close = message(5, some.charge(5, kind="close"), CHARGES)
    assign(found, Client([*lines, close], committed=at(0, CHARGES), marks=(0, 9)), CHARGES)
    polled = found.poll() or []
    assert [each.offset for each in polled] == [5]
    assert [webhook.type for _, webhook in found.work(polled)] == ["period.closed"]


def test_access_is_learnt_up_to_where_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reader:
        def __init__(self, settings: Any, group: str, topic: str, number: int) -> None:
            assert (group, topic, number) == ("azotte-notify-crm-reader", ENTITLEMENTS, 0)

        def to(self, end: int, patience: Any) -> list[Message]:
            assert end == 2
            return [message(each, some.entitlement(access=each > 0), ENTITLEMENTS) for each in range(4)]

        def close(self) -> None:
            return

    monkeypatch.setattr("streams.notify.service.Reader", Reader)
    found = stage()
    given = [
        message(2, some.entitlement(), ENTITLEMENTS),
        message(3, some.entitlement(access=False), ENTITLEMENTS),
    ]
    assign(found, Client(given, committed=at(2, ENTITLEMENTS), marks=(0, 9)), ENTITLEMENTS)
    assert [webhook.type for _, webhook in found.work(found.poll() or [])] == ["entitlement.denied"]
    found._revoked(found._consumer, [TopicPartition(ENTITLEMENTS, 0)])
    assert (len(found._window), found._access) == (0, {})
