"""The group of gateways. A member says where it answers in the metadata of the offsets that it commits of its partitions.

So whoever may read the group's offsets knows who has which partition, or had it last.
"""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import TopicPartition

GROUP = "azotte-gateway"


def owners(found: Iterable[TopicPartition]) -> dict[int, str]:
    """The address of each partition's owner, from the offsets that the group has; those that nobody had yet are left out."""
    return {each.partition: each.metadata for each in found if each.offset >= 0 and each.metadata}
