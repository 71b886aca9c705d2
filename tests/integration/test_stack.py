"""The local stack's ClickHouse is one for every client, and its broker is one for exactness."""

from __future__ import annotations

import concurrent.futures
import gzip
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from decimal import Decimal

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver import Client
from confluent_kafka.admin import AdminClient


def ask(address: str, query: str, body: bytes = b"", **headers: str) -> str:
    request = urllib.request.Request(f"{address}/?query={urllib.parse.quote(query)}", body or None, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def get(address: str, **arguments: str) -> str:
    with urllib.request.urlopen(f"{address}/?{urllib.parse.urlencode(arguments)}", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.fixture
def asked(clickhouse: str) -> Iterator[Client]:
    """A client of a database that is there."""
    address, _, database = clickhouse.rpartition("/")
    ask(address, f"CREATE DATABASE {database}", b" ")
    made = clickhouse_connect.get_client(dsn=clickhouse)
    yield made
    made.close()


def test_any_http_client_asks_and_inserts(clickhouse: str) -> None:
    address, _, database = clickhouse.rpartition("/")
    ask(address, f"CREATE DATABASE {database}", b" ")
    ask(address, f"CREATE TABLE {database}.seen (a UInt64, b String) ENGINE MergeTree ORDER BY a", b" ")
    ask(address, f"INSERT INTO {database}.seen FORMAT JSONEachRow", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}')
    packed = gzip.compress(b"3\tz\n")
    ask(address, f"INSERT INTO {database}.seen FORMAT TabSeparated", packed, **{"Content-Encoding": "gzip"})
    assert ask(address, f"SELECT a, b FROM {database}.seen ORDER BY a") == "1\tx\n2\ty\n3\tz\n"


def test_a_refused_query_names_its_code(clickhouse_address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(clickhouse_address, "SELECT * FROM nowhere.nothing")
    refused.value.close()
    assert refused.value.headers["X-ClickHouse-Exception-Code"] in ("60", "81")
    assert refused.value.code == 404


def test_clickhouse_connect_keeps_wide_decimals_exact(asked: Client) -> None:
    asked.command("CREATE TABLE exact (a UInt64, d Decimal(76, 36)) ENGINE MergeTree ORDER BY a")
    value = Decimal("1234567890123456789012345678901234567.000000000000000000000000000000000001")
    column = pa.array([value], pa.decimal256(76, 36))
    asked.insert_arrow("exact", pa.table({"a": pa.array([1], pa.uint64()), "d": column}))
    assert asked.query("SELECT d FROM exact").result_rows == [(value,)]
    assert asked.query("SELECT a FROM exact WHERE a = {a:UInt64}", {"a": 1}).result_rows == [(1,)]


def test_a_long_query_does_not_hold_up_an_insert(asked: Client, clickhouse: str) -> None:
    asked.command("CREATE TABLE busy (a UInt64) ENGINE MergeTree ORDER BY a")
    address, _, database = clickhouse.rpartition("/")
    slow = "SELECT sum(sleepEachRow(1)) FROM numbers(3) SETTINGS max_block_size = 1"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        long = pool.submit(ask, address, slow)
        before = time.monotonic()
        ask(address, f"INSERT INTO {database}.busy FORMAT TabSeparated", b"1\n")
        assert not long.done(), f"the insert took {time.monotonic() - before:.1f} s"
        long.result(30)


def test_settings_and_a_database_hold_for_their_own_query_alone(clickhouse_address: str) -> None:
    arguments = {"query": "SELECT getSetting('max_block_size'), currentDatabase()"}
    usual = get(clickhouse_address, **arguments)
    assert get(clickhouse_address, max_block_size="77", database="system", **arguments) == "77\tsystem\n"
    get(clickhouse_address, query="SET max_block_size = 78")
    assert {get(clickhouse_address, **arguments) for _ in range(20)} == {usual}


def test_answers_come_in_the_format_and_the_packing_asked_for(clickhouse_address: str) -> None:
    query = urllib.parse.urlencode(
        {"query": "SELECT 1 AS a FORMAT JSONEachRow", "enable_http_compression": "1"}
    )
    request = urllib.request.Request(f"{clickhouse_address}/?{query}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["X-ClickHouse-Format"] == "JSONEachRow"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.read()) == b'{"a":1}\n'


def test_clickhouse_connect_binds_values_wherever_it_puts_them(asked: Client, clickhouse: str) -> None:
    asked.command("CREATE TABLE bound (a UInt64, b String) ENGINE MergeTree ORDER BY a")
    awkward = "it's\ta \\ 'tab'\n{x}"
    asked.command("INSERT INTO bound VALUES ({a:UInt64}, {b:String})", {"a": 1, "b": awkward})
    asked.insert("bound", [[2, "y"]], ["a", "b"])
    query = "SELECT b FROM bound WHERE b = {b:String}"
    assert asked.query(query, {"b": awkward}).result_rows == [(awkward,)]
    assert asked.query_arrow("SELECT a FROM bound ORDER BY a").column("a").to_pylist() == [1, 2]
    with clickhouse_connect.get_client(dsn=clickhouse, form_encode_query_params=True) as by_form:
        assert by_form.query(query, {"b": awkward}).result_rows == [(awkward,)]


def test_the_broker_has_the_features_that_exactness_needs(kafka: str) -> None:
    found = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10)
    assert len(found.brokers) == 1
