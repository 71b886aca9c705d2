"""The table of topics: each has a name, and is kept as what stands on it needs."""

from __future__ import annotations

import re

import pytest

from schemas.topics import BY_NAME, DAY_MS, LARGE, LOG, TOPICS, Partitions, Topic


def test_a_name_is_one_topics() -> None:
    assert len(BY_NAME) == len(TOPICS)
    assert all(re.fullmatch(r"(usage|billing|rating|webhooks)\.[a-z]+\.v\d", topic.name) for topic in TOPICS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_compacted_or_has_a_retention_or_both(topic: Topic) -> None:
    config = topic.config()
    assert all(isinstance(value, str) for value in config.values())
    policies = config["cleanup.policy"].split(",")
    assert ("compact" in policies) == topic.compact
    assert (
        ("delete" in policies) == ("retention.ms" in config) == (not topic.compact or topic.retention_ms >= 0)
    )


def test_dead_letters_are_one_a_webhook_and_end_some_day() -> None:
    config = BY_NAME["webhooks.undelivered.v1"].config()
    assert config["cleanup.policy"] == "compact,delete"
    assert config["retention.ms"] == str(90 * DAY_MS)


def test_what_access_was_is_there_for_six_hours() -> None:
    assert BY_NAME["billing.entitlements.v1"].config()["min.compaction.lag.ms"] == str(DAY_MS // 4)
    assert "min.compaction.lag.ms" not in BY_NAME["rating.state.v1"].config()


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
    assert aligned == {LOG.name, "rating.limits.v1", "rating.state.v1", "rating.uncounted.v1", "billing.charges.v1", "billing.thresholds.v1",
                       "billing.entitlements.v1", "billing.reservations.v1", "billing.ledger.v1", "billing.signals.v1"}  # fmt: skip


def test_what_carries_another_record_may_be_larger_than_it() -> None:
    assert (
        BY_NAME["usage.rejected.v1"].message_bytes_max == LARGE > BY_NAME["usage.events.v1"].message_bytes_max
    )
