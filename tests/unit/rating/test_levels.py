"""A running level: carried from period to period, whatever order its values come in."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest

from rating.cells import Bucket, DictCells
from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan

CHANGES: Doc = {**TOKENS, "aggregation": "time_weighted_sum"}
LEVELS: Doc = {**CHANGES, "value_is": "level"}
SET = [("a", 10, "2026-03-31"), ("b", 4, "2026-03-31"), ("c", 7, "2026-03-10")]
"""Of equal times the larger id wins: April begins at 4."""


def metered(meter: Doc, **fields: object) -> Life:
    life = Life([plan("pro", charges=[charge("1", **fields)])], [meter])
    life.subscribe("pro", "2026-03-01")
    return life


def april(life: Life) -> str:
    """The average level of April, as it is closed."""
    life.until("2026-05-02")
    closed = life.lines(kind="close", period_start="2026-04-01T00:00:00.000000Z")
    return str(closed[-1]["amount_total"]) if closed else "0"


@pytest.mark.parametrize("order", list(permutations(SET)))
def test_the_level_that_was_set_last_by_event_time_is_carried(
    order: tuple[tuple[str, int, str], ...],
) -> None:
    life = metered(LEVELS)
    life.until("2026-03-31T01")
    for name, value, time in order:
        life.use(value, time, name=name)
    assert april(life) == "4"


@pytest.mark.parametrize(
    ("gone", "carried"),
    [("", "4"), ("b", "10"), ("a", "4"), ("c", "4"), ("ba", "7"), ("ab", "7"), ("abc", "0")],
)
def test_what_is_taken_back_never_set_the_level(gone: str, carried: str) -> None:
    life = metered(LEVELS)
    life.until("2026-03-31T01")
    for name, value, time in SET:
        life.use(value, time, name=name)
    for name, value, time in SET:
        if name in gone:
            life.retract(name, value, time, "2026-03-31T02")
    assert april(life) == carried


def test_levels_of_two_groups_are_carried_apart() -> None:
    life = metered({**LEVELS, "group_by": {"disk": "$.disk"}}, dimensions=["disk"])
    for name, value in (("a", 3), ("ab", 5)):
        life.use(value, "2026-03-31", disk=name)
    life.use(1, "2026-03-31T01", disk="a")
    life.until("2026-05-02")
    found = {line["dimensions"]["disk"]: line["amount_total"]
             for line in life.lines(period_start="2026-04-01T00:00:00.000000Z")}  # fmt: skip
    assert found == {"a": "1", "ab": "5"}


@pytest.mark.parametrize(("late", "level"), [(0, "6"), (4, "10"), (-6, "0")])
def test_a_change_that_comes_late_moves_the_level_of_what_follows(late: int, level: str) -> None:
    life = metered(CHANGES)
    life.use(6, "2026-03-31")
    if late:
        life.use(late, "2026-03-30", came="2026-04-15")
    assert april(life) == level


def test_to_note_a_level_lists_none_of_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[Bucket] = []
    members = DictCells.members

    def counted(self: DictCells, bucket: Bucket) -> object:
        listed.append(bucket)
        return members(self, bucket)

    life = metered(LEVELS)
    monkeypatch.setattr(DictCells, "members", counted)
    for hour in range(10):
        life.use(hour, f"2026-03-05T{hour:02}")
    assert [bucket for bucket in listed if bucket[0] == "leveled"] == []
    assert listed


@pytest.mark.parametrize(
    ("meter", "level"),
    [(LEVELS, "4"), (CHANGES, "21")],
)
def test_a_charge_that_begins_within_a_period_begins_with_the_level_that_is_there(
    meter: Doc, level: str
) -> None:
    life = Life([plan("none"), plan("pro", charges=[charge("1", prorate=False)])], [meter])
    life.subscribe("none", "2026-02-01")
    life.use(10, "2026-02-10")
    life.use(7, "2026-03-05")
    life.use(4, "2026-03-06")
    life.change("change_plan", "2026-03-16T12", plan="pro")
    life.until("2026-04-02")
    closed = life.lines(kind="close", period_start="2026-03-01T00:00:00.000000Z")[-1]
    # Half of the month is left.
    assert Decimal(closed["amount_total"]) * 2 == Decimal(level)


def test_usage_of_the_moment_at_which_a_charge_begins_is_its_own() -> None:
    life = Life([plan("none"), plan("pro", charges=[charge("1")])], [LEVELS])
    life.subscribe("none", "2026-03-01")
    life.use(10, "2026-03-16T12")
    life.change("change_plan", "2026-03-16T12", plan="pro")
    life.until("2026-04-02")
    assert life.lines(kind="close")[-1]["amount_total"] == "5"


@pytest.mark.parametrize(("meter", "level"), [(LEVELS, "5"), (CHANGES, "12")])
def test_a_charge_over_several_groups_of_the_meter_is_carried_over_them_all(meter: Doc, level: str) -> None:
    life = metered({**meter, "group_by": {"disk": "$.disk"}})
    for disk, value, time in (("a", 3, "2026-03-30"), ("b", 5, "2026-03-31"), ("a", 4, "2026-03-20")):
        life.use(value, time, came="2026-03-31", disk=disk)
    assert april(life) == level


@pytest.mark.parametrize(("meter", "level"), [(LEVELS, "7"), (CHANGES, "17")])
def test_a_level_outlives_the_periods_that_are_forgotten(meter: Doc, level: str) -> None:
    life = metered(meter)
    life.use(10, "2026-03-20")
    life.use(7, "2026-04-20")
    life.until("2026-09-02")
    assert life.lines(kind="close")[-1]["amount_total"] == level
    life.use(0 if meter is CHANGES else int(level), "2026-08-20")
    assert life.lines(kind="close")[-1]["amount_total"] == level


def test_a_level_that_is_carried_is_priced_by_the_plan_that_a_change_at_the_periods_start_puts_in_force() -> (
    None
):
    plans = [plan("pro", charges=[charge("1")]), plan("dear", charges=[charge("5")])]
    life = Life(plans, [CHANGES])
    life.subscribe("pro", "2026-03-01")
    life.use(6, "2026-03-20")
    life.change("change_plan", "2026-04-01", came="2026-04-02", plan="dear")
    life.until("2026-05-02")
    start = "2026-04-01T00:00:00.000000Z"
    assert life.sum(period_start=start, plan="pro") == 0
    assert life.sum(period_start=start, plan="dear") == 30


def moving(**fields: object) -> Life:
    """A level of 10, and a newer version that takes over with 20 March."""
    newer = {"version": 2, "existing": "2026-03-20T00:00:00Z", "effective_from": "2026-03-02T00:00:00Z"}
    plans = [plan("pro", charges=[charge("1")]), plan("pro", charges=[charge("5")], **newer), plan("none")]
    life = Life(plans, [LEVELS])
    life.subscribe("pro", "2026-03-01")
    life.use(10, "2026-03-01")
    return life


def test_a_version_that_takes_over_later_costs_nothing_until_it_does() -> None:
    life = moving()
    life.until("2026-03-19T23:59")
    assert {line["plan_version"] for line in life.lines()} == {1}
    life.until("2026-03-21")
    assert round(life.sum() * 31, 6) == 10 * (19 + 12 * 5)


@pytest.mark.parametrize("came", [None, "2026-03-25"])
@pytest.mark.parametrize("what", [{"kind": "cancel"}, {"kind": "change_plan", "plan": "none"}])
def test_a_version_that_would_have_taken_over_costs_nothing_where_a_change_came_first(
    what: Doc, came: str | None
) -> None:
    life = moving()
    life.change(time="2026-03-16T12", came=came, **what)
    life.until("2026-05-02")
    assert life.sum() == 5


def test_a_level_costs_nothing_on_a_plan_that_another_replaces_at_the_same_instant() -> None:
    meter = {**TOKENS, "aggregation": "time_weighted_sum", "per": "hour"}
    life = Life([plan("a", charges=[charge("1")]), plan("b", charges=[charge("3")])], [meter])
    life.subscribe("a", "2026-03-01")
    life.use(2, "2026-03-01")
    for key in ("b", "a"):
        life.change("change_plan", "2026-03-02", plan=key)
    life.until("2026-04-01")
    assert [life.sum(plan=key, period_start="2026-03-01T00:00:00.000000Z") for key in "ab"] == [
        2 * 31 * 24,
        0,
    ]
