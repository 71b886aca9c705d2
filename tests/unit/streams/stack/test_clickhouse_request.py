"""A request to the local ClickHouse, taken apart: what is query, what is data, what is a setting."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping

import lz4.frame
import pytest
import zstandard

from streams.stack.clickhouse_request import Asked, Insert, read, unpacked
from streams.stack.errors import BadRequest


def asked(
    query: str = "", body: bytes = b"", headers: Mapping[str, str] | None = None, **arguments: str
) -> Asked:
    return read({"query": query, **arguments} if query else arguments, headers or {}, {}, body)


@pytest.mark.parametrize(
    ("query", "body", "insert"),
    [
        ("INSERT INTO t FORMAT CSV", b"1,2\n", Insert("INSERT INTO t", "CSV", b"1,2\n")),
        ("insert into d.t (a, b) format Native", b"\x01\xff", Insert("insert into d.t (a, b)", "Native", b"\x01\xff")),
        ("INSERT INTO `d`.`t t` FORMAT TSV", b"1\n", Insert("INSERT INTO `d`.`t t`", "TSV", b"1\n")),
        ("INSERT INTO t SETTINGS async_insert=0, x='y' FORMAT CSV", b"1\n", Insert("INSERT INTO t SETTINGS async_insert=0, x='y'", "CSV", b"1\n")),
        ("INSERT INTO t", b"1\n", Insert("INSERT INTO t", "TabSeparated", b"1\n")),
        ('INSERT INTO t FORMAT JSONEachRow {"a": 1}', b"", Insert("INSERT INTO t", "JSONEachRow", b'{"a": 1}')),
        ("", b"INSERT INTO t FORMAT CSV\n1,FORMAT x\n", Insert("INSERT INTO t", "CSV", b"1,FORMAT x\n")),
        ("", b"INSERT INTO t FORMAT RowBinary\n\xff\xfe", Insert("INSERT INTO t", "RowBinary", b"\xff\xfe")),
        ("", b'INSERT INTO t FORMAT JSONEachRow {"a": "\xc3\xa9"}', Insert("INSERT INTO t", "JSONEachRow", b'{"a": "\xc3\xa9"}')),
    ],
)  # fmt: skip
def test_rows_of_an_insert_are_taken_from_where_they_are(query: str, body: bytes, insert: Insert) -> None:
    assert asked(query, body).insert == insert


@pytest.mark.parametrize(
    ("query", "body", "whole"),
    [
        ("INSERT INTO t VALUES (1), ('FORMAT CSV')", b"", "INSERT INTO t VALUES (1), ('FORMAT CSV')"),
        ("INSERT INTO t VALUES", b"(1)", "INSERT INTO t VALUES\n(1)"),
        ("INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV", b"1", "INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV\n1"),
        ("", b"INSERT INTO t SELECT 1", "INSERT INTO t SELECT 1"),
        ("SELECT 1", b" ", "SELECT 1"),
        ("SELECT", b"1", "SELECT\n1"),
        ("", "SELECT 'é'".encode(), "SELECT 'é'"),
    ],
)  # fmt: skip
def test_every_other_query_is_text_of_the_address_and_the_body(query: str, body: bytes, whole: str) -> None:
    found = asked(query, body)
    assert found.insert is None
    assert found.query == whole


def test_the_format_of_the_answer_is_the_querys_own_then_the_requests() -> None:
    assert asked("SELECT 1").format == "TabSeparated"
    assert asked("SELECT 1", default_format="JSON").format == "JSON"
    assert asked("SELECT 1", headers={"X-ClickHouse-Format": "CSV"}).format == "CSV"
    assert asked("SELECT 1 FORMAT Native", default_format="JSON").format == "Native"
    assert asked("SELECT 1 FORMAT Arrow SETTINGS max_threads=1;").format == "Arrow"
    assert asked("SELECT 'FORMAT CSV'").format == "TabSeparated"


def test_parameters_settings_and_what_is_neither_are_told_apart() -> None:
    found = asked("SELECT 1", database="d", param_x="a\\tb", max_threads="1", session_id="s", user="u")
    assert (found.database, found.parameters, found.settings) == ("d", {"x": "a\\tb"}, {"max_threads": "1"})
    assert asked("SELECT 1").database == "default"
    assert asked().empty


def test_a_form_holds_the_query_and_its_parameters() -> None:
    found = read({"database": "d"}, {}, {"query": "SELECT {x:Int8}", "param_x": "1"}, b"")
    assert (found.query, found.parameters, found.database) == ("SELECT {x:Int8}", {"x": "1"}, "d")


def test_bodies_are_unpacked() -> None:
    rows = b"1\t2\n" * 100
    packed = {
        "": rows,
        "gzip": gzip.compress(rows),
        "deflate": zlib.compress(rows),
        "lz4": lz4.frame.compress(rows),
        "zstd": zstandard.ZstdCompressor().compress(rows),
    }
    assert {unpacked(body, encoding) for encoding, body in packed.items()} == {rows}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4", "zstd", "br"])
def test_a_broken_body_is_told(encoding: str) -> None:
    with pytest.raises(BadRequest, match=encoding):
        unpacked(b"not that", encoding)


def test_a_query_that_is_no_text_is_told() -> None:
    with pytest.raises(BadRequest, match="UTF-8"):
        asked("", b"SELECT '\xff'")
