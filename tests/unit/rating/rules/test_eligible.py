"""Trials that rest on a rule."""

from __future__ import annotations

from tests.unit.rating.lives import Doc
from tests.unit.rating.rules.watched import life, signals

TRIAL: Doc = {"trial": {"plan": "max", "duration": "14d", "eligible": "fair"}}
FAIR = {
    "key": "fair",
    "kind": "trial",
    "when": {"all": [{"fact": "trials", "lt": "1"}, {"fact": "metadata.vip", "eq": "yes"}]},
}


def test_an_eligible_account_gets_the_trial_once() -> None:
    one = life(FAIR, **TRIAL)
    one.command("set_account", "2026-02-28", metadata={"vip": "yes"})
    assert signals(one, "fair") == [("on", "02-28T00:00")]
    one.subscribe("pro", "2026-03-01")
    one.use(1, "2026-03-02")
    assert [each["plan"] for each in one.lines()] == ["max"]
    assert signals(one, "fair")[1:] == [("off", "03-01T00:00")]
    one.subscribe("pro", "2026-03-03", "sub-2")
    one.use(1, "2026-03-04", subscription="sub-2")
    assert one.lines()[-1]["plan"] == "pro"
    assert signals(one, "fair")[2:] == [("off", "03-03T00:00")]


def test_another_gets_none_and_a_signal_says_so() -> None:
    one = life(FAIR, **TRIAL)
    one.subscribe("pro", "2026-03-01")
    one.use(1, "2026-03-02")
    assert [each["plan"] for each in one.lines()] == ["pro"]
    (found,) = one.records("billing.signals.v1")
    assert (found["rule"], found["kind"], found["state"]) == ("fair", "trial", "off")


def test_a_rule_on_which_a_trial_rests_is_looked_at_just_before_the_subscribe() -> None:
    fair = {"key": "fair", "kind": "trial", "when": {"fact": "trials", "plan": "pro", "eq": "0"}}
    one = life(fair, **TRIAL)
    one.subscribe("pro", "2026-03-01")
    assert signals(one, "fair") == [("on", "03-01T00:00"), ("off", "03-01T00:00")]
    one.use(1, "2026-03-02")
    assert [each["plan"] for each in one.lines()] == ["max"]
