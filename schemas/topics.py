"""Every topic, in one table: its name, how it is kept, and how many partitions it has.

`LOG_ALIGNED` topics have the partition count that the log began with, for the log's life: the partition of an account
in one is its partition in all. See the contract, section 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 24 * 3600 * 1000


class Partitions(StrEnum):
    """How many partitions a topic gets when it is made."""

    ONE = "one"
    SETTING = "setting"
    LOG_ALIGNED = "log"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's base name and the configuration that it is made with.

    `retention_ms` -1 keeps for ever; a compacted topic may have one too. `compaction_lag_ms`: a record is not compacted
    away before a newer one of its key is that old.
    """

    name: str
    partitions: Partitions
    compact: bool = False
    retention_ms: int = -1
    append_time: bool = False
    message_bytes_max: int = 1_048_588
    compaction_lag_ms: int = 0

    def config(self) -> dict[str, str]:
        """The topic configuration, as Kafka's admin API takes it."""
        expires = not self.compact or self.retention_ms >= 0
        config = {
            "cleanup.policy": ",".join(["compact"] * self.compact + ["delete"] * expires),
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
            "max.message.bytes": str(self.message_bytes_max),
        }
        if self.compact:
            config |= {"min.cleanable.dirty.ratio": "0.1", "segment.ms": str(DAY_MS // 4)}
        if self.compaction_lag_ms:
            config["min.compaction.lag.ms"] = str(self.compaction_lag_ms)
        if expires:
            config["retention.ms"] = str(self.retention_ms)
        return config


LARGE = 8 * 1_048_576
"""Records that carry another record, or a whole catalog."""

EVENTS = Topic("usage.events.v1", Partitions.SETTING, retention_ms=7 * DAY_MS, append_time=True)
COMMANDS = Topic(
    "billing.commands.v1", Partitions.ONE, retention_ms=90 * DAY_MS, append_time=True, message_bytes_max=LARGE
)
CATALOG = Topic("billing.catalog.v1", Partitions.ONE, compact=True, message_bytes_max=LARGE)
LOG = Topic("rating.log.v1", Partitions.LOG_ALIGNED, message_bytes_max=LARGE)
DIRECTORY = Topic("rating.directory.v1", Partitions.ONE, compact=True, message_bytes_max=LARGE)
STATE = Topic("rating.state.v1", Partitions.LOG_ALIGNED, compact=True, message_bytes_max=LARGE)
"""Internal: the changelog of rating's cells."""
UNCOUNTED = Topic("rating.uncounted.v1", Partitions.LOG_ALIGNED, message_bytes_max=LARGE)
"""Internal: which events of a pack were not counted, and what corrections added or took."""
LIMITS = Topic("rating.limits.v1", Partitions.LOG_ALIGNED, compact=True)
"""Internal: how hard limits stand that no entitlement shows, for gateways."""
CHARGES = Topic("billing.charges.v1", Partitions.LOG_ALIGNED)
THRESHOLDS = Topic("billing.thresholds.v1", Partitions.LOG_ALIGNED)
ENTITLEMENTS = Topic(
    "billing.entitlements.v1", Partitions.LOG_ALIGNED, compact=True, compaction_lag_ms=DAY_MS // 4
)
RESERVATIONS = Topic("billing.reservations.v1", Partitions.LOG_ALIGNED, compact=True)
"""Internal: what gateways granted, `tenant/account/id`."""
LEDGER = Topic("billing.ledger.v1", Partitions.LOG_ALIGNED)
SIGNALS = Topic("billing.signals.v1", Partitions.LOG_ALIGNED)
REJECTED = Topic("usage.rejected.v1", Partitions.SETTING, retention_ms=90 * DAY_MS, message_bytes_max=LARGE)
UNDELIVERED = Topic(
    "webhooks.undelivered.v1",
    Partitions.SETTING,
    compact=True,
    retention_ms=90 * DAY_MS,
    message_bytes_max=2 * 1_048_588,
)
"""Internal: webhooks that no try delivered, by address and id; a tombstone where one was delivered later."""

TOPICS = (
    EVENTS, COMMANDS, CATALOG, LOG, DIRECTORY, STATE, UNCOUNTED, LIMITS,
    CHARGES, THRESHOLDS, ENTITLEMENTS, RESERVATIONS, LEDGER, SIGNALS, REJECTED, UNDELIVERED,
)  # fmt: skip
BY_NAME = {topic.name: topic for topic in TOPICS}
