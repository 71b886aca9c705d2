"""Charge lines: the one place that writes them, and that moves a group and its charge with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rating import burndown, numbers
from rating.catalog import Plan
from rating.ids import line_id
from rating.prices import Part
from rating.state import ChargePeriod, Group, Subscription
from rating.step import Step
from rating.times import format_time

CHARGES = "billing.charges.v1"
NO_GROUP = "[]"


def charge_period(step: Step, sub: Subscription, charge: str, start: int) -> ChargePeriod:
    """The charge in the period, as it is or new."""
    bucket = ("charge", step.tenant, step.account, sub.id)
    found = step.cells.get(bucket, f"{charge}|{start}")
    if found is not None:
        return found  # type: ignore[no-any-return]
    order = (step.cells.get(("account", step.tenant, step.account), "charges") or 0) + 1
    step.cells.put(("account", step.tenant, step.account), "charges", order)
    return ChargePeriod(order, 0, 0, 0, False, (), 0)


def save_period(step: Step, sub: Subscription, charge: str, start: int, period: ChargePeriod) -> None:
    step.cells.put(("charge", step.tenant, step.account, sub.id), f"{charge}|{start}", period)


def group_bucket(step: Step, sub: Subscription, charge: str, start: int) -> tuple[str, ...]:
    return ("group", step.tenant, step.account, sub.id, charge, str(start))


EMPTY = Group(None, 0, 0, 0, 0)


def next_id(
    step: Step, sub: Subscription, charge: str, kind: str, values: str, start: int, group: Group
) -> str:
    """The id that the group's next line will have."""
    return line_id(step.tenant, step.account, sub.id, charge, kind, values, start, group.revision + 1)


def write(
    step: Step,
    sub: Subscription,
    plan: Plan,
    charge: str,
    kind: str,
    meter: str | None,
    dimensions: Mapping[str, str],
    values: str,
    period: tuple[int, int],
    window: tuple[int, int],
    group: Group,
    quantity: int,
    amount: int,
    paid: int,
    details: Iterable[Part],
    late: bool = False,
    close: Mapping[str, Any] | None = None,
    sub_account: str | None = None,
) -> Group:
    """Emit a line and return the group after it; the caller saves the group and its charge's period."""
    after = group._replace(
        quantity=numbers.check_quantity(group.quantity + quantity), amount=numbers.check_amount(group.amount + amount),
        revision=group.revision + 1,
    )  # fmt: skip
    text = numbers.amount_text
    step.emit(CHARGES, {
        "id": line_id(step.tenant, step.account, sub.id, charge, kind, values, period[0], after.revision),
        "tenant": step.tenant, "account": step.account, "subscription": sub.id, "plan": plan.key,
        "plan_version": plan.version, "charge": charge, "kind": kind, "meter": meter, "dimensions": dimensions,
        "period_start": format_time(period[0]), "period_end": format_time(period[1]),
        "window_start": format_time(window[0]), "window_end": format_time(window[1]), "revision": after.revision,
        "quantity": numbers.quantity_text(quantity), "quantity_total": numbers.quantity_text(after.quantity),
        "amount": text(amount), "amount_total": text(after.amount), "currency": plan.currency,
        "credits_applied": text(paid), "amount_due": text(amount - paid),
        "details": [detail(part) for part in details], "rounded": None,
        "storefront": sub.storefront, "region": sub.region, "channel": sub.channel, "sub_account": sub_account,
        "pricing_unit": None, "catalog_revision": step.catalog.revision, "late": late,
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


def pay(
    step: Step,
    period: ChargePeriod,
    amount: int,
    currency: str,
    charge: str,
    meter: str | None,
    at: int,
    line: str,
) -> tuple[ChargePeriod, int]:
    """Credits for a line of `amount`: burnt where it is positive, given back where it is negative."""
    if amount > 0:
        after, paid = burndown.burn(step, period, amount, currency, charge, meter, at, line)
    elif amount < 0:
        after, returned = burndown.refund(step, period, -amount, line)
        paid = -returned
    else:
        after, paid = period, 0
    return after._replace(billed=after.billed + amount), paid


def values_text(values: Iterable[str]) -> str:
    """The key of a group."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
