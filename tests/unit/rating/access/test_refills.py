"""When access to a credit unit that is used up returns, as its entitlement says it."""

from __future__ import annotations

from typing import Any

from tests.unit.rating.lives import Doc, Life, charge, plan


def pool(key: str = "a", **grant: Any) -> Doc:
    """A plan with a grant of 100 credits, unless `grant` says otherwise, which its one charge takes."""
    every = {"key": "monthly", "unit": "ai", "amount": "100", "every": "period", **grant}
    return plan(
        key, charges=[charge(unit="ai")], grants=[every], entitlements=[{"feature": "chat", "unit": "ai"}]
    )


def used_up(*plans: Doc) -> Life:
    life = Life(plans, features=[{"key": "chat", "kind": "metered", "meter": "tokens"}])
    life.subscribe("a", "2026-03-04")
    life.use(1000, "2026-03-05")
    return life


def returns(life: Life) -> tuple[str, str | None]:
    """The reason, and the day on which access returns."""
    last = life.records("billing.entitlements.v1", feature="chat")[-1]
    assert last["access"] is False
    return last["reason"], last["resets_at"] and last["resets_at"].removesuffix("T00:00:00.000000Z")


def test_it_returns_with_the_plans_next_grant() -> None:
    assert returns(used_up(pool())) == ("exhausted", "2026-04-01")
    assert returns(used_up(pool(every="week"))) == ("exhausted", "2026-03-09")


def test_what_is_granted_once_or_never_again_returns_nothing() -> None:
    assert returns(used_up(pool(every="once"))) == ("exhausted", None)
    life = used_up(pool(), pool("b", unit="other"))
    life.change("change_plan", "2026-03-06", at="period_end", plan="b")
    assert returns(life) == ("exhausted", None)


def test_a_grant_that_begins_sooner_returns_it_and_no_plan_does_in_a_pause() -> None:
    life = used_up(pool())
    sooner = {"amount": "5", "unit": "ai", "effective_from": "2026-03-20T00:00:00Z"}
    life.command("grant_credits", "2026-03-06", grant="gift", **sooner)
    assert returns(life) == ("exhausted", "2026-03-20")
    life.change("pause", "2026-03-07")
    assert returns(life) == ("paused", None)


def test_nothing_returns_after_the_end_of_the_subscription() -> None:
    life = used_up(pool())
    life.change("cancel", "2026-03-06", at="period_end")
    assert returns(life) == ("exhausted", None)
