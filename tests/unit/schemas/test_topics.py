"""The table of topics: each has a name, and is kept as what stands on it needs."""

from __future__ import annotations

import re

import pytest

from schemas.topics import BY_NAME, DAY_MS, LARGE, LOG, TOPICS, Partitions, Topic


def test_a_name_is_one_topics() -> None:
    assert len(BY_NAME) == len(TOPICS)
    assert all(re.fullmatch(r"(usage|billing|rating)\.[a-z]+\.v\d", topic.name) for topic in TOPICS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_compacted_topic_has_no_retention_and_any_other_one_has(topic: Topic) -> None:
    config = topic.config()
    assert all(isinstance(value, str) for value in config.values())
    assert config["cleanup.policy"] == ("compact" if topic.compact else "delete")
    assert ("retention.ms" in config) != topic.compact


def test_raw_topics_stamp_at_append_so_that_a_receipt_is_the_brokers() -> None:
    assert {topic.name for topic in TOPICS if topic.append_time} == {"usage.events.v1", "billing.commands.v1"}
    assert BY_NAME["usage.events.v1"].config()["message.timestamp.type"] == "LogAppendTime"


def test_the_log_and_what_bills_is_kept_for_ever() -> None:
    kept = {topic.name for topic in TOPICS if not topic.compact and topic.retention_ms < 0}
    assert kept == {
        "rating.log.v1", "rating.uncounted.v1", "billing.charges.v1", "billing.thresholds.v1", "billing.ledger.v1",
        "billing.signals.v1",
    }  # fmt: skip
    assert all(topic.retention_ms < 0 or topic.retention_ms >= 7 * DAY_MS for topic in TOPICS)


def test_an_accounts_partition_in_the_log_is_its_partition_in_all_that_follow() -> None:
    aligned = {topic.name for topic in TOPICS if topic.partitions is Partitions.LOG_ALIGNED}
    assert aligned == {LOG.name, "rating.state.v1", "rating.uncounted.v1", "billing.charges.v1", "billing.thresholds.v1",
                       "billing.entitlements.v1", "billing.ledger.v1", "billing.signals.v1"}  # fmt: skip


def test_what_carries_another_record_may_be_larger_than_it() -> None:
    assert (
        BY_NAME["usage.rejected.v1"].message_bytes_max == LARGE > BY_NAME["usage.events.v1"].message_bytes_max
    )
