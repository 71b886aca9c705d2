"""One account's part of one step: what it reads and writes, what it emits, and the moment it is booked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rating import tree
from rating.catalog import Catalog, Plan, effective_plan
from rating.cells import Cells, Ids
from rating.effects import Effect
from rating.records import Position
from rating.state import Subscription, Terms, Waiting
from rating.times import format_time

if TYPE_CHECKING:
    from rating.facts import Facts

History = Callable[[str, str, int, int], Iterable[tuple[str, Waiting]]]
"""`(tenant, account, since, until)`: the counted events of the account and of those below it, timed in `[since, until)`, in
the log's order, each with the account that used it."""
PlanKey = tuple[str, str, int, str | None, str | None, str | None, str, str]
"""Tenant, plan, version, storefront, region, channel, currency, overrides."""


UNKNOWN = ""
"""A parent that is not looked up yet: no account is called so."""


def no_history(tenant: str, account: str, since: int, until: int) -> Iterable[tuple[str, Waiting]]:
    """Where no usage was rated."""
    return ()


@dataclass(slots=True)
class Family:
    """The accounts of a tree that one step touches, in the order in which it came to them. `acting` is the one whose part
    is being done: where that fails, it is the one that stops."""

    acting: str
    steps: dict[str, Step]


@dataclass(slots=True)
class Step:
    """`now` is the moment of booking: the log's clock for usage and commands, the due time for a timer.

    A step that reaches other accounts of the tree has a part for each (`of`), with effects in one order. `sub_account` is
    the account below whose usage is rated here at the moment.
    """

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
    family: Family | None = None
    sub_account: str | None = None
    woken: list[str] = field(default_factory=list)
    """Accounts below whose access another account's limit has turned: each is looked at in a step of its own, due now."""
    parent: str | None = UNKNOWN
    """The account above, once it is looked up."""

    @property
    def key(self) -> str:
        return f"{self.tenant}/{self.account}"

    @property
    def user(self) -> str:
        """The account whose usage is rated here at the moment."""
        return self.sub_account or self.account

    @property
    def by_event(self) -> bool:
        """Whether some limit in the tree needs to know what each event costs."""
        return any(part.facts is not None and part.facts.by_event for part in self.parts())

    def of(self, account: str) -> Step:
        """The part of another account of the tree, booked at the same moment."""
        if account == self.account:
            return self
        if self.family is None:
            self.family = Family(self.account, {self.account: self})
        found = self.family.steps.get(account)
        if found is None:
            from rating.watch import begin

            found = replace(self, account=account, late={}, facts=None, sub_account=None, parent=UNKNOWN)
            self.family.steps[account] = found
            begin(found)
        found.now = self.now
        return found

    def parts(self) -> list[Step]:
        """This part and those of other accounts of the tree, in the order in which the step came to them."""
        return [self] if self.family is None else list(self.family.steps.values())

    def forget(self) -> None:
        """Nothing came of it: what was put is undone."""
        self.effects.clear()
        self.woken.clear()
        for each in self.parts():
            each.late.clear()
            if each.facts is not None:
                each.facts.clear()

    @property
    def acting(self) -> str:
        """The account whose part is being done."""
        return self.account if self.family is None else self.family.acting

    def above(self) -> Step | None:
        """The part of the account above; `None` for a root."""
        if self.parent is UNKNOWN:
            self.parent = tree.parent(self.cells, self.tenant, self.account)
        return None if self.parent is None else self.of(self.parent)

    def path(self) -> Iterator[Step]:
        """This part, and those of the accounts above it, the root's last."""
        here: Step | None = self
        while here is not None:
            yield here
            here = here.above()

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
