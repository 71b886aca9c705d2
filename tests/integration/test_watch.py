"""`azotte watch` and `azotte ledger` against real servers: what holds, what changes, what was at a time, a clean end."""

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import IO, Any

import pytest

from schemas import topics
from tests import sink_records as some
from tests.integration.fleet import Fleet
from tests.integration.warehouse import Put, Warehouse

PROGRAM = [sys.executable, "-m", "streams.cli"]
END_S = 30


@pytest.fixture
def warehouse(kafka: str, clickhouse: str, tmp_path: pathlib.Path) -> Iterator[Warehouse]:
    folder = tmp_path / "fleet"
    folder.mkdir()
    fleet = Fleet(kafka, f"watch-{uuid.uuid4().hex[:8]}.", folder, partitions=2, clickhouse=clickhouse)
    fleet.make_topics()
    try:
        yield Warehouse(fleet)
    finally:
        fleet.stop()


def watching(fleet: Fleet, *arguments: str) -> subprocess.Popen[str]:
    command = [*PROGRAM, "watch", "cust-1", "--tenant", "acme", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=fleet.environment()
    )


def records(stream: IO[str] | None, count: int) -> list[dict[str, Any]]:
    assert stream is not None
    return [json.loads(stream.readline()) for _ in range(count)]


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Ctrl-C: it must go by itself, and content."""
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=END_S)
    assert process.returncode == 0, said
    return said


def test_what_holds_is_printed_and_then_each_change(warehouse: Warehouse) -> None:
    chat = "acme/cust-1/chat"
    warehouse.put(
        [
            Put(topics.ENTITLEMENTS, some.entitlement(access=False), 1, chat),
            Put(topics.ENTITLEMENTS, some.entitlement(), 1, chat),
            Put(topics.ENTITLEMENTS, some.entitlement(), 1, "acme/cust-10/chat"),
            Put(topics.LEDGER, some.ledger_entry(1, balance="10"), 1),
            Put(topics.LEDGER, some.ledger_entry(2, balance="9.5"), 1),
            Put(topics.THRESHOLDS, some.threshold(1), 1),
        ]
    )
    process = watching(warehouse.fleet, "--json")
    told = records(process.stdout, 3)
    assert [each["topic"] for each in told] == [
        "billing.entitlements.v1",
        "billing.thresholds.v1",
        "billing.ledger.v1",
    ]
    assert told[0] == {"topic": "billing.entitlements.v1", "key": chat, "value": some.entitlement()}
    assert told[2]["value"]["balance"] == "9.5"
    warehouse.put(
        [Put(topics.ENTITLEMENTS, None, 1, chat), Put(topics.LEDGER, some.ledger_entry(3), 0, "acme/x")]
    )
    assert records(process.stdout, 1) == [{"topic": "billing.entitlements.v1", "key": chat, "value": None}]
    assert end(process) == ("", "")


def test_people_see_a_page_for_each_change_and_may_begin_later(warehouse: Warehouse) -> None:
    warehouse.put([Put(topics.THRESHOLDS, some.threshold(1), 1)])
    process = watching(warehouse.fleet, "--since", "2099-01-01T00:00:00Z")
    assert process.stdout is not None
    shown = [process.stdout.readline() for _ in range(11)]
    assert shown[0] == "acme/cust-1   Ctrl-C ends it\n"
    assert "spend-cap" not in "".join(shown)
    warehouse.put([Put(topics.THRESHOLDS, some.threshold(2, limit="other"), 1)])
    while not (line := process.stdout.readline()).startswith("other"):
        assert line, "it ended"
    said, told = end(process)
    assert told == "reading what there is of acme/cust-1\n"
    assert "Traceback" not in said


def balances(fleet: Fleet, *arguments: str) -> list[dict[str, Any]]:
    command = [*PROGRAM, "ledger", "cust-1", "--tenant", "acme", "--json", *arguments]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=fleet.environment()
    )
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_the_ledger_says_what_each_grant_came_to_at_any_time(warehouse: Warehouse) -> None:
    entries = [
        ("welcome", "grant", "10", "2026-11-01T00:00:00Z"), ("welcome", "burn", "-4", "2026-11-02T00:00:00Z"),
        ("welcome", "refund", "1", "2026-11-03T00:00:00Z"), ("gift", "grant", "5", "2026-11-03T00:00:00Z"),
        ("welcome", "expire", "-7", "2026-11-04T00:00:00.000001Z"),
    ]  # fmt: skip
    warehouse.put(
        Put(topics.LEDGER, some.ledger_entry(number, grant=grant, entry=entry, amount=amount, time=time))
        for number, (grant, entry, amount, time) in enumerate(entries)
    )
    warehouse.put([Put(topics.LEDGER, some.ledger_entry(9, account="cust-2", amount="99"))])
    warehouse.fleet.start("sink", "sink")
    warehouse.count("ledger", 6)
    assert balances(warehouse.fleet, "--at", "2026-10-31T00:00:00Z") == []
    at_two = balances(warehouse.fleet, "--at", "2026-11-02T00:00:00Z")
    assert [(each["grant"], each["balance"]) for each in at_two] == [("welcome", "6")]
    before = balances(warehouse.fleet, "--at", "2026-11-04T00:00:00Z")
    assert [(each["grant"], each["balance"]) for each in before] == [("welcome", "7"), ("gift", "5")]
    assert balances(warehouse.fleet) == [
        {"grant": "welcome", "unit": "USD", "balance": "0", "granted": "10", "used": "3", "ended": "7",
         "last": "2026-11-04T00:00:00.000001Z"},
        {"grant": "gift", "unit": "USD", "balance": "5", "granted": "5", "used": "0", "ended": "0",
         "last": "2026-11-03T00:00:00.000000Z"},
    ]  # fmt: skip
