"""Each aggregation: what it comes to by segment, in any order, and that taking back leaves what the rest would give."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from rating.aggregations import AGGREGATIONS, Aggregation, Entries, Span, Values
from rating.aggregations.buckets import Bucketed
from rating.aggregations.level import Changes, Levels
from rating.cells import DictCells
from rating.numbers import QTY, quantity

SPAN = Span(0, 20, 0, 20, 0)
"""A period of 20 µs with segments that begin at 0 and 10."""
READINGS = ((1, 4), (6, 2), (12, 4), (13, 7))
KINDS: dict[str, tuple[Aggregation, int, int]] = {
    # what aggregates, and what it comes to in the first segment and in the period
    "sum": (AGGREGATIONS["sum"], 6, 17),
    "count": (AGGREGATIONS["count"], 2, 4),
    "min": (AGGREGATIONS["min"], 2, 2),
    "max": (AGGREGATIONS["max"], 4, 7),
    "unique": (AGGREGATIONS["unique"], 2, 3),
    "latest": (AGGREGATIONS["latest"], 2, 7),
    # the largest of every 5 µs: 4, 2, 7
    "sum of max": (Bucketed(AGGREGATIONS["max"], "sum", lambda time: time - time % 5), 6, 13),
    "max of sum": (Bucketed(AGGREGATIONS["sum"], "max", lambda time: time - time % 5), 4, 11),
    # the segments' border is within a bucket: in the one of 6 and 12, or all are in one
    "sum of latest": (Bucketed(AGGREGATIONS["latest"], "sum", lambda time: (time + 1) // 7 * 7), 6, 15),
    "max of min": (Bucketed(AGGREGATIONS["min"], "max", lambda time: (time + 3) // 8 * 8), 4, 7),
    "max of latest": (Bucketed(AGGREGATIONS["latest"], "max", lambda time: 0), 2, 7),
    "avg of unique": (Bucketed(AGGREGATIONS["unique"], "avg", lambda time: 0), 2, 3),
}


class Usage:
    """A group's usage under one aggregation."""

    def __init__(self, aggregation: Aggregation) -> None:
        self.aggregation = aggregation
        self.kept: dict[int, Any] = {}
        self.values = Values(DictCells(), ("value",))

    def move(self, time: int, value: int, sign: int = 1) -> None:
        entries = Entries([time], [value], [f"src {time}"])
        self.aggregation.update(self.kept, 0 if time < 10 else 10, entries, sign, self.values)

    def quantity(self, segments: int = 2, span: Span | None = None) -> int:
        span = span or SPAN._replace(upto=10 * segments)
        found = [(start, self.kept.get(start)) for start in (0, 10)[:segments]]
        return self.aggregation.quantity(found, span, self.values)


@pytest.mark.parametrize("kind", KINDS)
def test_an_aggregation_is_the_same_in_every_order(kind: str) -> None:
    aggregation, first, whole = KINDS[kind]
    for order in permutations(READINGS):
        usage = Usage(aggregation)
        for time, value in order:
            usage.move(time, value)
        assert (usage.quantity(1), usage.quantity()) == (first * QTY, whole * QTY)


@pytest.mark.parametrize("kind", [*KINDS, "avg"])
def test_what_is_taken_back_never_was(kind: str) -> None:
    aggregation = KINDS[kind][0] if kind in KINDS else AGGREGATIONS[kind]
    for gone in READINGS:
        usage, rest = Usage(aggregation), Usage(aggregation)
        for reading in READINGS:
            usage.move(*reading)
            if reading != gone:
                rest.move(*reading)
        usage.move(*gone, sign=-1)
        assert (usage.quantity(1), usage.quantity()) == (rest.quantity(1), rest.quantity())
        for reading in READINGS:
            if reading != gone:
                usage.move(*reading, sign=-1)
        assert usage.quantity() == 0


def test_an_average_is_rounded_once() -> None:
    usage = Usage(AGGREGATIONS["avg"])
    for time, value in ((1, 1), (2, 1), (12, 0)):
        usage.move(time, value)
    assert (usage.quantity(1), usage.quantity()) == (QTY, 666_666_666_667)


def test_of_equal_times_the_larger_key_is_the_latest() -> None:
    for keys in (("src a", "src b"), ("src b", "src a")):
        usage = Usage(AGGREGATIONS["latest"])
        for key in keys:
            value = 1 if key == "src a" else 2
            usage.aggregation.update(usage.kept, 0, Entries([1], [value], [key]), 1, usage.values)
        assert usage.quantity() == 2 * QTY


@pytest.mark.parametrize(
    ("aggregation", "carry", "first", "whole"),
    [
        # +4 from 5 on, +2 from 15 on: 20 and 70 of 20 µs; carried 3 are 3 more throughout.
        (Changes("period"), 0, "1", "3.5"),
        (Changes("period"), 3, "2.5", "6.5"),
        # set to 4 at 5, to 2 at 15: 20 and 50; carried 3 until then.
        (Levels("period"), 0, "1", "2.5"),
        (Levels("period"), 3, "1.75", "3.25"),
    ],
)
def test_a_level_is_integrated_to_the_end_of_its_span(
    aggregation: Aggregation, carry: int, first: str, whole: str
) -> None:
    usage = Usage(aggregation)
    usage.move(15, 2)
    usage.move(5, 4)
    at_cut = usage.quantity(1, Span(0, 20, 0, 10, carry * QTY))
    at_end = usage.quantity(2, Span(0, 20, 0, 20, carry * QTY))
    assert (at_cut, at_end) == (quantity(first), quantity(whole))


def test_levels_that_are_set_are_the_same_in_every_order_and_without_what_is_taken_back() -> None:
    # 4 from 1 on, 2 from 6 on: 20 and 8 to the cut; 4 from 12 on, 7 from 13 on: 2 × 2, 4 and 49 more.
    for order in permutations(READINGS):
        usage = Usage(Levels("period"))
        for reading in (*order, (9, 100)):
            usage.move(*reading)
        usage.move(9, 100, sign=-1)
        at_cut = usage.quantity(1, Span(0, 20, 0, 10, 0))
        assert (at_cut, usage.quantity()) == (quantity("1.4"), quantity("4.25"))


def test_a_level_that_is_set_after_all_others_reads_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = Usage(Levels("period"))
    for reading in READINGS:
        usage.move(*reading)
    monkeypatch.setattr(Values, "members", None)
    usage.move(18, 0)
    assert usage.quantity() == quantity("3.55")


@pytest.mark.parametrize(("held", "upto", "average"), [(0, 20, "4.25"), (5, 20, "3.25"), (0, 13, "1.8")])
def test_levels_set_outside_the_time_that_is_held_are_not_the_charges(
    held: int, upto: int, average: str
) -> None:
    usage = Usage(Levels("period"))
    for reading in READINGS:
        usage.move(*reading)
    assert usage.quantity(2, Span(0, 20, held, upto, 0)) == quantity(average)
