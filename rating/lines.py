"""Charge lines: the one place that writes them, and that moves a group and its charge with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from rating import numbers
from rating.burndown import Paid
from rating.catalog import Plan
from rating.groups import EMPTY
from rating.ids import line_id
from rating.prices import Part
from rating.state import ChargePeriod, Group, Subscription, Terms
from rating.step import Step
from rating.times import format_time

CHARGES = "billing.charges.v1"
NO_GROUP = "{}"
NEW_PERIOD = ChargePeriod(0, (), (), 0, 0, False, (), 0, 0, 0, -1)
NOTHING = Paid(0, 0, 0)


class Head(NamedTuple):
    """What a line is of: its subscription on which terms and plan, its charge and kind, its period and window."""

    sub: Subscription
    terms: Terms
    plan: Plan
    charge: str
    kind: str
    meter: str | None
    dimensions: Mapping[str, str]
    period: tuple[int, int]
    window: tuple[int, int]
    unit: str | None = None


def charge_period(step: Step, sub: Subscription, charge: str, start: int) -> ChargePeriod:
    """The charge in the period, as it is or new."""
    return step.cells.get(*period_cell(step, sub, charge, start)) or new_period(step)


def period_cell(step: Step, sub: Subscription, charge: str, start: int) -> tuple[tuple[str, ...], str]:
    """Where a charge in a period is."""
    return ("charge", step.tenant, step.account, sub.id), f"{charge}|{start}"


def new_period(step: Step) -> ChargePeriod:
    """A charge in a period that begins: the next of its account."""
    order = (step.cells.get(("account", step.tenant, step.account), "charges") or 0) + 1
    step.cells.put(("account", step.tenant, step.account), "charges", order)
    return NEW_PERIOD._replace(order=order)


def save_period(step: Step, sub: Subscription, charge: str, start: int, period: ChargePeriod) -> None:
    """Put the cell of a charge in a period."""
    step.cells.put(*period_cell(step, sub, charge, start), period)


def group_bucket(step: Step, sub: Subscription, charge: str, start: int) -> tuple[str, ...]:
    """Where the groups of a charge in a period are."""
    return ("group", step.tenant, step.account, sub.id, charge, str(start))


def group(step: Step, sub: Subscription, charge: str, start: int, values: str = NO_GROUP) -> Group:
    """A group as it is, or a new one."""
    return step.cells.get(group_bucket(step, sub, charge, start), values) or EMPTY


def save_group(step: Step, sub: Subscription, charge: str, start: int, values: str, after: Group) -> None:
    """Put the cell of a group."""
    step.cells.put(group_bucket(step, sub, charge, start), values, after)


def next_id(step: Step, head: Head, values: str, group: Group) -> str:
    """The id that the group's next line will have."""
    return id_of(step, head, values, group.revision + 1)


def id_of(step: Step, head: Head, values: str, revision: int) -> str:
    """The id of the group's line of a revision."""
    start = head.period[0]
    return line_id(step.tenant, step.account, head.sub.id, head.charge, head.kind, values, start, revision)


def write(
    step: Step,
    head: Head,
    values: str,
    group: Group,
    quantity: int,
    paid: Paid,
    details: Iterable[Part],
    late: bool = False,
    units: int = 0,
    close: Mapping[str, Any] | None = None,
    line: str | None = None,
) -> Group:
    """Emit a line and return the group after it; the caller saves the group and its charge's period.

    `units` is the line's amount in its credit unit, where it has one; `line` its id, where it is known already.
    """
    after = Group(
        group.slots,
        group.usage,
        numbers.check_quantity(group.quantity + quantity),
        numbers.check_amount(group.amount + paid.amount),
        group.revision + 1,
    )
    text = numbers.amount_text
    sub, terms, plan = head.sub, head.terms, head.plan
    pricing = None
    if head.unit is not None:
        pricing = {"unit": head.unit, "amount": text(units), "applied": text(paid.applied)}
    step.emit(CHARGES, {
        "id": line or next_id(step, head, values, group),
        "tenant": step.tenant, "account": step.account, "subscription": sub.id, "plan": plan.key,
        "plan_version": plan.version, "charge": head.charge, "kind": head.kind, "meter": head.meter,
        "dimensions": head.dimensions,
        "period_start": format_time(head.period[0]), "period_end": format_time(head.period[1]),
        "window_start": format_time(head.window[0]), "window_end": format_time(head.window[1]),
        "revision": after.revision,
        "quantity": numbers.quantity_text(quantity), "quantity_total": numbers.quantity_text(after.quantity),
        "amount": text(paid.amount), "amount_total": text(after.amount), "currency": plan.currency,
        "credits_applied": text(paid.credits), "amount_due": text(paid.amount - paid.credits),
        "details": [detail(part) for part in details], "rounded": None,
        "storefront": terms.storefront, "region": terms.region, "channel": terms.channel,
        "sub_account": step.sub_account, "pricing_unit": pricing, "catalog_revision": step.catalog.revision,
        "late": late,
        "source": {"topic": step.source.topic, "partition": step.source.partition, "offset": step.source.offset},
        "time": step.time_text, **(close or {}),
    })  # fmt: skip
    return after


def detail(part: Part) -> dict[str, Any]:
    """A part as `details` show it."""
    shown: dict[str, Any] = {
        "tier": part.tier, "quantity": numbers.quantity_text(part.quantity), "unit_amount": part.unit_amount,
        "amount": numbers.amount_text(part.amount),
    }  # fmt: skip
    return shown | {"unpriced": True} if part.unpriced else shown


@lru_cache(maxsize=65_536)
def values_text(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """The key of a group."""
    return json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False, separators=(",", ":"))


def dims_of(names: tuple[str, ...], values: str) -> tuple[str, ...] | None:
    """The dimensions of a group by its key; `None` where it is of a charge with others."""
    found = json.loads(values)
    return tuple(found[name] for name in names) if found.keys() == set(names) else None
