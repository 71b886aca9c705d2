"""What meters read of an event, to the last digit, and what they refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rating.catalog import compile_catalog
from rating.metering import BadUsage, Metering, Reading

NAN = Decimal("NaN")


def metering(**meter: Any) -> Metering:
    fields = {"key": "m", "event_type": "e", "aggregation": "sum", "value": "$.v", **meter}
    return Metering(compile_catalog({"meters": [{k: v for k, v in fields.items() if v is not None}]}, 1))


def read(meters: Metering, data: dict[str, Any], subject: str = "cust-1", **groups: str) -> Any:
    found = meters.measure("e", data, subject, groups)
    if isinstance(found, BadUsage) or not found:
        return found
    (reading,) = found
    return reading.value if not reading.dims else reading


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        (374, 374), (0, 0), (-5, -5), ("50", 50), ("0.5", "0.5"), (Decimal("0.5"), "0.5"), (Decimal("2.0"), 2),
        (Decimal("1E+3"), 1000), ("1e3", 1000), ("-0", 0), (Decimal("-0.0"), 0), ("-0.250", "-0.25"),
        (10**18 - 1, 10**18 - 1), ("0.000000000001", "0.000000000001"),
        ("123456789012345678.123456789012", "123456789012345678.123456789012"),
    ],
)  # fmt: skip
def test_a_value_is_read_exactly(value: object, read_as: object) -> None:
    assert read(metering(), {"v": value}) == read_as


@pytest.mark.parametrize(
    "value",
    [
        True, False, "", " 5", "5 ", "five", "NaN", "Infinity", NAN, Decimal("Infinity"), Decimal("1E+400"), 0.5, [], {},
        [5], 10**18, -(10**18), 10**40, "1" * 40, "0.0000000000001", Decimal("1E-13"), "٣", "1_000", "0x10", b"5",
        Decimal("1E+999999"), 10**4000,
    ],
)  # fmt: skip
def test_what_is_no_exact_number_is_a_bad_value(value: object) -> None:
    found = read(metering(), {"v": value})
    assert isinstance(found, BadUsage)
    assert found.code == "bad_value"
    assert "$.v" in found.detail
    assert len(found.detail) < 200


@pytest.mark.parametrize("data", [{}, {"v": None}, {"w": 1}])
def test_an_absent_value_is_a_missing_attribute(data: dict[str, Any]) -> None:
    assert read(metering(), data) == BadUsage("missing_attribute", "data has no $.v, which meter m needs")


def test_a_count_reads_no_value() -> None:
    assert read(metering(aggregation="count", value=None), {}) == 1


def test_nested_paths() -> None:
    meters = metering(value="$.usage.tokens.input")
    assert read(meters, {"usage": {"tokens": {"input": 7}}}) == 7
    absent: list[dict[str, Any]] = [{"usage": 5}, {"usage": {"tokens": []}}, {"usage": {}}]
    for data in absent:
        found = read(meters, data)
        assert isinstance(found, BadUsage)
        assert found.code == "missing_attribute"


def test_an_event_that_no_meter_reads_gives_nothing() -> None:
    assert metering().measure("other", {}, "cust-1") == ()
    assert not metering().reads("other")
    assert metering().reads("e")


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ("a", "a"),
        (1, "1"),
        (Decimal("1.0"), "1"),
        (Decimal("1e0"), "1"),
        (True, "true"),
        (Decimal("0.50"), "0.5"),
        ("", ""),
    ],
)
def test_unique_takes_any_scalar_as_text(value: object, read_as: str) -> None:
    assert read(metering(aggregation="unique"), {"v": value}) == read_as


@pytest.mark.parametrize("value", [[], {}, "x" * 513, NAN, 10**100, 0.5])
def test_unique_refuses_what_is_no_scalar(value: object) -> None:
    found = read(metering(aggregation="unique"), {"v": value})
    assert isinstance(found, BadUsage)
    assert found.code == "bad_value"


def test_dimensions_stand_in_the_order_of_their_names() -> None:
    meters = metering(
        group_by={"region": "$.where.region", "model": "$.model", "team": "$subject.team", "who": "$subject"}
    )
    data = {"v": 1, "model": "large", "where": {"region": "eu"}}
    assert read(meters, data, "user-1", team="search") == Reading("m", 1, ("large", "eu", "search", "user-1"))


@pytest.mark.parametrize(
    ("value", "text"), [(5, "5"), (True, "true"), (Decimal("1.50"), "1.5"), ("a b", "a b")]
)
def test_a_dimension_is_text(value: object, text: str) -> None:
    assert read(metering(group_by={"d": "$.d"}), {"v": 1, "d": value}) == Reading("m", 1, (text,))


@pytest.mark.parametrize(
    ("data", "code"),
    [({"v": 1}, "missing_attribute"), ({"v": 1, "d": None}, "missing_attribute"), ({"v": 1, "d": []}, "bad_value"),
     ({"v": 1, "d": {}}, "bad_value"), ({"v": 1, "d": "x" * 513}, "bad_value"), ({"v": 1, "d": 0.5}, "bad_value")],
)  # fmt: skip
def test_a_dimension_that_is_absent_or_no_scalar_rejects(data: dict[str, Any], code: str) -> None:
    found = read(metering(group_by={"d": "$.d"}), data)
    assert isinstance(found, BadUsage)
    assert found.code == code


def test_a_group_that_the_subject_is_not_in_is_the_empty_text() -> None:
    assert read(metering(group_by={"team": "$subject.team"}), {"v": 1}) == Reading("m", 1, ("",))


@pytest.mark.parametrize(
    ("data", "seen"),
    [({"region": "eu"}, True), ({"region": "us"}, True), ({"region": "asia"}, False), ({}, False), ({"region": None}, False),
     ({"region": ["eu"]}, False), ({"region": 5}, True), ({"region": Decimal("5.0")}, True), ({"region": True}, True)],
)  # fmt: skip
def test_a_filter_decides_whether_the_meter_sees_the_event(data: dict[str, Any], seen: bool) -> None:
    meters = metering(filter={"region": ["eu", "us", "5", "true"]})
    assert bool(meters.measure("e", {"v": 1, **data}, "cust-1")) is seen


def test_an_event_that_a_filter_leaves_out_needs_no_value() -> None:
    assert metering(filter={"$.kind.of": ["a"]}).measure("e", {"kind": {"of": "b"}}, "cust-1") == ()


SOURCES = [
    {"event_type": "e", "value": "$.ms", "multiply": "0.001"},
    {
        "event_type": "cpu",
        "value": "$.n",
        "units": {"path": "$.unit", "factors": {"s": "1", "min": "60", "h": "3600"}},
    },
]


def test_a_fixed_factor_is_exact() -> None:
    meters = metering(event_type=None, value=None, sources=SOURCES)
    assert read(meters, {"ms": 1500}) == "1.5"
    assert read(meters, {"ms": "2000"}) == 2
    assert read(meters, {"ms": "0.000000001"}) == "0.000000000001"
    found = read(meters, {"ms": "0.0000000001"})
    assert found == BadUsage(
        "bad_value", "$.ms is '0.0000000001': in the unit of meter m it has more than 12 fractional digits"
    )


@pytest.mark.parametrize(
    ("data", "value"),
    [({"n": 3, "unit": "min"}, 180), ({"n": "0.5", "unit": "h"}, 1800), ({"n": 1, "unit": "s"}, 1)],
)
def test_the_events_own_unit_names_its_factor(data: dict[str, Any], value: int) -> None:
    found = metering(event_type=None, value=None, sources=SOURCES).measure("cpu", data, "cust-1")
    assert found == (Reading("m", value, ()),)


@pytest.mark.parametrize(
    ("data", "code"),
    [({"n": 3, "unit": "fortnight"}, "bad_value"), ({"n": 3, "unit": 5}, "bad_value"), ({"n": 3}, "missing_attribute"),
     ({"unit": "s"}, "missing_attribute"), ({"n": 10**17, "unit": "h"}, "bad_value"), ({"n": True, "unit": "s"}, "bad_value")],
)  # fmt: skip
def test_a_unit_without_a_factor_or_a_product_too_large_rejects(data: dict[str, Any], code: str) -> None:
    found = metering(event_type=None, value=None, sources=SOURCES).measure("cpu", data, "cust-1")
    assert isinstance(found, BadUsage)
    assert found.code == code


def test_a_factor_may_take_away_digits_that_are_too_many() -> None:
    sources = [{"event_type": "e", "value": "$.v", "multiply": "1000"}]
    assert (
        read(metering(event_type=None, value=None, sources=sources), {"v": "0.000000000000001"})
        == "0.000000000001"
    )


def two_meters() -> Metering:
    meters = [
        {"key": "a", "event_type": "e", "aggregation": "sum", "value": "$.a", "group_by": {"d": "$.d"}},
        {"key": "b", "event_type": "e", "aggregation": "max", "value": "$.b", "group_by": {"d": "$.d"}},
        {"key": "c", "event_type": "e", "aggregation": "count"},
    ]
    return Metering(compile_catalog({"meters": meters}, 1))


def test_several_meters_read_one_event() -> None:
    found = two_meters().measure("e", {"a": 1, "b": "2.5", "d": "x"}, "cust-1")
    assert found == (Reading("a", 1, ("x",)), Reading("b", "2.5", ("x",)), Reading("c", 1, ()))


def test_one_meter_that_fails_rejects_the_whole_event() -> None:
    found = two_meters().measure("e", {"a": 1, "d": "x"}, "cust-1")
    assert found == BadUsage("missing_attribute", "data has no $.b, which meter b needs")
