"""Section 1: the topics' names, keys and cleanup."""

from __future__ import annotations

import pytest

from schemas.topics import BY_NAME, Partitions
from streams.settings import Settings
from tests.contract import world

CLEANUP = {
    "usage.events.v1": "delete", "billing.commands.v1": "delete", "billing.catalog.v1": "compact",
    "rating.log.v1": "delete", "rating.directory.v1": "compact", "billing.charges.v1": "delete",
    "billing.thresholds.v1": "delete", "billing.entitlements.v1": "compact", "billing.ledger.v1": "delete",
    "billing.signals.v1": "delete", "usage.rejected.v1": "delete",
}  # fmt: skip
OURS_ALONE = {
    "billing.reservations.v1", "rating.limits.v1", "rating.state.v1", "rating.uncounted.v1", "webhooks.undelivered.v1",
}  # fmt: skip


@pytest.mark.parametrize("name", CLEANUP)
def test_a_topic_is_kept_as_the_contract_says(name: str) -> None:
    assert BY_NAME[name].config()["cleanup.policy"] == CLEANUP[name]


def test_there_is_no_other_topic_but_internal_ones() -> None:
    assert set(BY_NAME) - set(CLEANUP) == OURS_ALONE


def test_commands_have_one_partition() -> None:
    assert BY_NAME["billing.commands.v1"].partitions is Partitions.ONE


def test_a_prefix_stands_before_every_name() -> None:
    settings = Settings(topic_prefix="eu-1.")
    assert settings.topic("billing.charges.v1") == "eu-1.billing.charges.v1"
    assert settings.base("eu-1.billing.charges.v1") == "billing.charges.v1"


@pytest.mark.parametrize("topic", ["billing.charges.v1", "billing.ledger.v1"])
def test_a_billing_record_is_keyed_by_its_account(topic: str) -> None:
    assert {record.key for record in world.of(topic)} == {"acme/cust-1"}
    assert all(
        f"{record.value['tenant']}/{record.value['account']}" == record.key for record in world.of(topic)
    )


def test_a_rejected_event_keeps_the_key_that_it_came_with() -> None:
    stages = {record.headers["stage"]: record.key for record in world.of("usage.rejected.v1")}
    assert stages == {"normalize": None, "rate": "acme/cust-1"}
