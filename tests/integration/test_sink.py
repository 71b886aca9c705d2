"""The sink on a real broker and a real ClickHouse: every table has what its topic has, each record once."""

from __future__ import annotations

import pathlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext
from urllib.parse import urlsplit

import pytest

from rating.records import ReadingColumn
from schemas import topics
from sinks.clickhouse.client import Server, connect
from sinks.clickhouse.migrate import MigrationError, migrate, migration, migrations
from tests import sink_records as some
from tests.integration.fleet import Fleet
from tests.integration.warehouse import Put, Warehouse

PLACES = [("large", "eu"), ("small", "us")]


@pytest.fixture
def warehouse(kafka: str, clickhouse: str, tmp_path: pathlib.Path) -> Iterator[Warehouse]:
    fleet = Fleet(kafka, f"sink-{uuid.uuid4().hex[:8]}.", tmp_path, clickhouse=clickhouse)
    fleet.settings["AZOTTE_SINK_LINGER"] = "100ms"
    fleet.make_topics()
    yield Warehouse(fleet)
    fleet.stop()


def server(url: str) -> Server:
    """The server of a database's URL."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    user, password = parts.username or "default", parts.password or ""
    return Server(parts.hostname, parts.port, user, password, False, parts.path.strip("/"))


def exact_sum(amounts: list[str]) -> Decimal:
    """The sum, to the last digit."""
    with localcontext(prec=80):
        return sum(map(Decimal, amounts), Decimal(0))


def test_charges_are_those_of_the_topic_to_the_last_digit(warehouse: Warehouse) -> None:
    amounts = [f"{each if each % 3 else -each - 1}.{each + 1:036d}".rstrip("0") for each in range(1000)]
    lines = [some.charge(each, amount=amount, amount_due=amount) for each, amount in enumerate(amounts)]
    warehouse.put(Put(topics.CHARGES, line, each % 4) for each, line in enumerate(lines))
    warehouse.put([Put(topics.CHARGES, some.charge(9_999))], commit=False)
    warehouse.fleet.start("sink", "sink")
    warehouse.count("charges", 1000)
    warehouse.until("SELECT sum(amount), sum(revision) FROM charges", [(exact_sum(amounts), 500_500)])
    found = warehouse.ask("SELECT id, toString(amount), _partition, _topic FROM charges ORDER BY id")
    assert found == [
        (line["id"], line["amount"], each % 4, "billing.charges.v1") for each, line in enumerate(lines)
    ]
    (row,) = warehouse.ask(
        "SELECT dimensions['model'], source.partition, JSONExtractString(details, 1, 'unit_amount'), toString(time),"
        " rounded, toTypeName(amount), toTypeName(quantity), toTypeName(period_end) FROM charges WHERE revision = 1"
    )
    assert row == (
        "large", 3, "0.000002", "2026-11-22 10:00:00.123456", None, "Decimal(76, 36)", "Decimal(38, 12)",
        "DateTime64(6, 'UTC')",
    )  # fmt: skip


def test_every_other_table_has_its_topic(warehouse: Warehouse) -> None:
    warehouse.put(
        [
            *(Put(topics.LEDGER, some.ledger_entry(each), each % 4) for each in range(20)),
            *(Put(topics.THRESHOLDS, some.threshold(each), each % 4) for each in range(10)),
            *(Put(topics.SIGNALS, some.signal(each), each % 4) for each in range(5)),
            *(Put(topics.REJECTED, b"\xff{" + str(each).encode(), each % 4) for each in range(7)),
            Put(topics.ENTITLEMENTS, some.entitlement(), 1, "acme/cust-1/chat"),
            Put(topics.ENTITLEMENTS, some.entitlement("sso", kind="boolean"), 1, "acme/cust-1/sso"),
        ]
    )
    warehouse.fleet.start("sink", "sink")
    warehouse.until("SELECT count(), sum(amount) FROM ledger", [(20, Decimal("-0.01496"))])
    warehouse.until("SELECT count(), sum(value), any(hard) FROM thresholds", [(10, Decimal(4015), True)])
    warehouse.until("SELECT count(), any(JSONExtractString(facts, 'spend')) FROM signals", [(5, "400.25")])
    warehouse.until(
        "SELECT count(), any(error), any(origin_offset), min(hex(value)), any(key) FROM rejected",
        [(7, "malformed", 77, "FF7B30", "acme/cust-1")],
    )
    newest = "SELECT feature, access, used FROM entitlements ORDER BY feature"
    warehouse.until(newest, [("chat", True, Decimal(374)), ("sso", True, Decimal(374))])
    warehouse.put(
        [
            Put(topics.ENTITLEMENTS, some.entitlement(access=False, used="1000001"), 1, "acme/cust-1/chat"),
            Put(topics.ENTITLEMENTS, None, 1, "acme/cust-1/sso"),
        ]
    )
    warehouse.until(newest, [("chat", False, Decimal(1_000_001))])


def test_usage_is_what_was_counted_less_and_plus_corrections(warehouse: Warehouse) -> None:
    tokens = ReadingColumn("tokens", [0, 1, 2], [100, "0.5", 7], [0, 1, 0], PLACES)
    users = ReadingColumn("users", [0, 1], ["u-1", "u-1"], [0, 0], [("large",)])
    warehouse.put([Put(topics.LOG, some.pack(["a", "b", "c", "d"], [tokens, users]), 2)])
    warehouse.put(
        [
            Put(
                topics.LOG,
                some.pack(["a", "e"], [tokens._replace(event=[0, 1], value=[100, 3], dim=[0, 0])]),
                2,
            )
        ]
    )
    warehouse.fleet.start("sink", "sink")
    query = "SELECT sum(value * sign), sum(sign), uniqExact(id) FROM usage_events WHERE meter = 'tokens'"
    warehouse.until(query, [(Decimal("210.5"), 5, 4)])
    warehouse.until("SELECT id FROM usage_events WHERE meter = ''", [("d",)])
    # The copy of a, at offset 2 of its partition, after the first pack and the mark of its transaction.
    warehouse.put([Put(topics.UNCOUNTED, some.uncounted(2, 2, [0]), 2)])
    warehouse.until(query, [(Decimal("110.5"), 4, 4)])
    rows = [some.correction("c", -1, "7"), some.correction("c", 1, "9")]
    warehouse.put([Put(topics.UNCOUNTED, some.uncounted(2, 9, [], rows), 2)])
    warehouse.until(query, [(Decimal("112.5"), 4, 4)])
    warehouse.until(
        "SELECT dimensions['region'] AS region, sum(value * sign) FROM usage_events WHERE meter = 'tokens'"
        " GROUP BY region ORDER BY region",
        [("eu", Decimal(112)), ("us", Decimal("0.5"))],
    )
    warehouse.until("SELECT uniqExact(value_text) FROM usage_events WHERE meter = 'users'", [(1,)])


def test_what_is_read_again_in_other_batches_shows_once(warehouse: Warehouse) -> None:
    records = [Put(topics.CHARGES, some.charge(each), each % 4) for each in range(500)]
    records += [Put(topics.LOG, some.pack([f"{each}-a", f"{each}-b"]), each % 4) for each in range(200)]
    warehouse.put(records)
    warehouse.fleet.settings["AZOTTE_SINK_BATCH_ROWS"] = "37"
    warehouse.fleet.start("sink", "sink")
    warehouse.count("charges", 500)
    warehouse.count("usage_events", 400)
    warehouse.fleet.stop()
    warehouse.forget_offsets()
    warehouse.fleet.settings["AZOTTE_SINK_BATCH_ROWS"] = "100000"
    warehouse.put([Put(topics.CHARGES, some.charge(500), 0)])
    warehouse.fleet.start("sink", "sink")
    warehouse.count("charges", 501)
    warehouse.until("SELECT count(), uniqExact(id) FROM charges", [(501, 501)])
    warehouse.until("SELECT count(), uniqExact(id) FROM usage_events", [(400, 400)])
    # That they came twice is seen below the views, unless a merge has been quicker.
    assert warehouse.ask("SELECT count() >= 501 FROM charges_rows") == [(1,)]


def test_somebody_elses_record_is_kept_aside(warehouse: Warehouse) -> None:
    warehouse.put(
        [
            Put(topics.CHARGES, some.charge(1)),
            Put(topics.CHARGES, b"hello"),
            Put(topics.CHARGES, some.charge(2)),
        ]
    )
    warehouse.fleet.start("sink", "sink")
    warehouse.count("charges", 2)
    warehouse.until("SELECT _topic, _offset, value FROM sink_errors", [("billing.charges.v1", 1, "hello")])


def test_a_block_may_hold_many_months(warehouse: Warehouse) -> None:
    months = [f"{2010 + each // 12}-{each % 12 + 1:02d}-15T00:00:00Z" for each in range(180)]
    warehouse.put(Put(topics.CHARGES, some.charge(each, time=month)) for each, month in enumerate(months))
    warehouse.fleet.start("sink", "sink")
    warehouse.until("SELECT count(), uniqExact(toYYYYMM(time)) FROM charges", [(180, 180)])


def test_a_topic_that_was_made_anew_stops_the_sink(warehouse: Warehouse) -> None:
    warehouse.put([Put(topics.CHARGES, some.charge(1))])
    sink = warehouse.fleet.start("sink", "sink")
    warehouse.count("charges", 1)
    warehouse.fleet.stop()
    warehouse.remake(topics.CHARGES)
    sink = warehouse.fleet.start("again", "sink")
    assert sink.wait(60) == 1
    name = warehouse.fleet.topic(topics.CHARGES)
    assert f"azotte: sink: topic {name} was deleted and made anew" in warehouse.fleet.log("again")


def test_a_topic_that_is_made_anew_under_a_running_sink_stops_it(warehouse: Warehouse) -> None:
    warehouse.put([Put(topics.CHARGES, some.charge(1))])
    sink = warehouse.fleet.start("sink", "sink")
    warehouse.count("charges", 1)
    warehouse.remake(topics.CHARGES)
    warehouse.put([Put(topics.CHARGES, some.charge(each)) for each in range(2, 9)])
    assert sink.wait(60) == 1
    assert "azotte: sink: topic " in warehouse.fleet.log("sink")
    assert warehouse.ask("SELECT count() FROM charges") == [(1,)]


def test_a_database_of_another_deployment_is_refused(warehouse: Warehouse, tmp_path: pathlib.Path) -> None:
    warehouse.fleet.start("sink", "sink")
    warehouse.count("charges", 0)
    folder = tmp_path / "other"
    folder.mkdir()
    other = Fleet(
        warehouse.fleet.servers, warehouse.fleet.prefix + "b.", folder, clickhouse=warehouse.fleet.clickhouse
    )
    other.make_topics()
    warehouse.until("SELECT count() FROM sink_topics FINAL", [(8,)])
    assert other.start("sink", "sink").wait(60) == 1
    assert "holds the rows of topic" in other.log("sink")


def test_two_that_migrate_at_once_come_to_the_same_tables(clickhouse: str) -> None:
    where = server(clickhouse)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: migrate(connect(where)), range(4)))
    assert {name for names in done for name in names} == {each.name for each in migrations()}
    client = connect(where)
    assert migrate(client) == []
    assert client.query("SELECT count() FROM usage_events").result_rows == [(0,)]
    client.close()


def test_an_applied_migration_that_changed_is_an_error(clickhouse: str) -> None:
    client = connect(server(clickhouse))
    first, second, *rest = migrations()
    migrate(client)
    changed = migration(second.name, "CREATE OR REPLACE VIEW charges AS SELECT 1;")
    with pytest.raises(MigrationError, match=r"0002_views\.sql was applied with other content"):
        migrate(client, [first, changed, *rest])
    with pytest.raises(MigrationError, match=r"0002_views\.sql, which this program does not know"):
        migrate(client, [first])
    client.close()
