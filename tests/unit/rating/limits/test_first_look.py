"""A limit is looked at by the command that sets it, the account's first one too."""

from __future__ import annotations

from tests.unit.rating.lives import Life, charge, plan


def test_the_first_limit_of_an_account_is_looked_at_at_once() -> None:
    life = Life([plan("pro", charges=[charge()])])
    life.subscribe("pro", "2026-03-01")
    life.use(12, "2026-03-02T10")
    limit = {"key": "cap", "metric": "usage", "meter": "tokens", "amount": "10", "window": "month"}
    life.command("set_limit", "2026-03-03", limit=limit)
    told = life.records("billing.thresholds.v1")
    assert [(each["state"], each["value"], each["time"]) for each in told] == [
        ("breached", "12", "2026-03-03T00:00:00.000000Z")
    ]
