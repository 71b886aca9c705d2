"""Usage that counts by its outcome: at the outcome's time, whatever order things come in, and not at all without one."""

from __future__ import annotations

from itertools import permutations
from typing import Any, ClassVar

import pytest

from rating.cells import DictCells
from tests.unit.rating.lives import Doc, Life, charge, full, plan

DONE: Doc = {"event_type": "done", "match": "$.ticket", "when": {"status": ["ok"]}, "within": "72h"}
TICKETS: Doc = {"key": "tokens", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit",
                "window": "1h", "group_by": {"team": "$.team"}, "outcome": DONE}  # fmt: skip
Thing = tuple[str, str, str, Any]
"""Kind, id, time, and value of usage or status of an outcome; all of one ticket."""


def asked(name: str, time: str, value: int = 10) -> Thing:
    return "use", name, f"2026-03-{time}", value


def said(name: str, time: str, status: str) -> Thing:
    return "done", name, f"2026-03-{time}", status


def begun(meter: Doc = TICKETS, *more: Doc, **fields: Any) -> Life:
    life = Life([plan("pro", charges=[charge("1", **fields)]), *more], [meter])
    life.subscribe("pro", "2026-03-01")
    life.until("2026-03-30")
    return life


def come(life: Life, thing: Thing, ticket: str = "t1", **fields: Any) -> None:
    kind, name, time, what = thing
    if kind == "use":
        life.use(what, time, name=name, **{"ticket": ticket, "team": "blue", **fields})
    else:
        life.use(None, time, kind="done", name=name, ticket=ticket, status=what)


STORIES: list[tuple[list[Thing], int, list[str]]] = [
    ([asked("a", "05T10")], 0, []),
    ([asked("a", "05T10"), said("x", "05T12", "ok")], 10, ["05T12"]),
    ([asked("a", "05T10"), said("x", "05T12", "bad")], 0, []),
    # At its own moment, and just before the 72 hours are over; neither before nor then.
    ([asked("a", "05T10"), said("x", "05T10", "ok")], 10, ["05T10"]),
    ([asked("a", "05T10"), said("x", "05T09:59:59", "ok")], 0, []),
    ([asked("a", "05T10"), said("x", "08T09:59:59", "ok")], 10, ["08T09"]),
    ([asked("a", "05T10"), said("x", "08T10", "ok")], 0, []),
    # The latest decides, and what comes after the span does not.
    ([asked("a", "05T10"), said("x", "05T12", "ok"), said("y", "06T12", "bad")], 0, []),
    ([asked("a", "05T10"), said("x", "05T12", "bad"), said("y", "06T12", "ok")], 10, ["06T12"]),
    ([asked("a", "05T10"), said("x", "05T12", "ok"), said("y", "06T12", "ok")], 10, ["06T12"]),
    ([asked("a", "05T10"), said("x", "05T12", "ok"), said("y", "08T12", "bad")], 10, ["05T12"]),
    ([asked("a", "05T10"), said("x", "05T12", "ok"), said("y", "06T12", "bad"), said("z", "07T12", "ok")], 10, ["07T12"]),
    # An outcome decides of all usage that it is in time for.
    ([asked("a", "05T10"), asked("b", "06T10", 5), said("x", "07T12", "ok")], 15, ["07T12"]),
    ([asked("a", "05T10"), asked("b", "06T10", 5), said("x", "05T12", "ok")], 10, ["05T12"]),
    ([asked("a", "04T10"), asked("b", "06T10", 5), said("x", "06T12", "ok"), said("y", "07T12", "bad")], 10, ["06T12"]),
]  # fmt: skip


@pytest.mark.parametrize(("things", "counts", "hours"), STORIES)
def test_the_latest_outcome_in_time_decides_in_any_order_of_arrival(
    things: list[Thing], counts: int, hours: list[str]
) -> None:
    for order in permutations(things):
        life = begun()
        for thing in order:
            come(life, thing)
        assert life.sum("quantity") == counts == life.sum(), order
        windows = {line["window_start"]: life.sum(window_start=line["window_start"]) for line in life.lines()}
        assert [start[8:13] for start, amount in sorted(windows.items()) if amount] == hours, order


def test_what_an_outcome_takes_back_is_a_correction() -> None:
    life = begun()
    for thing in (asked("a", "05T10"), said("x", "05T12", "ok"), said("y", "06T12", "bad")):
        come(life, thing)
    assert [(line["kind"], line["quantity"]) for line in life.lines()] == [
        ("usage", "10"),
        ("correction", "-10"),
    ]


def test_another_ticket_decides_nothing() -> None:
    life = begun()
    come(life, asked("a", "05T10"), ticket="t1")
    come(life, said("x", "05T12", "ok"), ticket="t2")
    assert life.lines() == []


def test_usage_keeps_its_value_and_dimensions() -> None:
    life = begun(dimensions=["team"])
    come(life, asked("a", "05T10", 7), team="red")
    come(life, said("x", "05T12", "ok"))
    assert [(line["dimensions"], line["quantity"]) for line in life.lines()] == [({"team": "red"}, "7")]


def test_usage_and_outcome_may_name_the_ticket_at_different_paths() -> None:
    paths = {"usage": "$.case", "outcome": "$.ticket"}
    life = begun({**TICKETS, "outcome": {**DONE, "match": paths}})
    come(life, asked("a", "05T10"), case="t1", ticket="t9")
    come(life, said("x", "05T12", "ok"), ticket="t1")
    assert life.sum("quantity") == 10


@pytest.mark.parametrize(("gone", "left"), [("x", 0), ("y", 10)])
def test_an_outcome_that_is_taken_back_never_was(gone: str, left: int) -> None:
    life = begun()
    outcomes = {"x": said("x", "05T12", "ok"), "y": said("y", "06T12", "bad")}
    come(life, asked("a", "05T10"))
    for thing in outcomes.values():
        come(life, thing)
    _, name, time, status = outcomes[gone]
    was = {"specversion": "1.0", "id": name, "source": "src", "type": "done", "tenant": "acme", "subject": "cust-1",
           "time": full(time), "data": {"ticket": "t1", "status": status}}  # fmt: skip
    life.command("retract_usage", "2026-03-30T01", source="src", event_id=name, was=was)
    assert life.rejected() == []
    assert life.sum("quantity") == left


def test_usage_that_is_taken_back_is_never_decided() -> None:
    for outcome_first in (True, False):
        life = begun()
        come(life, asked("a", "05T10"))
        if outcome_first:
            come(life, said("x", "05T12", "ok"))
        life.retract("a", 10, "2026-03-05T10", "2026-03-30T01", ticket="t1", team="blue")
        if not outcome_first:
            come(life, said("x", "05T12", "ok"))
        assert life.sum("quantity") == 0


def test_usage_counts_by_the_plan_and_in_the_period_of_its_outcome() -> None:
    life = begun(TICKETS, plan("dear", charges=[charge("5")]))
    life.change("change_plan", "2026-03-31", plan="dear")
    come(life, asked("a", "30T10"))
    come(life, ("done", "x", "2026-04-01T09", "ok"))
    (line,) = life.lines()
    assert (line["plan"], line["amount"], line["period_start"][:10]) == ("dear", "50", "2026-04-01")


def test_what_was_decided_before_a_subscription_waits_for_it() -> None:
    life = Life([plan("pro", charges=[charge("1")])], [TICKETS])
    life.until("2026-03-10")
    come(life, asked("a", "05T10"))
    come(life, said("x", "05T12", "ok"))
    life.subscribe("pro", "2026-03-05T11")
    assert life.sum("quantity") == 10


@pytest.mark.parametrize(("since", "plan_key"), [("2026-03-05T12", "dear"), ("2026-03-05T12:00:01", "pro")])
def test_a_change_dated_back_moves_usage_by_the_time_of_its_outcome(since: str, plan_key: str) -> None:
    life = begun(TICKETS, plan("dear", charges=[charge("5")]))
    come(life, asked("a", "05T10"))
    come(life, said("x", "05T12", "ok"))
    life.change("change_plan", since, plan="dear")
    assert life.sum("quantity", plan=plan_key) == life.sum("quantity") == 10


def test_usage_that_waits_for_a_subscription_is_taken_back_by_an_outcome_too() -> None:
    life = Life([plan("pro", charges=[charge("1")])], [TICKETS])
    life.until("2026-03-10")
    for thing in (asked("a", "05T10"), said("x", "05T12", "ok"), said("y", "06T12", "bad")):
        come(life, thing)
    life.subscribe("pro", "2026-03-05T11")
    assert life.lines() == []


class Kept(DictCells):
    """Cells that tell what is kept of outcomes."""

    made: ClassVar[list[Kept]] = []

    def __init__(self) -> None:
        super().__init__()
        self.made.append(self)

    def outcomes(self) -> int:
        return sum(len(members) for bucket, members in self._buckets.items() if bucket[0] == "outcome")


def test_what_no_outcome_can_decide_any_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.simulate.DictCells", Kept)
    life = begun()
    come(life, asked("a", "05T10"))
    come(life, said("x", "06T12", "ok"))
    # Of each 72 hours later, and an hour, and the 35 days in which it can be taken back.
    for time, left in (
        ("2026-04-12T10:59:59", 2),
        ("2026-04-12T11", 1),
        ("2026-04-13T12:59:59", 1),
        ("2026-04-13T13", 0),
    ):
        life.until(time)
        assert Kept.made[-1].outcomes() == left, time


def test_usage_that_one_outcome_moves_over_a_change_is_priced_as_if_it_had_come_there_at_once() -> None:
    night = {"from": "22:00", "to": "06:00", "price": {"model": "per_unit", "unit_amount": "100"}}
    tiers = [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "3"}]
    price = {"model": "scheduled", "schedule": [night], "default": {"model": "graduated", "tiers": tiers}}
    life = begun(TICKETS, plan("b", charges=[charge(price=price)]), price=price)
    come(life, asked("a", "29T10", 8))
    come(life, asked("b", "29T11", 8))
    come(life, said("x", "29T12", "ok"))
    assert [(line["kind"], line["quantity"]) for line in life.lines()] == [("usage", "16")]
    life.change("change_plan", "2026-03-30", plan="b")
    come(life, said("y", "30T10", "ok"))
    # Both wait for the second: 10 at 1 and 6 at 3, on b alone.
    assert [life.sum(plan=key) for key in ("pro", "b")] == [0, 28]
