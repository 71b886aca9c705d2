"""A subject that a limit holds has an entitlement of its own, until it is let go."""

from __future__ import annotations

from tests.unit.rating.lives import Doc, Life, charge, plan

CHAT: Doc = {"key": "chat", "kind": "metered", "meter": "tokens"}
DAILY: Doc = {"key": "daily", "metric": "usage", "meter": "tokens", "amount": "10", "window": "day", "scope": "subject",
              "hard": True}  # fmt: skip


def begun(**fields: object) -> Life:
    entitlement = {"feature": "chat", "included": "100", **fields}
    life = Life(
        [plan("pro", charges=[charge()], entitlements=[entitlement], limits=[DAILY])], features=[CHAT]
    )
    life.subscribe("pro", "2026-03-01")
    return life


def shown(life: Life) -> list[tuple[str, bool | None, str | None, str | None]]:
    """Of each record of a subject: who, access, the reason, when it returns; nothing but who for a tombstone."""
    found: list[tuple[str, bool | None, str | None, str | None]] = []
    own = {
        each.key: each.value
        for each in life.shown
        if each.topic == "billing.entitlements.v1" and each.key and each.key.count("/") == 3
    }
    for key, value in own.items():
        subject = key.rpartition("/")[2]
        record = (
            None
            if value is None
            else next(iter(life.records("billing.entitlements.v1", subject=subject)[::-1]))
        )
        if record is None:
            found.append((subject, None, None, None))
        else:
            returns = record["resets_at"]
            found.append((subject, record["access"], record["reason"], returns and returns[5:16]))
    return found


def access(life: Life) -> bool:
    """Access of the account as a whole."""
    found: bool = [each for each in life.records("billing.entitlements.v1") if "subject" not in each][-1][
        "access"
    ]
    return found


def test_the_one_that_reached_it_is_held_and_nobody_else() -> None:
    life = begun()
    life.use(10, "2026-03-02T10", subject="ann", account="cust-1")
    life.use(9, "2026-03-02T11", subject="bob", account="cust-1")
    assert shown(life) == [("ann", False, "hard_limit", "03-03T00:00")]
    assert access(life)


def test_let_go_its_record_is_a_tombstone() -> None:
    life = begun()
    life.use(10, "2026-03-02T10", subject="ann", account="cust-1", name="one")
    life.until("2026-03-03")
    assert shown(life) == [("ann", None, None, None)]


def test_what_holds_the_account_holds_it_too_and_access_returns_when_the_last_of_them_ends() -> None:
    life = begun(overage="denied")
    life.use(100, "2026-03-02T10", subject="ann", account="cust-1")
    assert not access(life)
    assert shown(life) == [("ann", False, "hard_limit", "04-01T00:00")]


def test_its_record_shows_the_limits_that_bear_on_it() -> None:
    monthly: Doc = {
        "key": "monthly",
        "metric": "usage",
        "meter": "tokens",
        "amount": "50",
        "window": "month",
        "hard": True,
    }
    entitlement = {"feature": "chat", "included": "100"}
    life = Life(
        [plan("pro", charges=[charge()], entitlements=[entitlement], limits=[DAILY, monthly])],
        features=[CHAT],
    )
    life.subscribe("pro", "2026-03-01")
    life.use(10, "2026-03-02T10", subject="ann", account="cust-1")
    life.use(5, "2026-03-02T11", subject="bob", account="cust-1")
    (record,) = life.records("billing.entitlements.v1", subject="ann")[-1:]
    assert [(each["limit"], each["value"]) for each in record["limits"]] == [
        ("monthly", "15"),
        ("daily", "10"),
    ]
