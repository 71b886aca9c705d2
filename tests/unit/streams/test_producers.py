"""What a transaction tells its producer, in which order, and when another producer takes its place."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from streams import transaction
from streams.kafka import Anew, Stop
from streams.patience import Patience
from streams.transaction import FAILURES_MAX, Aborted, Out, Transactions
from tests.unit.streams.fakes import Answer, Clock, Producer, settings
from tests.unit.streams.kafka_errors import FENCED, STALE, TIMED_OUT, raised

OUTS = [Out("charges", 3, b"k", b"v", [("h", b"1")]), Out("state", 3, b"c", None)]
OFFSETS: Any = ["log 3 at 9"]


class Made:
    """The producers that were made, in order, each by a script."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *producers: Producer) -> None:
        self._left = list(producers)
        self.names: list[str] = []
        self.transactions = Transactions(settings(), "azotte-rate-0", "rate", Patience("rate", lambda: False))
        monkeypatch.setattr(transaction, "transactional_producer", self._make)

    def _make(self, given: Any, name: str) -> Producer:
        self.names.append(name)
        return self._left.pop(0)

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
    assert producer.calls == ["init", *2 * ["begin", "produce", "poll", "produce", "offsets", "commit"]]
    assert producer.sent[:3] == [
        ("charges", 3, b"k", b"v", [("h", b"1")]), ("state", 3, b"c", None, None), ("offsets", OFFSETS, "generation 1"),
    ]  # fmt: skip
    assert made.names == ["azotte-rate-0"]


@pytest.mark.parametrize("call", ["begin", "produce", "offsets"])
def test_an_error_that_asks_for_it_aborts_and_the_producer_is_replaced(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, call: str
) -> None:
    answers: list[Answer] = [STALE]
    first, second = Producer(**{call: answers}), Producer()
    made = Made(monkeypatch, first, second)
    with pytest.raises(Aborted):
        made.commit()
    assert first.calls[-1] == "abort"
    made.commit()
    assert second.calls[-1] == "commit"


@pytest.mark.parametrize("call", ["produce", "offsets", "commit"])
@pytest.mark.parametrize("abort", [False, True])
def test_a_record_that_is_too_large_stops_since_it_would_be_computed_again_for_ever(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, call: str, abort: bool
) -> None:
    error = raised(KafkaError.MSG_SIZE_TOO_LARGE, abort=abort)
    producer = Producer(**{call: [error]})
    with pytest.raises(Stop, match=r"max\.message\.bytes"):
        Made(monkeypatch, producer).commit()
    assert producer.calls[-1] == ("commit" if call == "commit" else "abort")


def test_a_full_queue_is_waited_for(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    producer = Producer(produce=[BufferError(), BufferError()])
    Made(monkeypatch, producer).commit()
    assert producer.calls[:7] == ["init", "begin", "produce", "poll", "produce", "poll", "produce"]
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
    made = Made(monkeypatch, Producer(commit=[TIMED_OUT]), Producer())
    made.commit()
    made.commit()
    assert len(made.names) == 2


def test_a_slow_batch_alone_does_not(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    slow: list[Answer] = [lambda: clock.pause(9)]
    made = Made(monkeypatch, Producer(produce=slow))
    made.commit()
    made.commit()
    assert len(made.names) == 1


def test_a_producer_that_may_not_be_made_is_told(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    refused = raised(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    producer = Producer(init=[refused])
    with pytest.raises(type(refused)) as found:
        Made(monkeypatch, producer).commit()
    assert found.value is refused
    assert producer.calls == ["init"]


def test_one_that_took_no_place_is_not_kept(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    second = Producer()
    made = Made(monkeypatch, Producer(init=[FENCED]), second)
    with pytest.raises(type(FENCED)):
        made.commit()
    made.commit()
    assert second.calls[0] == "init"


@pytest.mark.parametrize("failing", ["offsets", "commit"])
def test_a_transaction_that_happened_ends_the_count_of_failures(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, failing: str
) -> None:
    made = Made(monkeypatch, *(Producer(**{failing: [None, STALE]}) for _ in range(2 * FAILURES_MAX)))
    for _ in range(2 * FAILURES_MAX):
        made.commit()
        with pytest.raises((Aborted, Anew)):
            made.commit()
