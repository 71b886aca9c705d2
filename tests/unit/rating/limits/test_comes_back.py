"""A limit that goes with a plan and comes back: the windows that usage opened stand, and its records go on in number."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan


def life_with(limit: Doc) -> Life:
    """On `pro`, which has the limit; `free` has none."""
    life = Life([plan("pro", charges=[charge()], limits=[limit]), plan("free", charges=[charge()])])
    life.subscribe("pro", "2026-03-01")
    return life


def told(life: Life) -> list[tuple[str, str, str, str]]:
    """State, value, time and end of the window of each record, the times cut short."""
    return [
        (each["state"], each["value"], each["time"][8:16], each["window_end"][8:16])
        for each in life.records("billing.thresholds.v1")
    ]


FIVE_HOURS: Doc = {
    "key": "cap",
    "metric": "usage",
    "meter": "tokens",
    "amount": "10",
    "window": {"length": "5h"},
}


def test_usage_of_a_window_that_is_over_opens_none() -> None:
    life = life_with(FIVE_HOURS)
    life.use(1, "2026-03-05T17")
    life.use(10, "2026-03-05T19")
    life.change("change_plan", "2026-03-05T20", plan="free")
    life.change("change_plan", "2026-03-05T23", plan="pro")
    assert told(life) == [
        ("breached", "11", "05T19:00", "05T22:00"),
        ("recovered", "0", "05T20:00", "05T20:00"),
    ]


def test_what_was_used_in_between_opened_its_window() -> None:
    life = life_with(FIVE_HOURS)
    life.use(1, "2026-03-05T10")
    life.change("change_plan", "2026-03-05T11", plan="free")
    life.use(1, "2026-03-05T15:30")
    life.use(10, "2026-03-05T16")
    life.change("change_plan", "2026-03-05T19:45", plan="pro")
    assert told(life) == [("breached", "11", "05T19:45", "05T20:30")]


def test_a_window_that_is_not_over_counts_all_that_is_in_it() -> None:
    life = life_with(FIVE_HOURS)
    life.use(4, "2026-03-05T10")
    life.change("change_plan", "2026-03-05T11", plan="free")
    life.use(4, "2026-03-05T12")
    life.change("change_plan", "2026-03-05T13", plan="pro")
    life.use(4, "2026-03-05T14")
    assert told(life) == [("breached", "12", "05T14:00", "05T15:00")]


def test_what_it_tells_then_has_ids_of_its_own() -> None:
    life = life_with({**FIVE_HOURS, "window": "week"})
    life.use(10, "2026-03-05T10")
    life.change("change_plan", "2026-03-05T11", plan="free")
    life.change("change_plan", "2026-03-05T12", plan="pro")
    found = life.records("billing.thresholds.v1")
    assert [each["state"] for each in found] == ["breached", "recovered", "breached"]
    assert len({each["id"] for each in found}) == 3


def test_so_has_one_that_is_removed_and_set_again() -> None:
    life = Life([plan("pro", charges=[charge()])])
    life.subscribe("pro", "2026-03-01")
    life.use(10, "2026-03-05T10")
    for hour in (11, 13):
        life.command("set_limit", f"2026-03-05T{hour}", limit={**FIVE_HOURS, "window": "week"})
        life.command("remove_limit", f"2026-03-05T{hour + 1}", limit="cap")
    assert len({each["id"] for each in life.records("billing.thresholds.v1")}) == 4


def taking(metric: str = "usage", **fields: Any) -> Life:
    """A limit that changes the plan at 10, after 12 units of which 6 are taken back at noon."""
    life = life_with({"key": "cap", "metric": metric, "meter": "tokens", "amount": "10", "window": "day",
                      "thresholds": ["50", "100"], "action": "downgrade", "plan": "free", **fields})  # fmt: skip
    life.use(6, "2026-03-05T10")
    life.use(6, "2026-03-05T11", name="much")
    life.retract("much", 6, "2026-03-05T11", "2026-03-05T12")
    return life


@pytest.mark.parametrize("metric", ["usage", "spend"])
def test_one_that_took_the_plan_stays_until_the_plan_is_back(metric: str) -> None:
    life = taking(metric)
    life.use(1, "2026-03-05T10")
    life.use(3, "2026-03-05T13")
    assert [each[:3] for each in told(life)] == [
        ("breached", "6", "05T10:00"),
        ("breached", "12", "05T11:00"),
        ("recovered", "6", "05T12:00"),
        ("breached", "10", "05T13:00"),
    ]


def test_one_that_does_not_give_the_plan_back_is_gone_a_microsecond_after() -> None:
    life = taking(restore=False)
    life.until("2026-03-06")
    found = life.records("billing.thresholds.v1")[2:]
    assert [(each["state"], each["value"], each["time"][11:]) for each in found] == [
        ("recovered", "6", "12:00:00.000000Z"),
        ("recovered", "0", "12:00:00.000001Z"),
    ]
