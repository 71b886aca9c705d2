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


def test_the_broker_has_the_features_that_exactness_needs(kafka: str) -> None:
    found = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10)
    assert len(found.brokers) == 1
