"""What a gateway commits of its partitions is where others find it."""

from __future__ import annotations

from confluent_kafka import TopicPartition

from streams.gateway.members import owners


def test_a_partition_is_with_who_committed_it_last() -> None:
    found = [
        TopicPartition("t", 0, 7, "http://10.0.0.7:6070"),
        TopicPartition("t", 1, 0, "http://10.0.0.8:6070"),
    ]
    assert owners(found) == {0: "http://10.0.0.7:6070", 1: "http://10.0.0.8:6070"}


def test_one_that_nobody_had_or_nobody_spoke_for_is_with_nobody() -> None:
    assert owners([TopicPartition("t", 0, -1001), TopicPartition("t", 1, 3)]) == {}
