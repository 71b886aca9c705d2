"""Packs become a row an event and meter."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rating.records import Command, Pack, Position, ReadingColumn, Tick
from schemas import topics
from schemas.log import encode_record
from sinks.clickhouse.usage import number_of, uncounted, usage
from tests import sink_records as some

PLACES = [("large", "eu"), ("small", "us")]


def rows(*packs: Pack) -> list[dict[str, Any]]:
    """The rows of packs at offsets 0, 1, …"""
    records = [some.taken(topics.LOG, offset, each, 3) for offset, each in enumerate(packs)]
    (made,) = usage(records, some.meter)
    return made.rows.to_pylist()


def test_an_event_has_a_row_for_each_meter_that_it_feeds() -> None:
    found = rows(
        some.pack(
            ["a", "b", "c"],
            [
                ReadingColumn("tokens", [0, 2], [374, "0.5"], [0, 1], PLACES),
                ReadingColumn("requests", [0], [1], [0], [()]),
            ],
        )
    )
    shown = [(row["id"], row["meter"], row["value"], dict(row["dimensions"])) for row in found]
    assert shown == [
        ("a", "tokens", Decimal(374), {"model": "large", "region": "eu"}),
        ("c", "tokens", Decimal("0.5"), {"model": "small", "region": "us"}),
        ("a", "requests", Decimal(1), {}),
        ("b", "", Decimal(0), {}),
    ]
    first = found[0]
    assert (first["tenant"], first["account"], first["subject"], first["source"]) == (
        "acme",
        "cust-0",
        "key-0",
        "gateway",
    )
    assert (first["type"], first["data"], first["sign"]) == ("llm.completion", b'{"of": "a"}', 1)
    assert [row["_index"] for row in found] == [0, 2, 0, 1]


def test_rows_of_many_packs_keep_apart() -> None:
    found = rows(
        some.pack(["a", "b"], [ReadingColumn("tokens", [1], [5], [1], PLACES)]),
        some.pack(["c"], [ReadingColumn("tokens", [0], [7], [0], PLACES)], tenant="beta"),
    )
    assert [(row["id"], row["tenant"], row["_offset"], row["value"]) for row in found] == [
        ("b", "acme", 0, Decimal(5)),
        ("a", "acme", 0, Decimal(0)),
        ("c", "beta", 1, Decimal(7)),
    ]
    assert dict(found[0]["dimensions"])["model"] == "small"
    assert dict(found[2]["dimensions"])["model"] == "large"


def test_what_a_unique_meter_counts_stands_in_value_text() -> None:
    found = rows(
        some.pack(
            ["a", "b", "c"],
            [ReadingColumn("users", [0, 1, 2], ["u-1", "17", "1e9x"], [0, 0, 0], [("large",)])],
        )
    )
    assert [(row["value"], row["value_text"]) for row in found] == [
        (Decimal(0), "u-1"), (Decimal(17), "17"), (Decimal(0), "1e9x"),
    ]  # fmt: skip


def test_other_records_of_the_log_have_no_rows() -> None:
    command = Command("acme", "cust-1", "c-1", "unpark", 0, 0, {}, Position("billing.commands.v1", 0, 0))
    records = [some.taken(topics.LOG, 0, encode_record(each)) for each in (Tick(5), command)]
    assert [each.rows.num_rows for each in usage(records, some.meter)] == [0]


def test_a_correction_adds_its_rows_and_names_what_does_not_count() -> None:
    record = some.uncounted(
        3, 12, [1, 5], [some.correction("a", -1), some.correction("u", 1, "u-9", "users")]
    )
    gone, added = uncounted([some.taken(topics.UNCOUNTED, 4, record, 3)], some.meter)
    assert gone.rows.to_pylist() == [
        {"_partition": 3, "_offset": 12, "_index": 1},
        {"_partition": 3, "_offset": 12, "_index": 5},
    ]
    first, second = added.rows.to_pylist()
    assert (first["sign"], first["value"], first["value_text"]) == (-1, Decimal(374), "")
    assert (second["sign"], second["value"], second["value_text"]) == (1, Decimal(0), "u-9")
    assert (second["_topic"], second["_offset"], second["_index"]) == ("rating.uncounted.v1", 4, 1)


def test_a_distinct_value_counts_as_its_number() -> None:
    assert [number_of(text) for text in ("17", "1.50", "u-1", "", "NaN", "1e400")] == [
        "17",
        "1.5",
        "0",
        "0",
        "0",
        "0",
    ]


quantities = st.one_of(
    st.integers(-(2**63), 2**63 - 1).filter(lambda value: abs(value) < 10**18),
    st.decimals(-(10**17), 10**17, places=12, allow_nan=False).map(lambda value: f"{value:f}"),
)


@given(st.lists(st.lists(quantities, max_size=5), max_size=4))
def test_values_are_exact_however_they_are_packed(packs: list[list[int | str]]) -> None:
    found = rows(
        *(
            some.pack(
                [str(index) for index in range(len(values))],
                [ReadingColumn("requests", list(range(len(values))), values, [0] * len(values), [()])],
            )
            for values in packs
        )
    )
    assert [row["value"] for row in found] == [Decimal(value) for values in packs for value in values]
