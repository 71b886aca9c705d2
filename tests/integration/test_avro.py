"""Avro from end to end: an event in it is rated like one in JSON, and charge lines in it reach the table like those in JSON."""

from __future__ import annotations

import json
import pathlib
import struct
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas import avro, topics
from schemas.charges import as_json
from schemas.registry import Folder
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.integration.run import in_clickhouse

SETTLE_S = 90
DATA = {"type": "record", "name": "llm", "fields": [{"name": "tokens", "type": "long"}]}
CATALOG = {
    "meters": [{"key": "tokens", "event_type": "llm", "aggregation": "sum", "value": "$.tokens"}],
    "plans": [{"key": "pro", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": "year",
               "charges": [{"key": "input", "meter": "tokens", "price": {"model": "per_unit", "unit_amount": "0.000002"}}]}],
}  # fmt: skip


@pytest.fixture
def fleet(kafka: str, clickhouse: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    found = Fleet(kafka, f"avro-{uuid.uuid4().hex[:8]}.", tmp_path, partitions=2, clickhouse=clickhouse)
    folder = tmp_path / "schemas"
    folder.mkdir()
    (folder / "7.avsc").write_text(json.dumps(DATA))
    found.settings |= {
        "AZOTTE_CHARGES_FORMAT": "avro",
        "AZOTTE_SCHEMA_FOLDER": str(folder),
        "AZOTTE_SINK_LINGER": "100ms",
    }
    found.make_topics()
    yield found
    found.stop()


def commands() -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    envelope = {"tenant": "acme", "time": now.isoformat().replace("+00:00", "Z")}
    return [
        {**envelope, "id": "c1", "type": "apply_catalog", "catalog": CATALOG},
        {**envelope, "id": "c2", "type": "subscribe", "account": "cust-1", "subscription": "s", "plan": "pro",
         "start": f"{now.year}-01-01T00:00:00Z"},
    ]  # fmt: skip


def event(name: str, kind: str) -> list[tuple[str, bytes]]:
    found = {
        "specversion": "1.0",
        "id": name,
        "source": "gw",
        "type": "llm",
        "tenant": "acme",
        "subject": "cust-1",
    }
    return [
        ("content-type", kind.encode()),
        *((f"ce_{each}", value.encode()) for each, value in found.items()),
    ]


def test_events_and_charge_lines_in_avro(fleet: Fleet) -> None:
    fleet.command(commands())
    fleet.start("worker", "worker")
    fleet.start("sink", "sink")
    ledger.until(
        lambda: fleet.done_with("azotte-control", topics.COMMANDS) == 2, SETTLE_S, "the commands", fleet.logs
    )
    schemas = Folder(pathlib.Path(fleet.settings["AZOTTE_SCHEMA_FOLDER"]))
    content = avro.encode({"tokens": 374}, 7, schemas.get("7"))
    unknown = struct.pack(">bI", 0, 8) + content[5:]
    producer = Producer({"bootstrap.servers": fleet.servers})
    for value, headers in (
        (content, event("e1", "application/avro")), (content, event("e1", "application/avro")),
        (unknown, event("e2", "application/avro")), (b'{"tokens": 374.0}', event("e1", "application/json")),
        (b'{"tokens": 1}', event("e3", "application/json")),
    ):  # fmt: skip
        producer.produce(fleet.topic(topics.EVENTS), value, headers=headers)
    assert producer.flush(30) == 0

    charges = ledger.Reader(fleet.servers, fleet.topic(topics.CHARGES))
    rejected = ledger.Reader(fleet.servers, fleet.topic(topics.REJECTED))

    def lines() -> list[dict[str, Any]]:
        charges.poll()
        values = [value or b"" for _, value, _ in charges.records]
        assert all(value[:1] == b"\x00" for value in values)
        return [json.loads(as_json(value, schemas)) for value in values]

    ledger.until(
        lambda: bool(lines()) and lines()[-1]["amount_total"] == "0.00075", SETTLE_S, "375 tokens", fleet.logs
    )
    found = lines()
    assert ledger.faults(found) == []
    ledger.until(
        lambda: rejected.poll() > 0 or bool(rejected.records), SETTLE_S, "the rejected one", fleet.logs
    )
    assert [headers["error"] for _, _, headers in rejected.records] == [b"unknown_schema"]
    want = {line["id"]: line["amount"] for line in found}
    ledger.until(lambda: in_clickhouse(fleet) == want, SETTLE_S, "the lines in ClickHouse", fleet.logs)
