"""Records become webhooks of the contract's types, around the record's own bytes; what is none becomes none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas import topics
from schemas.webhooks import TYPES, NotARecord, made, may_be, read, webhook_of
from tests import sink_records as some


def encoded(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()


def test_the_types_are_the_contracts() -> None:
    assert set(TYPES) == {
        "threshold.breached", "threshold.recovered", "entitlement.granted", "entitlement.denied", "grant.expired",
        "signal.on", "signal.off", "period.closed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "record", "kind"),
    [
        (topics.THRESHOLDS, some.threshold(1), "threshold.breached"),
        (topics.THRESHOLDS, some.threshold(1, state="recovered"), "threshold.recovered"),
        (topics.LEDGER, some.ledger_entry(1, entry="expire"), "grant.expired"),
        (topics.SIGNALS, some.signal(1), "signal.on"),
        (topics.SIGNALS, some.signal(1, state="off"), "signal.off"),
        (topics.CHARGES, some.charge(1, kind="close"), "period.closed"),
    ],
)
def test_a_record_becomes_a_webhook_with_its_id_and_itself(
    topic: topics.Topic, record: dict[str, Any], kind: str
) -> None:
    value = encoded(record)
    assert may_be(topic.name, value)
    webhook = webhook_of(topic.name, value)
    assert webhook is not None
    assert (webhook.id, webhook.type, webhook.tenant) == (record["id"], kind, "acme")
    assert webhook.key == f"acme/{record['account']}"
    assert json.loads(webhook.body) == {"type": kind, "timestamp": record["time"], "data": record}
    assert value in webhook.body


def test_a_limit_of_the_whole_tenant_has_a_key_without_an_account() -> None:
    webhook = webhook_of(topics.THRESHOLDS.name, encoded(some.threshold(1, account=None, scope="tenant")))
    assert webhook is not None
    assert webhook.key == "acme/"


@pytest.mark.parametrize(
    ("topic", "record"),
    [
        (topics.LEDGER, some.ledger_entry(1)),
        (topics.LEDGER, some.ledger_entry(1, entry="void", grant="expire")),
        (topics.CHARGES, some.charge(1)),
        (topics.CHARGES, some.charge(1, charge="close")),
    ],
)
def test_other_records_become_none(topic: topics.Topic, record: dict[str, Any]) -> None:
    assert webhook_of(topic.name, encoded(record)) is None


def test_what_cannot_become_one_is_known_without_reading_it() -> None:
    assert not may_be(topics.CHARGES.name, encoded(some.charge(1)))
    assert not may_be(topics.LEDGER.name, encoded(some.ledger_entry(1)))
    assert may_be(topics.CHARGES.name, b"\x00\x00\x00\x00\x01\x0aclose"), "a line in Avro"


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"[]", b"\xff", b"null", encoded(some.threshold(1, id="a b")), encoded(some.threshold(1, id="ü")),
     encoded(some.threshold(1, id="")), encoded(some.threshold(1, tenant=None)), b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_record_is_told(value: bytes) -> None:
    with pytest.raises(NotARecord):
        webhook_of(topics.THRESHOLDS.name, value)


def test_a_name_stands_in_a_header() -> None:
    value = encoded(some.entitlement())
    with pytest.raises(NotARecord, match="not printable ASCII"):
        made("entitlement.granted", "a\r\nx-evil: 1", read(value), value)
