"""Numbers are read from their literal text, held exactly, and written plainly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rating import numbers
from rating.errors import NumberError, Overflow
from rating.numbers import shown


@pytest.mark.parametrize(
    ("value", "scaled"),
    [
        (374, 374 * 10**12),
        (-3, -3 * 10**12),
        ("374", 374 * 10**12),
        ("0.000000000001", 1),
        ("-0", 0),
        ("-0.0", 0),
        ("1e3", 10**15),
        ("1E-12", 1),
        ("+2.50", 25 * 10**11),
        (".5", 5 * 10**11),
        ("5.", 5 * 10**12),
        ("0e400", 0),
        ("1.000000000000000", 10**12),
        ("0.0000001e7", 10**12),
        (Decimal("1E+2"), 10**14),
        ("007", 7 * 10**12),
        ("9" * 18, (10**18 - 1) * 10**12),
        ("123456789012345678.123456789012", 123456789012345678123456789012),
    ],
)
def test_a_quantity_is_read_exactly(value: Any, scaled: int) -> None:
    assert numbers.quantity(value) == scaled


@pytest.mark.parametrize(
    "value",
    [
        "1e400",
        "1e-99999999",
        "1e99999999999",
        "0.0000000000001",
        "1" * 19,
        10**18,
        -(10**18),
        "9" * 40,
        "9" * 10_000,
        Decimal("1e400"),
        "NaN",
        Decimal("NaN"),
        Decimal("Infinity"),
        "inf",
        "",
        " 1",
        "1 ",
        "1_0",
        "0x1",
        "١",
        "1,5",
        "e3",
        ".",
        "--1",
        True,
        False,
        None,
        1.5,
        float("nan"),
        [],
        {},
        b"1",
    ],
)
def test_what_is_no_exact_quantity_is_refused(value: Any) -> None:
    with pytest.raises(NumberError) as caught:
        numbers.quantity(value)
    assert len(str(caught.value)) < 160


def test_the_error_names_the_value_and_the_bound() -> None:
    with pytest.raises(NumberError, match=r"'0\.0000000000001' has more than 12 fractional digits"):
        numbers.quantity("0.0000000000001")
    inexact: Any = 1.5
    with pytest.raises(NumberError, match=r"1\.5 is not an exact number: write it as a decimal string"):
        numbers.quantity(inexact)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 12, "0"),
        (-1, 12, "-0.000000000001"),
        (10**12, 12, "1"),
        (-25 * 10**11, 12, "-2.5"),
        (748 * 10**30, 36, "0.000748"),
        (100 * 10**36, 36, "100"),
        (7, 0, "7"),
    ],
)
def test_a_number_is_written_plainly(value: int, digits: int, text: str) -> None:
    assert numbers.text(value, digits) == text


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (5, 10, 0),
        (15, 10, 2),
        (25, 10, 2),
        (-5, 10, 0),
        (-15, 10, -2),
        (-25, 10, -2),
        (26, 10, 3),
        (24, 10, 2),
        (-26, 10, -3),
        (0, 7, 0),
        (10**80 + 1, 2, 5 * 10**79),
    ],
)
def test_ties_go_to_the_even_one(numerator: int, denominator: int, rounded: int) -> None:
    assert numbers.half_even(numerator, denominator) == rounded


def test_what_a_table_cannot_hold_overflows() -> None:
    assert numbers.check_amount(10**76 - 1) == 10**76 - 1
    assert numbers.check_quantity(-(10**38) + 1) == -(10**38) + 1
    for check, value in ((numbers.check_amount, 10**76), (numbers.check_quantity, -(10**38))):
        with pytest.raises(Overflow):
            check(value)


def test_each_kind_of_number_has_its_own_digits() -> None:
    assert numbers.unit_amount("0.000000000000001") == 1
    assert numbers.rate("0.000001") == 1
    assert numbers.amount("0.000000000001") == 10**24 == numbers.widened(1)
    for read, text in ((numbers.unit_amount, "1e-16"), (numbers.rate, "1e-7"), (numbers.amount, "1e-13")):
        with pytest.raises(NumberError, match="fractional digits"):
            read(text)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "null"), (True, "true"), (12, "12"), (10**500, "a number of over 120 digits"), (Decimal("1.50"), "1.50"),
        ("x", "'x'"), ("a\nb", r"'a\nb'"), ("x" * 99, "'" + "x" * 36 + "…"), ([], "[]"), ({}, "{}"),
        ({"a": [1, None, "b"]}, "{a: [1, null, 'b']}"), (["x" * 30] * 1_000_000, "['" + "x" * 30 + "', 'x…"),
        ([[[[[1]]]], 2], "[[[[…]]], 2]"),
    ],
)  # fmt: skip
def test_errors_show_a_value_as_documents_write_it_and_short(value: object, said: str) -> None:
    assert shown(value) == said
    assert len(said) <= 40
