"""Scalars of catalogs and commands are canonical text, or a problem with its remedy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from schemas.catalog.scalars import decimal, duration, exact, integer, scalar, time

SECOND = 1_000_000
READ: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (decimal(12), "0.50", "0.5"), (decimal(12), 5, "5"), (decimal(12), Decimal("1e3"), "1000"), (decimal(12), "-0", "0"),
    (decimal(2, least=None), "-1.25", "-1.25"), (decimal(2, most="100"), "100.00", "100"), (scalar, True, "true"),
    (scalar, 5, "5"), (scalar, Decimal("2.50"), "2.5"), (scalar, "2.50", "2.50"), (integer(1, 9), "9", 9), (integer(1, 9), 1, 1),
    (time, "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000000Z"),
    (time, datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "2026-01-01T00:00:00.000000Z"),
    (time, datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000Z"),
    (duration(), "5h", "5h"), (duration(least=SECOND, most=SECOND), "1s", "1s"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "value", "canonical"), READ)
def test_a_value_is_read_into_one_form(read: Callable[[Any], Any], value: Any, canonical: Any) -> None:
    found = read(value)
    assert (found, type(found)) == (canonical, type(canonical))


WRONG: list[tuple[Callable[[Any], Any], Any, str]] = [
    (decimal(12), 0.5, "binary float"), (decimal(12), True, "not a number"), (decimal(12), None, "not a number"),
    (decimal(12), "five", "not a decimal"), (decimal(12), "inf", "not a finite"), (decimal(12), "-1", "negative"),
    (decimal(12, above=True), "0.0", "is 0"), (decimal(2), "0.001", "2 fractional digits"), (decimal(2), "1" * 19, "18 integer digits"),
    (decimal(2, most="100"), "100.01", "more than 100"), (integer(1, 9), "10", "out of range"), (integer(1, 9), "1.0", "whole number"),
    (integer(1, 9), True, "whole number"), (integer(1, 9), "9" * 30, "whole number"), (scalar, None, "not a text"),
    (scalar, "x" * 257, "not a text"), (time, "yesterday", "RFC 3339"), (time, 5, "RFC 3339"), (time, datetime(2026, 1, 1), "RFC 3339"),  # noqa: DTZ001
    (time, "9999-12-31T23:59:59-05:00", "RFC 3339"), (time, datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=5))), "RFC 3339"),
    (time, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), "RFC 3339"),
    (duration(), "5w", "not a duration"), (duration(), 5, "not a duration"), (duration(), "0s", "out of range"),
    (duration(most=SECOND), "2s", "out of range"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "value", "problem"), WRONG)
def test_what_is_none_is_told(read: Callable[[Any], Any], value: Any, problem: str) -> None:
    with pytest.raises(Exception, match=problem) as caught:
        read(value)
    assert type(caught.value).__name__ == "PydanticCustomError"


def test_an_exact_number_is_scaled() -> None:
    assert exact("0.000002", 15) == 2_000_000_000
    assert exact(3, 2) == 300
