"""Proration by the examples of the contract."""

from __future__ import annotations

import pytest

from rating.numbers import quantity, quantity_text
from rating.proration import part
from rating.times import parse_time


@pytest.mark.parametrize(
    ("x", "span", "period", "expected"),
    [
        (
            "31.00",
            ("2026-03-15T00:00:00Z", "2026-04-01T00:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            "17",
        ),
        (
            "31.00",
            ("2026-03-14T23:00:00Z", "2026-03-31T22:00:00Z"),
            ("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
            "16.981157469717",
        ),
        (
            "1000000",
            ("2026-03-15T00:00:00Z", "2026-04-01T00:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            "548387.096774193548",
        ),
        (
            "20",
            ("2026-04-01T00:00:00Z", "2026-04-11T00:00:00Z"),
            ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"),
            "6.666666666667",
        ),
    ],
)
def test_the_part_of_an_amount(x: str, span: tuple[str, str], period: tuple[str, str], expected: str) -> None:
    times = [parse_time(each) for each in (*span, *period)]
    assert quantity_text(part(quantity(x), *times)) == expected
