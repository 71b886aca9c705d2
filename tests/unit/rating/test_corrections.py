"""What may be corrected: the event as it stands now."""

from __future__ import annotations

from tests.unit.rating.lives import Life, charge, plan

AT, LATER = "2026-03-02T10", "2026-03-03"


def test_an_event_that_was_amended_is_corrected_as_it_stands_since() -> None:
    life = Life([plan("pro", charges=[charge()])])
    life.subscribe("pro", "2026-03-01")
    life.use(5, AT, name="e1")
    life.amend("e1", AT, LATER, {"data": {"value": 7}}, 5)
    life.amend("e1", AT, LATER, {"data": {"value": 9}}, 7)
    assert [line["amount"] for line in life.lines()] == ["5", "2", "2"]
    life.retract("e1", 9, AT, LATER)
    assert life.sum() == 0
    assert life.rejected() == []


def test_what_it_was_before_it_was_amended_is_refused_and_says_so() -> None:
    life = Life([plan("pro", charges=[charge()])])
    life.subscribe("pro", "2026-03-01")
    life.use(5, AT, name="e1")
    life.amend("e1", AT, LATER, {"data": {"value": 7}}, 5)
    life.amend("e1", AT, LATER, {"data": {"value": 9}}, 5)
    life.retract("e1", 5, AT, LATER)
    assert life.rejected() == ["bad_command", "bad_command"]
    assert life.refusals()[0] == "event e1 of src was amended since: was must be the event as it is now"
    assert life.sum() == 7


def test_what_it_never_was_is_refused() -> None:
    life = Life([plan("pro", charges=[charge()])])
    life.subscribe("pro", "2026-03-01")
    life.use(5, AT, name="e1")
    life.retract("e1", 6, AT, LATER)
    assert life.refusals() == ["was is not event e1 of src as it was accepted"]
