"""A tree of accounts for tests: `org` above `dept` above `team`, and `lone` directly under `org`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.rating.lives import TOKENS, Life, charge, full, plan

Doc = dict[str, Any]
TIERS: Doc = {
    "model": "graduated",
    "tiers": [{"up_to": "100", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}],
}
SEATS: Doc = {
    "key": "seats",
    "event_type": "seat",
    "aggregation": "time_weighted_sum",
    "value": "$.value",
    "window": "1d",
}
CALLS: Doc = {"key": "calls", "event_type": "call", "aggregation": "count", "window": "1h"}
POOL = plan("pool", charges=[charge(price=TIERS)])
OWN = plan("own", charges=[charge("10")])
BARE = plan("bare", fees=[{"key": "base", "amount": "31", "timing": "advance"}])
CALLING = plan(
    "calling",
    charges=[{"key": "calls", "meter": "calls", "price": {"model": "per_unit", "unit_amount": "3"}}],
)


class Tree(Life):
    """See the module."""

    def __init__(
        self, plans: Any = (POOL, OWN, BARE, CALLING), meters: Any = (TOKENS, SEATS, CALLS), **more: Any
    ) -> None:
        super().__init__(plans, meters, **more)
        for account, parent in (("dept", "org"), ("team", "dept"), ("lone", "org")):
            self.command("set_account", "2026-03-01", account=account, parent=parent)

    def sub(self, account: str, plan: str, start: str, came: str | None = None, name: str = "s") -> None:
        self.command(
            "subscribe", came or start, account=account, subscription=name, plan=plan, start=full(start)
        )

    def owed(self) -> dict[tuple[str, str | None], Decimal]:
        """Usage by who owes and who used it, but for nothing."""
        found: dict[tuple[str, str | None], Decimal] = {}
        for line in self.lines(charge="input"):
            key = line["account"], line["sub_account"]
            found[key] = found.get(key, Decimal(0)) + Decimal(line["amount"])
        return {key: amount for key, amount in found.items() if amount}
