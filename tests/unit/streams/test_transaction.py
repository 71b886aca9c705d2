"""One transaction: all or nothing, tried again where that may help, and never a word from a fenced producer."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from streams import transaction
from streams.kafka import Stop
from streams.transaction import TRIES_MAX, Aborted, Out, Transactions
from tests.unit.streams.fakes import ABORT, AWAY, FATAL, RETRIABLE, Answer, Clock, Producer, failure, settings

OUTS = [Out("charges", 3, b"k", b"v", [("h", b"1")]), Out("state", 3, b"c", None)]
OFFSETS: Any = ["log 3 at 9"]


class Made:
    """The producers that were made, in order, each by a script; an exception instead is what making one raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *producers: Producer | Exception) -> None:
        self._left = list(producers)
        self.names: list[str] = []
        self.transactions = Transactions(settings(), "azotte-rate-0", "rate")
        monkeypatch.setattr(transaction, "transactional_producer", self._make)

    def _make(self, given: Any, name: str) -> Producer:
        self.names.append(name)
        found = self._left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def commit(self) -> None:
        self.transactions.commit(OUTS, OFFSETS, "generation 1")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_outputs_and_offsets_with_the_group_of_the_poll_are_one_transaction(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    producer = Producer()
    made = Made(monkeypatch, producer)
    made.commit()
    made.commit()
    assert producer.calls == 2 * ["begin", "produce", "poll", "produce", "offsets", "commit"]
    assert producer.sent[:3] == [
        ("charges", 3, b"k", b"v", [("h", b"1")]), ("state", 3, b"c", None, None), ("offsets", OFFSETS, "generation 1"),
    ]  # fmt: skip
    assert made.names == ["azotte-rate-0"]


def test_nothing_is_sent_without_offsets_but_the_records(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    producer = Producer()
    Made(monkeypatch, producer).transactions.commit([], [], None)
    assert producer.calls == ["begin", "commit"]


@pytest.mark.parametrize("call", ["begin", "offsets", "commit"])
def test_a_retriable_error_is_tried_again(monkeypatch: pytest.MonkeyPatch, clock: Clock, call: str) -> None:
    answers: list[Answer] = [RETRIABLE, RETRIABLE]
    producer = Producer(**{call: answers})
    Made(monkeypatch, producer).commit()
    assert producer.calls.count(call) == 3
    assert len(clock.pauses) == 2
    assert "abort" not in producer.calls


def test_it_is_not_tried_again_for_ever(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    producer = Producer(offsets=[RETRIABLE] * (TRIES_MAX + 5))
    with pytest.raises(Aborted):
        Made(monkeypatch, producer).commit()
    assert producer.calls.count("offsets") == TRIES_MAX
    assert producer.calls[-1] == "abort"


@pytest.mark.parametrize("call", ["begin", "produce", "offsets", "commit"])
def test_an_error_that_asks_for_it_aborts_and_the_producer_is_replaced(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, call: str
) -> None:
    answers: list[Answer] = [ABORT]
    first, second = Producer(**{call: answers}), Producer()
    made = Made(monkeypatch, first, second)
    with pytest.raises(Aborted):
        made.commit()
    assert first.calls[-1] == "abort"
    made.commit()
    assert second.calls[-1] == "commit"


@pytest.mark.parametrize("call", ["begin", "offsets", "commit"])
def test_a_fatal_error_stops_without_another_word(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, call: str
) -> None:
    answers: list[Answer] = [FATAL]
    producer = Producer(**{call: answers})
    with pytest.raises(Stop, match="rate: the producer is fenced or broken"):
        Made(monkeypatch, producer).commit()
    assert "abort" not in producer.calls


def test_an_abort_that_is_fatal_stops(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    with pytest.raises(Stop, match="could not be aborted"):
        Made(monkeypatch, Producer(commit=[ABORT], abort=[FATAL])).commit()


def test_an_abort_that_fails_leaves_it_to_the_next_producers_epoch(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    second = Producer()
    made = Made(monkeypatch, Producer(commit=[ABORT], abort=[AWAY]), second)
    with pytest.raises(Aborted):
        made.commit()
    made.commit()
    assert second.calls[-1] == "commit"


def test_a_record_that_is_too_large_stops_since_it_would_be_computed_again_for_ever(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    producer = Producer(produce=[failure(KafkaError.MSG_SIZE_TOO_LARGE)])
    with pytest.raises(Stop, match=r"max\.message\.bytes"):
        Made(monkeypatch, producer).commit()
    assert producer.calls[-1] == "abort"


def test_a_full_queue_is_waited_for(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    producer = Producer(produce=[BufferError(), BufferError()])
    Made(monkeypatch, producer).commit()
    assert producer.calls[:6] == ["begin", "produce", "poll", "produce", "poll", "produce"]
    assert [sent[0] for sent in producer.sent] == ["charges", "state", "offsets"]


def test_a_slow_commit_replaces_the_producer(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    slow: list[Answer] = [lambda: clock.pause(1.5)]
    made = Made(monkeypatch, Producer(commit=slow), Producer())
    made.commit()
    made.commit()
    assert made.names == 2 * ["azotte-rate-0"]


def test_a_commit_that_was_tried_again_replaces_the_producer_however_fast(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    made = Made(monkeypatch, Producer(commit=[RETRIABLE]), Producer())
    made.commit()
    made.commit()
    assert len(made.names) == 2


def test_a_slow_batch_alone_does_not(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    slow: list[Answer] = [lambda: clock.pause(9)]
    made = Made(monkeypatch, Producer(produce=slow))
    made.commit()
    made.commit()
    assert len(made.names) == 1


def test_a_broker_that_is_away_when_a_producer_is_needed_aborts_what_has_not_begun(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    producer = Producer()
    made = Made(monkeypatch, AWAY, RETRIABLE, producer)
    for _ in range(2):
        with pytest.raises(Aborted):
            made.commit()
    made.commit()
    assert producer.calls[-1] == "commit"


def test_a_producer_that_may_not_be_made_is_told(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    refused = failure(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    with pytest.raises(type(refused)):
        Made(monkeypatch, refused).commit()
