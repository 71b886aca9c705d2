"""The close of a period: what is due although nothing was used, minimum lines, and what to invoice."""

from __future__ import annotations

from rating import lines, numbers
from rating.catalog import Charge, Plan
from rating.currencies import minor_digits
from rating.fees import length_of
from rating.numbers import half_even
from rating.prices import Part
from rating.rate import bounds, included, total_of
from rating.state import Closing, Subscription
from rating.step import Step


def close(step: Step, sub: Subscription, plan: Plan, closing: Closing) -> None:
    """Book the period's end plus grace: unused flat amounts, minimum and close lines, charge by charge."""
    period = (closing.start, closing.end)
    for charge in plan.charges if closing.length == plan.period else ():
        _unused(step, sub, plan, charge, period)
        _minimum(step, sub, plan, charge, period)
        close_line(step, sub, plan, charge.key, period)
    for fee in plan.fees:
        if length_of(plan, fee) == closing.length and _known(step, sub, fee.key, period[0]):
            held = lines.charge_period(step, sub, fee.key, period[0])
            lines.save_period(step, sub, fee.key, period[0], held._replace(closed=True))
            close_line(step, sub, plan, fee.key, period)


def _known(step: Step, sub: Subscription, key: str, start: int) -> bool:
    return step.cells.get(("charge", step.tenant, step.account, sub.id), f"{key}|{start}") is not None


def _unused(step: Step, sub: Subscription, plan: Plan, charge: Charge, period: tuple[int, int]) -> None:
    """What a charge without any usage costs: the first tier's flat amount, a flat price."""
    if charge.dimensions or charge.rule.price.kind != "quantity":
        return
    bucket = lines.group_bucket(step, sub, charge.key, period[0])
    group = step.cells.get(bucket, lines.NO_GROUP) or lines.EMPTY
    if group.aggregate is not None:
        return
    curve = charge.rule.curve({})
    price = charge.rule.discounted(
        curve.total(charge.rule.charged(0, included(sub, plan, charge, period, period[1])))
    )
    if price:
        group = group._replace(aggregate=(None, 0), price=price)
        parts = [each._replace(amount=charge.rule.discounted(each.amount)) for each in curve.parts(0)]
        _amount(step, sub, plan, charge, "usage", period, group, price, parts)


def _minimum(step: Step, sub: Subscription, plan: Plan, charge: Charge, period: tuple[int, int]) -> None:
    held = lines.charge_period(step, sub, charge.key, period[0])
    end = period[1]
    nominal = _nominal(sub, plan, period)
    limits = bounds(sub, charge, included(sub, plan, charge, period, nominal), period[0], nominal)
    before, after = limits.running(held.raw), limits.closed(held.raw)
    lines.save_period(step, sub, charge.key, period[0], held._replace(closed=True))
    if after > before:
        bucket = lines.group_bucket(step, sub, charge.key, period[0])
        group = step.cells.get(bucket, lines.NO_GROUP) or lines.EMPTY
        part = Part(None, 0, None, after - before)
        _amount(
            step, sub, plan, charge, "minimum", (period[0], end), group, after - before, [part], raw=False
        )


def _nominal(sub: Subscription, plan: Plan, period: tuple[int, int]) -> int:
    from rating.places import period_at

    return period_at(sub, plan.period, period[0]).end


def _amount(
    step: Step,
    sub: Subscription,
    plan: Plan,
    charge: Charge,
    kind: str,
    period: tuple[int, int],
    group: object,
    amount: int,
    parts: list[Part],
    raw: bool = True,
) -> None:
    held = lines.charge_period(step, sub, charge.key, period[0])
    line = lines.next_id(step, sub, charge.key, kind, lines.NO_GROUP, period[0], group)  # type: ignore[arg-type]
    if raw:
        nominal = _nominal(sub, plan, period)
        limits = bounds(sub, charge, included(sub, plan, charge, period, nominal), period[0], nominal)
        capped = total_of(limits, held.raw + amount, held.closed) - total_of(limits, held.raw, held.closed)
        held = held._replace(raw=held.raw + amount)
        if capped != amount:
            parts = [*parts, Part(None, 0, None, capped - amount)]
            amount = capped
    held, paid = lines.pay(step, held, amount, plan.currency, charge.key, charge.meter, period[1] - 1, line)
    after = lines.write(
        step, sub, plan, charge.key, kind, charge.meter, {}, lines.NO_GROUP, period, period, group, 0, amount, paid, parts,  # type: ignore[arg-type]
    )  # fmt: skip
    step.cells.put(lines.group_bucket(step, sub, charge.key, period[0]), lines.NO_GROUP, after)
    lines.save_period(step, sub, charge.key, period[0], held)


def close_line(step: Step, sub: Subscription, plan: Plan, charge: str, period: tuple[int, int]) -> None:
    """The line of kind `close`: its totals are those over all groups, `rounded` is what to invoice."""
    held = lines.charge_period(step, sub, charge, period[0])
    bucket = lines.group_bucket(step, sub, charge, period[0])
    group = step.cells.get(bucket, lines.NO_GROUP) or lines.EMPTY
    due = held.billed - held.credits
    digits = minor_digits(plan.currency)
    rounded_due, rounded_amount = _minor(due, digits), _minor(held.billed, digits)
    text = numbers.amount_text
    quantity = sum(found.quantity for _, found in step.cells.members(bucket))
    close_fields = {
        "quantity_total": numbers.quantity_text(quantity), "amount_total": text(held.billed),
        "rounded": {
            "amount": text(rounded_amount), "credits_applied": text(rounded_amount - rounded_due),
            "amount_due": text(rounded_due), "remainder": text(due - rounded_due),
        },
    }  # fmt: skip
    meter = next((each.meter for each in plan.charges if each.key == charge), None)
    after = lines.write(
        step, sub, plan, charge, "close", meter, {}, lines.NO_GROUP, period, period, group, 0, 0, 0, (),
        late=held.late > 0, close=close_fields,
    )  # fmt: skip
    step.cells.put(bucket, lines.NO_GROUP, after)


def _minor(amount: int, digits: int) -> int:
    unit: int = 10 ** (numbers.AMOUNT_DIGITS - digits)
    return half_even(amount, unit) * unit
