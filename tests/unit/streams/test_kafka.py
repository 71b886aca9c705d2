"""Which of a consumer's errors pass, and what a missing topic says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.kafka import Stop, check, committed, is_eof, partitions_of, passing
from tests.unit.streams.fakes import ABORT, AWAY, FATAL, RETRIABLE, Consumer, Message, end, failure


@pytest.mark.parametrize("code", [None, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT,
                                  KafkaError._RESOLVE, KafkaError._MAX_POLL_EXCEEDED])  # fmt: skip
def test_a_lost_connection_passes(code: int | None) -> None:
    message: Any = Message(3, error=None if code is None else KafkaError(code))
    check(message)


@pytest.mark.parametrize("code", [KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError.TOPIC_AUTHORIZATION_FAILED,
                                  KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._FENCED])  # fmt: skip
def test_what_reading_on_cannot_mend_stops(code: int) -> None:
    message: Any = Message(3, topic="rating.log.v1", partition=2, error=KafkaError(code))
    with pytest.raises(Stop, match=r"rating\.log\.v1 2 cannot be read at 3"):
        check(message)


def test_an_end_is_told_from_an_error() -> None:
    messages: list[Any] = [end(5), Message(5), Message(5, error=KafkaError(KafkaError._TRANSPORT))]
    assert [is_eof(message) for message in messages] == [True, False, False]


def client(**topics: Any) -> Any:
    return SimpleNamespace(list_topics=lambda name, timeout: SimpleNamespace(topics=topics))


def test_partitions_are_counted_and_a_missing_topic_says_what_to_do() -> None:
    there = SimpleNamespace(error=None, partitions={0: 1, 1: 1})
    assert partitions_of(client(t=there), "t") == 2
    for gone in (
        SimpleNamespace(error=KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), partitions={}),
        SimpleNamespace(error=None, partitions={}),
    ):
        with pytest.raises(Stop, match="topic t is missing: run azotte up"):
            partitions_of(client(t=gone), "t")


@pytest.mark.parametrize(
    ("error", "expected"),
    [(AWAY, True), (RETRIABLE, True), (failure(KafkaError._ALL_BROKERS_DOWN), True), (failure(KafkaError._RESOLVE), True),
     (failure(KafkaError.NOT_COORDINATOR), True),
     (failure(KafkaError.COORDINATOR_LOAD_IN_PROGRESS), True), (failure(KafkaError.NOT_LEADER_FOR_PARTITION), True), (ABORT, False), (FATAL, False), (failure(KafkaError.TOPIC_AUTHORIZATION_FAILED), False)],
)  # fmt: skip
def test_which_errors_pass(error: KafkaException, expected: bool) -> None:
    assert passing(error) is expected


def offsets(code: int | None) -> Any:
    place = SimpleNamespace(
        topic="t", partition=0, offset=-1001, error=None if code is None else KafkaError(code)
    )
    return Consumer(committed=[[place]])


def test_an_offset_that_is_not_there_is_told_from_one_that_cannot_be_read() -> None:
    assert [each.offset for each in committed(offsets(None), [], 1)] == [-1001]
    with pytest.raises(KafkaException):
        committed(offsets(KafkaError.UNSTABLE_OFFSET_COMMIT), [], 1)
    with pytest.raises(Stop, match="the offset of t 0 cannot be read"):
        committed(offsets(KafkaError.GROUP_AUTHORIZATION_FAILED), [], 1)
