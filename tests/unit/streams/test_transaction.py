"""A transaction happened, did not happen, or is not known: the three are never taken for one another."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams import clock, transaction
from streams.kafka import Anew, Stop
from streams.patience import Patience, Stopping
from streams.settings import Settings
from streams.transaction import FAILURES_MAX, Aborted, Out, Transactions
from tests.unit.streams.kafka_errors import AWAY, FENCED, STALE, TIMED_OUT, raised

OUTS = [Out("topic", 0, None, b"line")]
OFFSETS = [TopicPartition("log", 0, 7)]
CALLS = ["init", "begin", "produce", "offsets", "commit"]


class Producers:
    """Makes producers that note what is called, and raise what is planned for a call, once each."""

    def __init__(self) -> None:
        self.plan: dict[str, list[KafkaException]] = {}
        self.calls: list[list[str]] = []

    def make(self, settings: Settings, name: str) -> Any:
        calls: list[str] = []
        self.calls.append(calls)
        plan = self.plan

        class Producer:
            def _do(self, what: str) -> None:
                calls.append(what)
                if plan.get(what):
                    raise plan[what].pop(0)

            def init_transactions(self, timeout: float) -> None:
                self._do("init")

            def begin_transaction(self) -> None:
                self._do("begin")

            def produce(self, *args: Any, **named: Any) -> None:
                self._do("produce")

            def poll(self, timeout: float) -> None:
                return

            def send_offsets_to_transaction(self, *args: Any) -> None:
                self._do("offsets")

            def commit_transaction(self, timeout: float) -> None:
                self._do("commit")

            def abort_transaction(self, timeout: float) -> None:
                self._do("abort")

        return Producer()


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> Producers:
    made = Producers()
    passed: list[float] = []
    monkeypatch.setattr(transaction, "transactional_producer", made.make)
    monkeypatch.setattr(clock, "pause", passed.append)
    monkeypatch.setattr(clock, "monotonic", lambda: sum(passed))
    return made


@pytest.fixture
def stopping() -> list[bool]:
    """Not empty where the stage is to stop."""
    return []


@pytest.fixture
def transactions(producers: Producers, stopping: list[bool]) -> Transactions:
    return Transactions(Settings(), "name", "rate", Patience("rate", lambda: bool(stopping)))


def test_outputs_and_offsets_are_one_transaction(transactions: Transactions, producers: Producers) -> None:
    transactions.commit(OUTS, OFFSETS, b"group")
    transactions.commit(OUTS, OFFSETS, b"group")
    assert producers.calls == [[*CALLS, *CALLS[1:]]]


@pytest.mark.parametrize("call", ["init", "offsets", "commit"])
def test_a_broker_that_is_away_is_waited_for_by_the_same_producer(
    transactions: Transactions, producers: Producers, call: str
) -> None:
    producers.plan[call] = [TIMED_OUT, AWAY]
    transactions.commit(OUTS, OFFSETS, b"group")
    assert producers.calls == [[each for name in CALLS for each in [name] * (3 if name == call else 1)]]


@pytest.mark.parametrize("error", [FENCED, STALE, raised(KafkaError._STATE)], ids=["fatal", "abort", "other"])
def test_a_commit_that_failed_is_never_taken_for_an_abort(
    transactions: Transactions, producers: Producers, error: KafkaException
) -> None:
    producers.plan["commit"] = [TIMED_OUT, error]
    with pytest.raises(Anew, match="not known"):
        transactions.commit(OUTS, OFFSETS, b"group")
    assert "abort" not in producers.calls[0]
    transactions.commit(OUTS, OFFSETS, b"group")
    assert producers.calls[1] == CALLS, "another producer, which fences the first"


def test_a_stale_generation_aborts(transactions: Transactions, producers: Producers) -> None:
    producers.plan = {"offsets": [STALE], "abort": [TIMED_OUT]}
    with pytest.raises(Aborted):
        transactions.commit(OUTS, OFFSETS, b"group")
    assert producers.calls == [["init", "begin", "produce", "offsets", "abort", "abort"]]
    transactions.commit(OUTS, OFFSETS, b"group")
    assert producers.calls[1] == CALLS


def test_a_producer_that_was_fenced_before_the_commit_says_not_another_word(
    transactions: Transactions, producers: Producers
) -> None:
    producers.plan = {"offsets": [FENCED]}
    with pytest.raises(Aborted, match="fenced"):
        transactions.commit(OUTS, OFFSETS, b"group")
    assert producers.calls == [["init", "begin", "produce", "offsets"]]


def test_an_abort_that_fails_is_left_to_the_next_producer(
    transactions: Transactions, producers: Producers
) -> None:
    producers.plan = {"offsets": [STALE], "abort": [FENCED]}
    with pytest.raises(Aborted):
        transactions.commit(OUTS, OFFSETS, b"group")


def test_what_cannot_be_published_stops_the_process(transactions: Transactions, producers: Producers) -> None:
    producers.plan = {"produce": [raised(KafkaError.TOPIC_AUTHORIZATION_FAILED)]}
    with pytest.raises(Stop, match="cannot be made"):
        transactions.commit(OUTS, OFFSETS, b"group")
    assert producers.calls == [["init", "begin", "produce", "abort"]]


def test_failing_again_and_again_stops_the_process(transactions: Transactions, producers: Producers) -> None:
    producers.plan = {"offsets": [STALE] * (FAILURES_MAX + 1)}
    for _ in range(FAILURES_MAX):
        with pytest.raises(Aborted):
            transactions.commit(OUTS, OFFSETS, b"group")
    with pytest.raises(Stop, match="in a row"):
        transactions.commit(OUTS, OFFSETS, b"group")


def test_a_commit_that_is_waited_for_ends_when_the_process_is_to_stop(
    transactions: Transactions, producers: Producers, stopping: list[bool]
) -> None:
    producers.plan = {"commit": [TIMED_OUT]}
    stopping.append(True)
    with pytest.raises(Stopping):
        transactions.commit(OUTS, OFFSETS, b"group")
