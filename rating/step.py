"""One account's part of one step: what it reads and writes, what it emits, and the moment it is booked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rating.catalog import Catalog, Plan, effective_plan
from rating.cells import Cells, Ids
from rating.effects import Effect
from rating.records import Position
from rating.state import Subscription, Terms, Waiting
from rating.times import format_time

if TYPE_CHECKING:
    from rating.facts import Facts

History = Callable[[str, str, int, int], Iterable[Waiting]]
"""`(tenant, account, since, until)`: the account's counted events timed in `[since, until)`, in the log's order."""
PlanKey = tuple[str, str, int, str | None, str | None, str | None, str, str]
"""Tenant, plan, version, storefront, region, channel, currency, overrides."""


def no_history(tenant: str, account: str, since: int, until: int) -> Iterable[Waiting]:
    """Where no usage was rated."""
    return ()


@dataclass(slots=True)
class Step:
    """`now` is the moment of booking: the log's clock for usage and commands, the due time for a timer."""

    cells: Cells
    ids: Ids
    catalog: Catalog
    plans: dict[PlanKey, Plan]
    tenant: str
    account: str
    now: int
    source: Position
    history: History = no_history
    effects: list[Effect] = field(default_factory=list)
    late: dict[tuple[str, str, int], int] = field(default_factory=dict)
    """Charges of closed periods that got a line: subscription, charge and start of the period, and its end."""
    facts: Facts | None = None
    """What the step's usage was, where limits or entitlements watch the account."""

    @property
    def key(self) -> str:
        return f"{self.tenant}/{self.account}"

    def emit(self, topic: str, value: Mapping[str, Any]) -> None:
        self.effects.append(Effect(topic, self.key, value))

    @property
    def time_text(self) -> str:
        return format_time(self.now)

    def plan(self, sub: Subscription, terms: Terms) -> Plan:
        """The effective plan of a subscription on these terms, compiled once."""
        key = (
            self.tenant, terms.plan, terms.version, terms.storefront, terms.region, terms.channel, sub.currency,
            terms.overrides,
        )  # fmt: skip
        found = self.plans.get(key)
        if found is None:
            published = self.catalog.plans[terms.plan, terms.version]
            selectors = {
                "storefront": terms.storefront,
                "region": terms.region,
                "channel": terms.channel,
                "currency": sub.currency,
            }
            overrides = json.loads(terms.overrides) if terms.overrides else None
            found = self.plans[key] = effective_plan(published.doc, selectors, overrides, published.retired)
        return found

    def subscriptions(self) -> list[Subscription]:
        found = [value for _, value in self.cells.members(("sub", self.tenant, self.account))]
        return sorted(found, key=lambda each: each.order) if len(found) > 1 else found

    def save(self, subscription: Subscription) -> None:
        self.cells.put(("sub", self.tenant, self.account), subscription.id, subscription)
