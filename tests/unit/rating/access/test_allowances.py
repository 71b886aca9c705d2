"""What an entitlement includes and what is used of it, over a period with changes in it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan

CHAT: Doc = {"key": "chat", "kind": "metered", "meter": "tokens"}
HALF = "2026-03-16T12"


def giving(key: str, included: str | None, **fields: Any) -> Doc:
    """A plan that gives the feature with an allowance, or does not give it."""
    given = [] if included is None else [{"feature": "chat", "included": included, **fields}]
    return plan(key, charges=[charge()], entitlements=given)


def figures(life: Life) -> tuple[str, str, str, str]:
    """Included, used, what is left and what is beyond, as told last."""
    last = life.records("billing.entitlements.v1", feature="chat")[-1]
    return last["included"], last["used"], last["balance"], last["overage"]


@pytest.mark.parametrize(
    ("first", "second", "then"),
    [
        # Half a month of 100, half of 300; usage counts on.
        (giving("a", "100"), giving("b", "300"), ("200", "90", "110", "0")),
        # Whole, and its usage counts on all the same.
        (giving("a", "100"), giving("b", "300", prorate=False), ("300", "90", "210", "0")),
        # The half that is left, and all that is used of it.
        (giving("a", None), giving("b", "100"), ("50", "30", "20", "0")),
    ],
)
def test_an_allowance_is_of_the_time_of_each_plan(
    first: Doc, second: Doc, then: tuple[str, str, str, str]
) -> None:
    life = Life([first, second], features=[CHAT])
    life.subscribe("a", "2026-03-01")
    life.use(60, "2026-03-05")
    life.change("change_plan", HALF, plan="b")
    life.use(30, "2026-03-20")
    assert figures(life) == then


def test_what_is_used_in_a_trial_is_of_its_allowance_alone() -> None:
    pro = {**giving("pro", "100"), "trial": {"plan": "try", "duration": "14d"}}
    life = Life([pro, giving("try", "10", prorate=False)], features=[CHAT])
    life.subscribe("pro", "2026-03-01")
    life.use(15, "2026-03-05")
    assert figures(life) == ("10", "15", "0", "5")
    life.use(20, "2026-03-20")
    assert figures(life)[1] == "20"


def test_a_period_begins_with_all_of_it() -> None:
    life = Life([giving("a", "100")], features=[CHAT])
    life.subscribe("a", "2026-03-01")
    life.use(60, "2026-03-05")
    assert figures(life) == ("100", "60", "40", "0")
    life.until("2026-04-01")
    assert figures(life) == ("100", "0", "100", "0")


def test_usage_that_comes_late_for_a_period_that_is_over_counts_for_none() -> None:
    life = Life([giving("a", "100")], features=[CHAT])
    life.subscribe("a", "2026-03-01")
    life.use(60, "2026-03-05", came="2026-04-02")
    assert figures(life) == ("100", "0", "100", "0")


def test_what_is_taken_back_is_not_used() -> None:
    life = Life([giving("a", "100")], features=[CHAT])
    life.subscribe("a", "2026-03-01")
    life.use(60, "2026-03-05", name="much")
    life.retract("much", 60, "2026-03-05", "2026-03-06")
    assert figures(life) == ("100", "0", "100", "0")
