"""Holds whose events nothing will count end when the events have gone the whole way, and not before."""

from __future__ import annotations

from rating.records import Position
from rating.reservations import BoundKey, Hold, HoldKey
from streams.gateway.trail import Look, Trail

RAW = ("usage.events.v1", 2)
KEY = HoldKey("t", "a", "r")


def hold(offset: int = 10) -> Hold:
    bound = BoundKey("t", "a", "feature", "f")
    return Hold(KEY, "a", "f", "1", None, {bound: 1}, 0, "", state="committed", origin=Position(*RAW, offset))


def look(normalized: int, log_end: int, rated: int, told: int) -> Look:
    return Look({RAW: normalized}, {5: log_end}, {5: rated}, {5: (told, 3)})


def test_each_step_is_seen_before_the_next_is_asked_for() -> None:
    at = {5: (0, 3)}
    trail = Trail(lambda hold: 5, lambda number: at[number])
    assert trail.past([hold()], look(10, 100, 100, 7)) == [], "not normalized"
    assert trail.past([hold()], look(11, 102, 101, 7)) == [], "on the log somewhere before 102"
    at[5] = 1_000, 1_000
    assert trail.past([hold()], look(11, 200, 101, 8)) == [], "not rated"
    at[5] = 8, 1_000
    assert trail.past([hold()], look(11, 200, 102, 9)) == [], "told somewhere before 9, and read up to 8"
    assert trail.past([hold()], look(11, 300, 200, 99)) == []
    at[5] = 1_000, 2
    assert trail.past([hold()], look(11, 300, 200, 99)) == [], "of the limits there is one more"
    at[5] = 9, 3
    assert trail.past([hold()], look(11, 300, 200, 99)) == [KEY]


def test_an_event_that_was_published_again_begins_again() -> None:
    trail = Trail(lambda hold: 5, lambda number: (1_000, 1_000))
    trail.past([hold(10)], look(11, 100, 0, 0))
    assert trail.past([hold(20)], look(11, 100, 100, 5)) == []


def test_what_a_look_does_not_say_is_waited_for() -> None:
    trail = Trail(lambda hold: 6, lambda number: (1_000, 1_000))
    assert trail.past([hold()], look(11, 100, 100, 5)) == []
