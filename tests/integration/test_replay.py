"""A real trace through the whole pipeline, with duplicates, disorder and garbage, equals an independent auditor."""

from __future__ import annotations

import json
import os
import pathlib
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas import topics
from tests.auditor import trace, usage
from tests.integration import ledger, replay
from tests.integration.fleet import Fleet

SEED = 20_231_116
KILLS = 20
TENANT = "acme"


@pytest.fixture
def fleet(kafka: str, clickhouse: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(kafka, f"replay-{uuid.uuid4().hex[:8]}.", tmp_path, clickhouse=clickhouse)
    made.make_topics()
    yield made
    made.stop()


def catalog_and_subscriptions(start: int) -> list[dict[str, object]]:
    """The commands that put the auditor's catalog in force and subscribe every account from the year's start."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    year = datetime.fromtimestamp(start // 1_000_000, UTC).year
    apply: dict[str, object] = {
        "id": "catalog",
        "tenant": TENANT,
        "type": "apply_catalog",
        "time": now,
        "catalog": usage.CATALOG,
    }
    subscribe: list[dict[str, object]] = [
        {
            "id": f"subscribe-{account}",
            "tenant": TENANT,
            "account": account,
            "type": "subscribe",
            "time": now,
            "subscription": "main",
            "plan": usage.plan_of(account),
            "start": f"{year}-01-01T00:00:00Z",
        }
        for account in usage.accounts()
    ]
    return [apply, *subscribe]


def test_the_real_trace_has_the_totals_that_its_readme_states() -> None:
    folder = os.environ.get("AZOTTE_TEST_DATA")
    sums = usage.quantities(trace.rows())
    assert sums["code.rows"] == 8_819
    assert sums["conv.rows"] == 19_366
    if folder is not None:
        stated = json.loads((pathlib.Path(folder) / "totals.json").read_text())
        fields = ("rows", "context_tokens", "generated_tokens")
        assert {f"{file}.{name}": stated[file][name] for file in stated for name in fields} == dict(sums)


class Run:
    """One replay: what went in, what came out, and when it is complete."""

    def __init__(self, fleet: Fleet, rows: list[trace.Row], seed: int) -> None:
        self.fleet = fleet
        self.start = replay.noon_two_days_ago(datetime.now(UTC))
        self.feed = replay.feed(rows, self.start, seed)
        self.want = usage.owed(rows)
        self.charges = ledger.Reader(fleet.servers, fleet.topic(topics.CHARGES))
        self.rejected = ledger.Reader(fleet.servers, fleet.topic(topics.REJECTED))

    def differences(self) -> dict[tuple[str, str], object]:
        """Where the bill and the auditor differ by now."""
        return dict(ledger.differences(self.want, ledger.billed(ledger.lines(self.charges))))

    def complete(self) -> bool:
        """Whether everything has come out; reads what is new."""
        came = self.charges.poll() + self.rejected.poll(0.05)
        return not came and len(self.rejected.records) >= self.feed.malformed and not self.differences()

    def wait_for_a_line(self) -> None:
        """Wait until a line more than now has come."""
        before = len(self.charges.records)

        def came() -> bool:
            self.charges.poll()
            return len(self.charges.records) > before

        ledger.until(came, 90, "a line", self.fleet.logs)

    def settle(self, seconds: float) -> None:
        """Wait for the last line, then check everything that a consumer may rely on."""
        ledger.until(self.complete, seconds, "the auditor's totals", self._state)
        assert ledger.faults(ledger.lines(self.charges)) == []
        codes = [headers["error"].decode() for _, _, headers in self.rejected.records]
        assert len(codes) == self.feed.malformed, sorted(codes)

    def _state(self) -> str:
        off = list(self.differences().items())[:5]
        return f"{len(self.rejected.records)}/{self.feed.malformed} rejected, off: {off}\n{self.fleet.logs()}"


def test_a_shuffled_trace_with_duplicates_and_garbage_is_billed_to_the_last_digit(fleet: Fleet) -> None:
    run = Run(fleet, trace.rows(), SEED)
    fleet.command(catalog_and_subscriptions(run.start))
    replay.publish(fleet.servers, fleet.topic(topics.EVENTS), run.feed.messages)
    for name in ("one", "two"):
        fleet.start(name, "worker")
    fleet.start("sink", "sink")
    run.settle(120)
    ledger.until(lambda: in_clickhouse(fleet) == on_topic(run), 60, "every line in ClickHouse", fleet.logs)


def on_topic(run: Run) -> dict[str, str]:
    """Each line's id and amount, as published."""
    return {line["id"]: line["amount"] for line in ledger.lines(run.charges)}


def in_clickhouse(fleet: Fleet) -> dict[str, str]:
    """Each line's id and amount, as an analyst sees it; an id twice fails."""
    assert fleet.clickhouse is not None
    try:
        client = clickhouse_connect.get_client(dsn=fleet.clickhouse)
    except ClickHouseError:
        return {}
    try:
        rows = client.query("SELECT id, toString(amount) FROM charges").result_rows
    except ClickHouseError:
        return {}
    finally:
        client.close()
    assert len({row[0] for row in rows}) == len(rows), "a line stands twice in ClickHouse"
    return {row[0]: row[1] for row in rows}


def test_twenty_kills_at_random_moments_change_no_total(fleet: Fleet) -> None:
    run = Run(fleet, trace.rows(), SEED + 1)
    draw = random.Random(SEED)
    fleet.command(catalog_and_subscriptions(run.start))
    names = {"one": "worker", "two": "worker", "sink": "sink"}
    for name, command in names.items():
        fleet.start(name, command)
    share = -(-len(run.feed.messages) // KILLS)
    for kill in range(KILLS):
        replay.publish(
            fleet.servers, fleet.topic(topics.EVENTS), run.feed.messages[kill * share : (kill + 1) * share]
        )
        # A kill at rest proves nothing: the next one comes while the lines of this share do.
        run.wait_for_a_line()
        victim = draw.choice(sorted(names))
        fleet.kill(victim)
        fleet.start(victim, names[victim])
    run.settle(180)
    ledger.until(lambda: in_clickhouse(fleet) == on_topic(run), 60, "every line in ClickHouse", fleet.logs)
