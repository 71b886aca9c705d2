"""The life of a subscription: its start, the beginnings and ends of its periods, its end."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rating import aggregates, fees
from rating.catalog import Plan
from rating.errors import Refused
from rating.places import calendar
from rating.records import Command
from rating.state import NEVER, Closing, Subscription
from rating.step import Step
from rating.times import parse_time


def subscribe(step: Step, command: Command) -> Subscription:
    """A new subscription. Raises `Refused`."""
    fields = command.fields
    name = fields["subscription"]
    if step.cells.get(("sub", step.tenant, step.account), name) is not None:
        raise Refused(f"subscription {name} is there already: give it another name")
    start = parse_time(fields["start"])
    chosen = step.catalog.choose(fields["plan"], start, fields.get("plan_version"))
    if chosen is None:
        raise Refused(f"plan {fields['plan']} has no version on offer that is in effect at {fields['start']}")
    order = (step.cells.get(("account", step.tenant, step.account), "subscriptions") or 0) + 1
    step.cells.put(("account", step.tenant, step.account), "subscriptions", order)
    anchor = fields.get("anchor")
    sub = Subscription(
        id=name, order=order, plan=chosen.key, version=chosen.version, start=start, end=NEVER,
        timezone=fields.get("timezone", step.catalog.timezone),
        anchor=-1 if anchor is None else start if anchor in ("start", "trial_end") else parse_time(anchor),
        currency=fields.get("currency", chosen.currency), storefront=fields.get("storefront"),
        region=fields.get("region"), channel=fields.get("channel"),
        overrides=json.dumps(fields["overrides"]) if fields.get("overrides") else "",
        quantities=json.dumps(fields["quantities"]) if fields.get("quantities") else "",
        cursor=start - 1, closing=(), cancel_at=0, cleaned=start,
    )  # fmt: skip
    plan = step.plan(sub)
    _supported(step, plan)
    if plan.currency != sub.currency:
        raise Refused(f"plan {plan.key} has no price in {sub.currency}: it is in {plan.currency}")
    step.save(sub)
    return sub


def _supported(step: Step, plan: Plan) -> None:
    for charge in plan.charges:
        meter = step.catalog.meters[charge.meter]
        if (
            charge.rule.price.kind != "quantity"
            or charge.unit
            or (charge.doc.get("commitment") or {}).get("window")
        ):
            raise Refused(f"charge {charge.key}: this kind of price is not rated yet")
        if meter.aggregation not in aggregates.SUPPORTED or meter.bucket or meter.outcome:
            raise Refused(f"meter {meter.key}: {meter.aggregation} of this kind is not rated yet")
    for what, there in (("grants", plan.grants), ("trial", plan.trial), ("limits", plan.limits)):
        if there:
            raise Refused(f"plan {plan.key}: {what} are not rated yet")


def cancel(step: Step, command: Command) -> None:
    """End a subscription, now or with its period. Raises `Refused`."""
    sub = running(step, command)
    plan = step.plan(sub)
    if command.fields["at"] == "period_end":
        step.save(sub._replace(cancel_at=calendar(sub, plan.period).at(max(command.time, sub.start)).end))
        return
    at = max(command.time, sub.start)
    if sub.cursor >= sub.start and calendar(sub, plan.period).at(max(sub.cursor, sub.start)).start > at:
        raise Refused("the command's time is before the current period")
    end(step, sub, plan, at, command.fields.get("prorate"))


def resume(step: Step, command: Command) -> None:
    """Withdraw the change that waits for the period's end."""
    sub = running(step, command)
    step.save(sub._replace(cancel_at=0))


def running(step: Step, command: Command) -> Subscription:
    """The subscription that a command names, which must run. Raises `Refused`."""
    name = command.fields["subscription"]
    found: Subscription | None = step.cells.get(("sub", step.tenant, step.account), name)
    if found is None or found.end != NEVER:
        raise Refused(f"subscription {name} {'is unknown' if found is None else 'has ended'}")
    return found


def end(step: Step, sub: Subscription, plan: Plan, at: int, prorate: bool | None) -> None:
    """The subscription's end: fees in arrears for what was held, fees in advance given back."""
    ended = sub._replace(end=at, cancel_at=0)
    if at > sub.start:
        fees.arrears(step, ended, plan, at, final=True)
    if sub.cursor >= sub.start:
        fees.give_back(step, ended, plan, at, prorate)
    closing = list(sub.closing)
    for length in lengths(plan):
        period = calendar(sub, length).at(max(at - 1, sub.start))
        closing.append(Closing(at + plan.grace, period.start, at, length))
    step.save(ended._replace(closing=tuple(sorted(closing))))


def lengths(plan: Plan) -> list[str]:
    """The calendar lengths that the plan counts in, its own first."""
    return list(dict.fromkeys([plan.period, *(fees.length_of(plan, fee) for fee in plan.fees)]))


def next_boundary(sub: Subscription, plan: Plan) -> int:
    """The next moment at which some period of the subscription begins, its start included; `NEVER` once ended."""
    if sub.end != NEVER:
        return NEVER
    if sub.cursor < sub.start:
        return sub.start
    return min(calendar(sub, length).at(sub.cursor).end for length in lengths(plan))


def pass_boundary(step: Step, sub: Subscription, plan: Plan, at: int) -> None:
    """What happens at a beginning: the waiting change, arrears of what ended, fees in advance of what begins."""
    first = at == sub.start and sub.cursor < sub.start
    if not first:
        closing = [*sub.closing, *_ended(sub, plan, at)]
        sub = sub._replace(closing=tuple(sorted(closing)))
        if sub.cancel_at and at >= sub.cancel_at:
            fees.arrears(step, sub, plan, at, final=False)
            step.save(sub._replace(end=at, cursor=at, cancel_at=0))
            return
        fees.arrears(step, sub, plan, at, final=False)
    sub = sub._replace(cursor=at)
    step.save(sub)
    fees.begin(step, sub, plan, at, first)


def _ended(sub: Subscription, plan: Plan, at: int) -> Iterator[Closing]:
    for length in lengths(plan):
        period = calendar(sub, length).at(at - 1)
        if period.end == at:
            yield Closing(at + plan.grace, period.start, at, length)
