"""Pauses: from one mark to the next, by the marks' own times; what waits for the period's end is the one told last."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rating.changes import Pauses, switched
from rating.state import NEVER
from tests.unit.rating.lives import Doc, Life, plan

FEE: Doc = {"key": "base", "amount": "31", "timing": "arrears"}


def life(**fields: object) -> Life:
    found = Life([plan("pro", fees=[FEE], **fields)])
    found.subscribe("pro", "2026-03-01")
    return found


def due(found: Life, until: str) -> list[str]:
    found.until(until)
    return [line["amount"] for line in found.lines(kind="fee")]


def test_a_pause_with_the_periods_end_replaces_a_resume_that_waits_for_it() -> None:
    found = life()
    found.change("pause", "2026-03-11")
    found.change("resume", "2026-03-12", at="period_end")
    found.change("pause", "2026-03-13", at="period_end")
    assert due(found, "2026-06-02") == ["10"]


def test_a_resume_waits_for_the_periods_end_too() -> None:
    found = life()
    found.change("pause", "2026-03-11")
    found.change("resume", "2026-03-12", at="period_end")
    assert due(found, "2026-05-02") == ["10", "31"]


def test_one_resume_ends_a_pause_that_waited_and_one_that_did_not() -> None:
    found = life()
    found.change("pause", "2026-03-11", at="period_end")
    found.change("pause", "2026-03-21")
    found.change("resume", "2026-04-11")
    assert due(found, "2026-05-02") == ["20", "20.666666666667"]


def test_a_pause_that_is_dated_before_another_begins_earlier_and_ends_with_it() -> None:
    found = life()
    found.change("pause", "2026-03-11")
    found.change("resume", "2026-03-21")
    found.change("pause", "2026-03-06", came="2026-03-22")
    assert due(found, "2026-04-02") == ["16"]


def test_a_pause_that_is_dated_before_a_resume_ends_with_it_though_nothing_was_paused() -> None:
    found = life()
    found.change("resume", "2026-03-21")
    found.change("pause", "2026-03-11", came="2026-03-22")
    assert due(found, "2026-04-02") == ["21"]


def test_a_pause_that_is_dated_back_over_a_change_takes_the_grants_of_its_time() -> None:
    free = {"key": "free", "unit": "credit", "amount": "3100", "every": "period"}
    found = Life([plan("none"), plan("some", grants=[free])])
    found.subscribe("none", "2026-03-01")
    found.change("change_plan", "2026-03-11", plan="some")
    found.change("resume", "2026-03-21")
    found.change("pause", "2026-03-06", came="2026-03-22")
    assert sum(Decimal(amount) for _, amount, _ in found.ledger()) == 1_100


@pytest.mark.parametrize(
    ("pauses", "at", "off", "after"),
    [
        ((), 5, True, ((5, NEVER),)),
        ((), 5, False, ((5, 5),)),
        (((5, 5),), 3, True, ((3, 5), (5, 5))),
        (((5, NEVER),), 5, False, ((5, 5),)),
        (((5, 5),), 5, True, ((5, NEVER),)),
        (((5, NEVER),), 7, True, ((5, 7), (7, NEVER))),
        (((5, 7), (7, NEVER)), 6, False, ((5, 6), (6, 6), (7, NEVER))),
    ],
)
def test_marks_are_in_the_order_of_their_times(pauses: Pauses, at: int, off: bool, after: Pauses) -> None:
    assert switched(pauses, at, off) == after
