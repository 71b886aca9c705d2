"""An entitlement shows the limits that bear on its feature, reached or not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import Life, charge, plan

FEATURES = [{"key": "chat", "kind": "metered", "meter": "tokens"}, {"key": "sso", "kind": "boolean"}]


def life(**limit: Any) -> Life:
    found = {
        "key": "cap",
        "metric": "usage",
        "meter": "tokens",
        "amount": "10",
        "window": "day",
        "hard": True,
        **limit,
    }
    made = plan("pro", charges=[charge()], limits=[found],
                entitlements=[{"feature": "chat", "included": "100"}, {"feature": "sso", "value": True}])  # fmt: skip
    return Life([made], features=FEATURES)


def shown(of: Life, feature: str = "chat") -> list[Any]:
    return [each["limits"] for each in of.records("billing.entitlements.v1", feature=feature)]


def test_a_limit_without_usage_is_shown_at_nothing() -> None:
    one = life()
    one.subscribe("pro", "2026-03-01")
    assert shown(one) == [[{"limit": "cap", "value": "0", "amount": "10", "resets_at": None}]]
    assert shown(one, "sso") == [[]]


def test_its_value_and_end_are_told_with_the_usage_and_taken_off_when_the_window_is_over() -> None:
    one = life()
    one.subscribe("pro", "2026-03-01")
    one.use(4, "2026-03-02T10")
    one.until("2026-03-05")
    assert shown(one)[1:] == [
        [{"limit": "cap", "value": "4", "amount": "10", "resets_at": "2026-03-03T00:00:00.000000Z"}],
        [{"limit": "cap", "value": "0", "amount": "10", "resets_at": None}],
    ]


def test_one_that_only_notifies_does_not_bear_on_access() -> None:
    one = life(hard=False)
    one.subscribe("pro", "2026-03-01")
    assert shown(one) == [[]]


@pytest.mark.parametrize("first", [True, False])
def test_access_returns_with_the_trial_whose_end_another_limit_makes_of_the_same_usage(first: bool) -> None:
    cap = {
        "key": "cap",
        "metric": "usage",
        "meter": "tokens",
        "amount": "10",
        "hard": True,
        "action": "suspend",
    }
    ends = {"key": "ends", "metric": "usage", "meter": "tokens", "amount": "10", "action": "end_trial"}
    chat = [{"feature": "chat"}]
    one = Life(
        [
            plan("pro", charges=[charge()], entitlements=chat, trial={"plan": "tryout", "duration": "5h"}),
            plan("tryout", entitlements=chat, limits=[cap, ends] if first else [ends, cap]),
        ],
        features=FEATURES,
    )
    one.subscribe("pro", "2026-03-01")
    one.use(10, "2026-03-01T01")
    told = one.records("billing.entitlements.v1", feature="chat")[-1]
    assert (told["reason"], told["resets_at"]) == ("suspended", "2026-03-01T01:00:00.000001Z")
    ends_at = [each["window_end"][11:26] for each in one.records("billing.thresholds.v1")]
    assert ends_at == (["05:00:00.000000"] * 2 if first else ["05:00:00.000000", "01:00:00.000001"])
    one.until("2026-03-02")
    assert one.records("billing.entitlements.v1", feature="chat")[-1]["access"]
