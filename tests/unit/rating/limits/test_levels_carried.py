"""Limits on a running level: a window begins with the level that is there, whether anything is used in it or not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan

SEATS: Doc = TOKENS | {"key": "seats", "aggregation": "time_weighted_sum"}
FIVE: Doc = {"key": "cap", "metric": "usage", "meter": "seats", "amount": "5"}


def life(*limits: Doc, **meter: Any) -> Life:
    """Ten seats from 2 March on."""
    made = Life([plan("pro", charges=[charge(meter="seats")], limits=list(limits))], meters=[SEATS | meter])
    made.subscribe("pro", "2026-03-01")
    made.use(10, "2026-03-02")
    return made


def crossings(of: Life) -> list[tuple[str, str, str]]:
    """The day, what happened and at which value."""
    return [
        (each["time"][5:10], each["state"], each["value"]) for each in of.records("billing.thresholds.v1")
    ]


@pytest.mark.parametrize("value_is", ["change", "level"])
def test_a_level_that_goes_on_is_over_in_the_next_period_too(value_is: str) -> None:
    made = life(FIVE, value_is=value_is)
    made.use(-10 if value_is == "change" else 0, "2026-04-04")
    made.until("2026-05-02")
    assert crossings(made)[1:] == [
        ("04-01", "recovered", "10"), ("04-01", "breached", "10"), ("04-04", "recovered", "1"),
    ]  # fmt: skip


def test_each_day_begins_with_it_until_it_is_gone() -> None:
    made = life(FIVE | {"window": "day"})
    made.until("2026-03-04T12")
    made.use(-10, "2026-03-04T12")
    made.until("2026-03-10")
    told = crossings(made)
    assert [each for each in told if each[1] == "breached"] == [
        ("03-02", "breached", "10"), ("03-03", "breached", "10"), ("03-04", "breached", "10"),
    ]  # fmt: skip
    assert told[-1] == ("03-05", "recovered", "0")


def test_a_limit_that_is_set_later_counts_the_level_that_is_there() -> None:
    made = life()
    made.command("set_limit", "2026-04-10", limit=FIVE)
    assert crossings(made) == [("04-10", "breached", "10")]
