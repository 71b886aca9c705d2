"""Answers of the broker: none is never taken for "none there is", and who is out of the group commits nothing."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.kafka import Anew, Stop, check, committed, gather, is_eof, membership, partitions_of, watermarks

PLACE = TopicPartition("log", 0)


class Found:
    """What a client gives back: attributes, as a test sets them."""

    def __init__(self, **found: Any) -> None:
        self.__dict__ |= found

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was not expected")


def client(**answers: Any) -> Any:
    """A client whose methods answer so."""
    return Found(**{name: lambda *_, answer=answer: answer for name, answer in answers.items()})


def message(code: int | None) -> Any:
    error = None if code is None else KafkaError(code)
    return client(error=error, topic="log", partition=0, offset=7)


@pytest.mark.parametrize("member", [None, ""])
def test_a_client_that_was_thrown_out_has_no_metadata_to_commit_with(member: str | None) -> None:
    with pytest.raises(Anew):
        membership(client(consumer_group_metadata=b"group", memberid=member))


def test_a_member_commits_with_the_metadata_of_its_poll() -> None:
    assert membership(client(consumer_group_metadata=b"group", memberid="azotte-1")) == b"group"


def test_an_offset_that_cannot_be_read_now_is_not_the_same_as_none() -> None:
    code = KafkaError.UNSTABLE_OFFSET_COMMIT
    with pytest.raises(KafkaException) as found:
        committed(
            client(committed=[Found(error=None, offset=5), Found(error=KafkaError(code))]), [PLACE, PLACE]
        )
    assert found.value.args[0].code() == code


def test_an_offset_that_nobody_may_read_stops_with_its_place() -> None:
    error = KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)
    with pytest.raises(Stop, match="the offset of log 0 cannot be read"):
        committed(client(committed=[Found(topic="log", partition=0, error=error)]), [PLACE])
    none = [Found(error=None, offset=-1001)]
    assert committed(client(committed=none), [PLACE]) == none


def test_an_end_is_told_from_an_error() -> None:
    messages = [message(code) for code in (KafkaError._PARTITION_EOF, None, KafkaError._TRANSPORT)]
    assert [is_eof(each) for each in messages] == [True, False, False]


def test_watermarks_that_do_not_come_are_an_error() -> None:
    assert watermarks(client(get_watermark_offsets=(3, 9)), PLACE) == (3, 9)
    with pytest.raises(KafkaException):
        watermarks(client(get_watermark_offsets=None), PLACE)


def test_a_topic_that_has_no_leader_yet_is_not_missing() -> None:
    def topic(code: int | None) -> Any:
        error = None if code is None else KafkaError(code)
        return client(
            list_topics=Found(topics={"log": Found(error=error, partitions={} if error else {0: None})})
        )

    assert partitions_of(topic(None), "log") == 1
    none = client(list_topics=Found(topics={"log": Found(error=None, partitions={})}))
    with pytest.raises(Stop, match="topic log is missing"):
        partitions_of(none, "log")
    with pytest.raises(KafkaException):
        partitions_of(topic(KafkaError.LEADER_NOT_AVAILABLE), "log")
    with pytest.raises(Stop, match="azotte up"):
        partitions_of(topic(KafkaError.UNKNOWN_TOPIC_OR_PART), "log")


@pytest.mark.parametrize(
    "code",
    [
        None, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE,
        KafkaError._MAX_POLL_EXCEEDED, KafkaError.NOT_COORDINATOR,
    ],
)  # fmt: skip
def test_an_error_after_which_the_client_goes_on_is_passed_over(code: int | None) -> None:
    check(message(code))


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._FENCED,
    ],
)  # fmt: skip
def test_a_partition_that_cannot_be_read_stops_the_process(code: int) -> None:
    with pytest.raises(Stop, match="log 0 cannot be read at 7"):
        check(message(code))


def test_what_is_there_is_taken_as_soon_as_something_is() -> None:
    asked: list[tuple[int, float]] = []

    class Waiting:
        """A consumer that waits, as librdkafka's does, for all that it is asked for."""

        there: ClassVar[list[str]] = ["a", "b", "c"]

        def consume(self, most: int, seconds: float) -> list[str]:
            asked.append((most, seconds if len(self.there) < most else 0))
            found, self.there[:] = self.there[:most], self.there[most:]
            return found

    consumer: Any = Waiting()
    assert gather(consumer, 10, 0.5) == ["a", "b", "c"]
    assert sum(seconds for _, seconds in asked) == 0, "it waited though something was there"
    assert gather(consumer, 10, 0.5) == []
    assert asked[-1] == (1, 0.5)
