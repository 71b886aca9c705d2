"""What could not be used: a code, a sentence, where it came from, and its own bytes."""

from __future__ import annotations

from typing import NamedTuple

CODES = (
    "malformed", "missing_attribute", "bad_value", "unknown_subject", "unrated", "wrong_tenant", "too_old", "too_new",
    "too_large", "id_conflict", "unknown_schema", "bad_command",
)  # fmt: skip
STAGES = ("normalize", "control", "rate")
Headers = list[tuple[str, bytes | None]]
DETAIL_MAX = 1_000


class RawRecord(NamedTuple):
    """A Kafka record as it came; `timestamp` in microseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


class Rejected(NamedTuple):
    """A record that could not be used, and why."""

    code: str
    detail: str
    stage: str
    record: RawRecord

    def headers(self) -> Headers:
        """The original headers, and after them what happened."""
        record = self.record
        return [
            *(record.headers or ()),
            ("error", self.code.encode()),
            ("error_detail", self.detail[:DETAIL_MAX].encode("utf-8", "replace")),
            ("stage", self.stage.encode()),
            ("origin_topic", record.topic.encode()),
            ("origin_partition", str(record.partition).encode()),
            ("origin_offset", str(record.offset).encode()),
        ]
