"""A subscription's time: which terms hold, in which period a moment falls, how far it runs, what moves by itself."""

from __future__ import annotations

from typing import Any

import pytest

from rating.catalog import Catalog, compile_catalog
from rating.cells import DictCells, DictIds
from rating.records import Position
from rating.state import NEVER, Change, Subscription, Terms
from rating.step import Step
from rating.timeline import Timeline, applied, inserted, length_at, spell_at, timeline
from rating.times import parse_time
from schemas.catalog import check_catalog
from tests.unit.rating.lives import Doc, full, plan


def at(time: str) -> int:
    return parse_time(full(time))


def catalog(*plans: Doc, published: dict[tuple[str, int], str] | None = None) -> Catalog:
    checked = check_catalog({"meters": [], "plans": list(plans)})
    assert checked.doc is not None, checked.problems
    return compile_catalog(checked.doc, 1, {name: at(time) for name, time in (published or {}).items()})


def terms(start: str, key: str = "pro", version: int = 1, restarts: bool = False, **more: Any) -> Terms:
    fields: dict[str, Any] = {
        "storefront": None,
        "region": None,
        "channel": None,
        "overrides": "",
        "anchor": -1,
    }
    return Terms(start=at(start), plan=key, version=version, restarts=restarts, **(fields | more))


def held(
    *found: Terms, end: int = NEVER, cursor: str = "2026-03-01", planned: tuple[Change, ...] = ()
) -> Subscription:
    first = found[0]._replace(restarts=True)
    return Subscription(
        id="sub-1", order=1, start=first.start, end=end, timezone="UTC", currency="USD", terms=(first, *found[1:]),
        planned=planned, pauses=(), quantities=(), prorated=(), cursor=at(cursor), closing=(), cleaned=first.start,
    )  # fmt: skip


def known(sub: Subscription) -> Timeline:
    return Timeline(sub, sub.terms, sub.end)


def step(found: Catalog) -> Step:
    return Step(DictCells(), DictIds(), found, {}, "acme", "cust-1", 0, Position("log", 0, 0))


@pytest.mark.parametrize(
    ("moment", "plan_key"),
    [("2026-02-01", "a"), ("2026-03-01", "a"), ("2026-03-09T23:59:59", "a"), ("2026-03-10", "b"), ("2026-03-20", "c"),
     ("2027-01-01", "c")],
)  # fmt: skip
def test_terms_hold_from_their_start_on_and_the_first_before_it_too(moment: str, plan_key: str) -> None:
    line = known(held(terms("2026-03-01", "a"), terms("2026-03-10", "b"), terms("2026-03-20", "c")))
    assert line.holding(at(moment)).plan == plan_key


@pytest.mark.parametrize(
    ("moment", "runs"),
    [
        ("2026-02-28T23:59:59", False),
        ("2026-03-01", True),
        ("2026-03-19T23:59:59", True),
        ("2026-03-20", False),
    ],
)
def test_a_subscription_runs_from_its_start_to_before_its_end(moment: str, runs: bool) -> None:
    assert known(held(terms("2026-03-01"), end=at("2026-03-20"))).runs_at(at(moment)) is runs


RESTARTED = (
    terms("2026-03-05"),
    terms("2026-03-12"),
    terms("2026-04-10", restarts=True, anchor=at("2026-04-10")),
)


@pytest.mark.parametrize(
    ("moment", "start", "end", "nominal"),
    [
        ("2026-03-05", "2026-03-01", "2026-04-01", "2026-04-01"),
        ("2026-03-20", "2026-03-01", "2026-04-01", "2026-04-01"),
        ("2026-04-09", "2026-04-01", "2026-04-10", "2026-05-01"),
        ("2026-04-10", "2026-04-10", "2026-05-10", "2026-05-10"),
        ("2026-05-20", "2026-05-10", "2026-05-30", "2026-06-10"),
    ],
)
def test_a_period_ends_where_a_whole_one_begins_in_its_place_or_the_subscription_ends(
    moment: str, start: str, end: str, nominal: str
) -> None:
    spell = spell_at(catalog(plan("pro")), known(held(*RESTARTED, end=at("2026-05-30"))), at(moment))
    assert (spell.start, spell.end, spell.nominal) == (at(start), at(end), at(nominal))


def test_another_length_is_counted_from_the_same_anchor() -> None:
    line = known(held(*RESTARTED))
    spell = length_at(catalog(plan("pro")), line, at("2026-04-20"), "week")
    assert (spell.start, spell.nominal, spell.length) == (at("2026-04-17"), at("2026-04-24"), "week")


NEWER = ({"effective_from": "2026-03-15T00:00:00Z", "existing": "renewal"}, "2026-03-02")
"""A version in effect from mid-March on, published before, to which subscriptions move as they renew."""


@pytest.mark.parametrize(
    ("newer", "published", "moves"),
    [
        (*NEWER, "2026-04-01"),
        ({"effective_from": "2026-04-01T00:00:00Z", "existing": "renewal"}, "2026-03-02", "2026-04-01"),
        ({"effective_from": "2026-03-15T00:00:00Z", "existing": "renewal"}, "2026-04-02", "2026-05-01"),
        (
            {"effective_from": "2026-03-15T00:00:00Z", "existing": "2026-03-20T00:00:00Z"},
            "2026-03-02",
            "2026-03-20",
        ),
        (
            {"effective_from": "2026-03-15T00:00:00Z", "existing": "2026-03-20T00:00:00Z"},
            "2026-03-25",
            "2026-03-25",
        ),
        ({"effective_from": "2026-03-15T00:00:00Z", "existing": "keep"}, "2026-03-02", None),
    ],
)
def test_a_newer_version_takes_over_as_it_says_but_never_before_it_is_published(
    newer: Doc, published: str, moves: str | None
) -> None:
    found = catalog(plan("pro"), plan("pro") | {"version": 2, **newer}, published={("pro", 2): published})
    line = timeline(step(found), held(terms("2026-03-01")))
    assert [(each.version, each.start) for each in line.terms[1:]] == (
        [] if moves is None else [(2, at(moves))]
    )
    assert all(each.automatic for each in line.terms[1:])


@pytest.mark.parametrize(
    ("existing", "cursor", "version", "moves"),
    [
        # The start of the subscription is no renewal, and what is booked is booked.
        ("renewal", "2026-02-28", 1, "2026-04-01"), ("renewal", "2026-05-01", 1, "2026-06-01"),
        ("2026-03-20T00:00:00Z", "2026-03-19", 1, "2026-03-20"), ("2026-03-20T00:00:00Z", "2026-03-20", 1, None),
        ("renewal", "2026-03-01", 2, None), ("renewal", "2026-03-01", 3, None),
    ],
)  # fmt: skip
def test_a_newer_version_takes_over_at_what_is_not_booked_yet(
    existing: str, cursor: str, version: int, moves: str | None
) -> None:
    early = {"effective_from": "2026-02-01T00:00:00Z"}
    versions = [
        plan("pro"),
        plan("pro") | {"version": 2, "existing": existing, **early},
        plan("pro") | {"version": 3},
    ]
    sub = held(terms("2026-03-01", version=version), cursor=cursor)
    line = timeline(step(catalog(*versions, published={("pro", 2): "2026-02-01"})), sub)
    assert [each.start for each in line.terms[1:]] == ([] if moves is None else [at(moves)])


@pytest.mark.parametrize(("period", "anchor"), [("week", at("2026-03-20")), ("month", -1)])
def test_a_newer_version_of_another_length_ends_the_period(period: str, anchor: int) -> None:
    newer = {
        "version": 2,
        "effective_from": "2026-03-15T00:00:00Z",
        "existing": "2026-03-20T00:00:00Z",
        "period": period,
    }
    found = catalog(plan("pro"), plan("pro") | newer, published={("pro", 2): "2026-03-02"})
    moved = timeline(step(found), held(terms("2026-03-01"))).holding(at("2026-03-20"))
    assert (moved.restarts, moved.anchor) == (period == "week", anchor)


def test_what_waits_rates_usage_that_comes_ahead_of_the_clock() -> None:
    waits = Change("change_plan", at("2026-04-01"), None, terms("2026-04-01", "b"), "", True)
    ends = Change("cancel", at("2026-05-01"), None, None, "", True)
    found = catalog(plan("a"), plan("b"))
    line = timeline(step(found), held(terms("2026-03-01", "a"), planned=(waits, ends)))
    assert [line.holding(at(time)).plan for time in ("2026-03-31", "2026-04-02")] == ["a", "b"]
    assert line.end == at("2026-05-01")


def test_terms_that_begin_when_others_do_take_their_place() -> None:
    old = (terms("2026-03-01", "a"), terms("2026-03-10", "b"), terms("2026-03-20", "c"))
    assert [each.plan for each in inserted(old, terms("2026-03-10", "x"))] == ["a", "x", "c"]
    assert [each.plan for each in inserted(old, terms("2026-03-15", "x"))] == ["a", "b", "x", "c"]


@pytest.mark.parametrize(
    ("asked", "becomes"),
    [
        ('{"storefront": "web"}', ("small", "web", False, -1)),
        ('{"plan": "large"}', ("large", "shop", False, -1)),
        ('{"plan": "yearly"}', ("yearly", "shop", True, at("2026-03-10"))),
        ('{"anchor": "now"}', ("small", "shop", True, at("2026-03-10"))),
    ],
)
def test_a_change_takes_what_it_named_and_the_rest_of_what_holds_before_it(
    asked: str, becomes: tuple[str, str, bool, int]
) -> None:
    found = catalog(plan("small"), plan("large"), plan("yearly", period="year"))
    on = terms("2026-03-01", "small", storefront="shop")
    made = terms("2026-03-10", "yearly" if "yearly" in asked else "large", storefront="told", asked=asked)
    after = applied(found, on, made)
    assert (after.plan, after.storefront, after.restarts, after.anchor) == becomes
    assert (after.start, after.asked) == (made.start, asked)


def test_changes_at_one_instant_are_one_change() -> None:
    found = catalog(plan("small"), plan("large"))
    anew = applied(
        found, terms("2026-03-01", "small"), terms("2026-03-10", "small", asked='{"anchor": "now"}')
    )
    both = applied(found, anew, terms("2026-03-10", "large", asked='{"plan": "large"}'))
    assert (both.plan, both.restarts, both.anchor) == ("large", True, at("2026-03-10"))
    later = applied(found, both, terms("2026-03-12", "large", storefront=None, asked='{"storefront": "web"}'))
    assert (later.storefront, later.restarts) == ("web", False)
    # Told anew on other terms, it is still both.
    assert applied(found, terms("2026-03-05", "small"), both)[1:3] == ("large", 1)
    assert applied(found, terms("2026-03-05", "small"), both).restarts
