"""Fees: in advance when a period or the subscription begins, in arrears when it ends, given back on cancellation."""

from __future__ import annotations

import json

from rating import lines, numbers
from rating.catalog import Fee, Plan
from rating.places import calendar
from rating.prices import Part
from rating.proration import part
from rating.state import Subscription
from rating.step import Step

_SCALE = 10 ** (numbers.AMOUNT_DIGITS - numbers.QTY_DIGITS)


def length_of(plan: Plan, fee: Fee) -> str:
    """The calendar length that the fee is counted in."""
    return plan.period if fee.every in ("period", "once") else fee.every


def cost(sub: Subscription, fee: Fee) -> int:
    """`quantity × amount` in 10⁻¹², the subscription's own quantity over the plan's."""
    own = json.loads(sub.quantities).get(fee.key) if sub.quantities else None
    return fee.cost(None if own is None else numbers.quantity(own))


def begin(step: Step, sub: Subscription, plan: Plan, at: int, first: bool) -> None:
    """What is due in advance at the moment `at`, the beginning of periods or of the subscription."""
    for fee in plan.fees:
        if fee.timing != "advance" or (fee.every == "once" and not first):
            continue
        period = calendar(sub, length_of(plan, fee)).at(at)
        if fee.every == "once":
            _line(step, sub, plan, fee, period[:2], (at, period.end), cost(sub, fee))
        elif first or period.start == at:
            amount = (
                part(cost(sub, fee), at, period.end, period.start, period.end)
                if fee.prorate
                else cost(sub, fee)
            )
            _line(step, sub, plan, fee, period[:2], (at, period.end), amount)


def arrears(step: Step, sub: Subscription, plan: Plan, at: int, final: bool) -> None:
    """What is due in arrears at the moment `at`, the end of periods or of the subscription."""
    for fee in plan.fees:
        if fee.timing != "arrears":
            continue
        period = calendar(sub, length_of(plan, fee)).at(at - 1)
        if not final and (period.end != at or fee.every == "once"):
            continue
        if fee.every == "once" and not final:
            continue
        low = max(sub.start, period.start)
        amount = part(cost(sub, fee), low, at, period.start, period.end) if fee.prorate else cost(sub, fee)
        if fee.every == "once":
            amount = cost(sub, fee)
        _line(step, sub, plan, fee, (period.start, at if final else period.end), (low, at), amount)


def give_back(step: Step, sub: Subscription, plan: Plan, at: int, prorate: bool | None) -> None:
    """The unheld rest of fees paid in advance, when the subscription ends at `at`."""
    for fee in plan.fees:
        if (
            fee.timing != "advance"
            or fee.every == "once"
            or not (fee.prorate if prorate is None else prorate)
        ):
            continue
        period = calendar(sub, length_of(plan, fee)).at(at)
        if period.start == at and sub.cursor < at:
            continue
        amount = part(cost(sub, fee), at, period.end, period.start, period.end)
        _line(step, sub, plan, fee, (period.start, at), (at, period.end), -amount)


def _line(
    step: Step,
    sub: Subscription,
    plan: Plan,
    fee: Fee,
    period: tuple[int, int],
    window: tuple[int, int],
    amount: int,
) -> None:
    if not amount:
        return
    full = amount * _SCALE
    held = lines.charge_period(step, sub, fee.key, period[0])
    bucket = lines.group_bucket(step, sub, fee.key, period[0])
    group = step.cells.get(bucket, lines.NO_GROUP) or lines.EMPTY
    line = lines.next_id(step, sub, fee.key, "fee", lines.NO_GROUP, period[0], group)
    held, paid = lines.pay(
        step, held._replace(raw=held.raw + full), full, plan.currency, fee.key, None, window[0], line
    )
    quantity = numbers.QTY if amount > 0 else -numbers.QTY
    parts = [Part(None, quantity, None, full)]
    group = lines.write(
        step, sub, plan, fee.key, "fee", None, {}, lines.NO_GROUP, period, window, group, 0, full, paid, parts,
    )  # fmt: skip
    step.cells.put(bucket, lines.NO_GROUP, group)
    lines.save_period(step, sub, fee.key, period[0], held)
