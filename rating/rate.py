"""Usage of one account in one step, to charge lines: a difference of a price curve for each group and window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rating import aggregates, burndown, lines
from rating.catalog import Charge, Meter, Plan
from rating.charge import Bounds
from rating.errors import Refused
from rating.numbers import QTY, check_amount
from rating.places import Place, place, runs_at, whole
from rating.prices import Part, differences
from rating.proration import part
from rating.state import Group, Subscription
from rating.step import Step
from rating.times import HOUR


class Bunch(NamedTuple):
    """Readings of one meter with the same dimensions within one hour: times, `source id` keys, and values."""

    meter: str
    dims: tuple[str, ...]
    hour: int
    subscription: str | None
    times: list[int]
    keys: list[str]
    values: list[int | str]


class Slice(NamedTuple):
    """What a bunch adds to one group in one window."""

    times: list[int]
    keys: list[str]
    values: list[int | str]


Groups = dict[tuple[Place, tuple[str, ...]], Slice]


def rate(step: Step, bunches: Sequence[Bunch], kind: str = "usage", sign: int = 1) -> None:
    """Rate the bunches in every active subscription that has a charge on their meter."""
    for sub in step.subscriptions():
        plan = step.plan(sub)
        for charge in plan.charges:
            mine = [
                each for each in bunches if each.meter == charge.meter and each.subscription in (None, sub.id)
            ]
            if mine:
                _rate_charge(step, sub, plan, charge, mine, kind, sign)


def _rate_charge(
    step: Step, sub: Subscription, plan: Plan, charge: Charge, bunches: Iterable[Bunch], kind: str, sign: int
) -> None:
    meter = step.catalog.meters[charge.meter]
    groups: Groups = {}
    for bunch in bunches:
        dims = _projected(meter, charge, bunch.dims)
        low = bunch.hour * HOUR
        shared = whole(sub, plan.period, meter.window, low, low + HOUR - 1)
        if shared is not None:
            held = groups.setdefault((shared, dims), Slice([], [], []))
            held.times.extend(bunch.times)
            held.keys.extend(bunch.keys)
            held.values.extend(bunch.values)
        else:
            _each(groups, sub, plan, meter, dims, bunch)
    for (where, dims), found in sorted(groups.items()):
        _rate_group(step, sub, plan, charge, meter, where, dims, found, kind, sign)


def _each(
    groups: Groups, sub: Subscription, plan: Plan, meter: Meter, dims: tuple[str, ...], bunch: Bunch
) -> None:
    for time, key, value in zip(bunch.times, bunch.keys, bunch.values, strict=True):
        if not runs_at(sub, time):
            continue
        held = groups.setdefault((place(sub, plan.period, meter.window, time), dims), Slice([], [], []))
        held.times.append(time)
        held.keys.append(key)
        held.values.append(value)


def _projected(meter: Meter, charge: Charge, dims: tuple[str, ...]) -> tuple[str, ...]:
    if charge.dimensions == meter.dimensions:
        return dims
    return tuple(dims[meter.dimensions.index(name)] for name in charge.dimensions)


def included(sub: Subscription, plan: Plan, charge: Charge, period: tuple[int, int], nominal_end: int) -> int:
    """The allowance of the period: prorated where the subscription began in it."""
    whole_ = charge.rule.included
    if not whole_ or not charge.prorate or sub.start <= period[0]:
        return whole_
    return part(whole_, sub.start, nominal_end, period[0], nominal_end)


def bounds(sub: Subscription, charge: Charge, allowance: int, start: int, end: int) -> Bounds:
    """Minimum, maximum and commitment for the part of the nominal period `[start, end)` that the subscription has."""
    low = max(sub.start, start)
    if not charge.prorate or (low == start and sub.end >= end):
        return charge.rule.bounds(allowance)

    def share(figure: int) -> int:
        return part(figure, low, end, start, end)

    def held(figure: int) -> int:
        return part(figure, low, min(sub.end, end), start, end)

    return charge.rule.bounds(allowance, share, held)


def total_of(found: Bounds, raw: int, closed: bool) -> int:
    """What the charge comes to over all groups: the cap at once, the floor once the period is closed."""
    return found.closed(raw) if closed else found.running(raw)


def _rate_group(
    step: Step,
    sub: Subscription,
    plan: Plan,
    charge: Charge,
    meter: Meter,
    where: Place,
    dims: tuple[str, ...],
    found: Slice,
    kind: str,
    sign: int,
) -> None:
    values = lines.values_text(dims)
    start = where.period[0]
    bucket = lines.group_bucket(step, sub, charge.key, start)
    group: Group = step.cells.get(bucket, values) or lines.EMPTY
    period = lines.charge_period(step, sub, charge.key, start)
    line = lines.next_id(step, sub, charge.key, kind, values, start, group)
    dimensions = dict(zip(charge.dimensions, dims, strict=True))
    nominal_end = _nominal_end(sub, plan, start)
    limits = bounds(sub, charge, included(sub, plan, charge, where.period, nominal_end), start, nominal_end)
    amount, paid, moved, parts = 0, 0, 0, []
    for share in _shares(step, found):
        after, quantity, new = _priced(
            step,
            sub,
            plan,
            charge,
            meter,
            (*bucket, values),
            group,
            where,
            nominal_end,
            share,
            sign,
            dimensions,
        )
        change = total_of(limits, period.raw + after.price - group.price, period.closed)
        change -= total_of(limits, period.raw, period.closed)
        period = period._replace(raw=check_amount(period.raw + after.price - group.price))
        parts += new
        if change != after.price - group.price:
            parts.append(Part(None, 0, None, change - (after.price - group.price)))
        period, share_paid = lines.pay(
            step, period, change, plan.currency, charge.key, meter.key, share.times[0], line
        )
        amount, paid, moved, group = amount + change, paid + share_paid, moved + quantity, after
    if not (amount or moved or paid):
        step.cells.put(bucket, values, group)
        lines.save_period(step, sub, charge.key, start, period)
        return
    details = parts if len(parts) < 2 else list(differences([], parts))
    group = lines.write(
        step, sub, plan, charge.key, kind, meter.key, dimensions, values, where.period, where.window, group, moved,
        amount, paid, details, late=period.closed,
    )  # fmt: skip
    step.cells.put(bucket, values, group)
    late = period.closed and (amount or paid or moved)
    lines.save_period(step, sub, charge.key, start, period._replace(late=period.late + 1) if late else period)
    if late:
        from rating.close import close_line

        close_line(step, sub, plan, charge.key, where.period)


def _priced(
    step: Step,
    sub: Subscription,
    plan: Plan,
    charge: Charge,
    meter: Meter,
    value_bucket: tuple[str, ...],
    group: Group,
    where: Place,
    nominal_end: int,
    share: Slice,
    sign: int,
    dimensions: Mapping[str, str],
) -> tuple[Group, int, list[Part]]:
    rule = charge.rule
    keys = list(zip(share.times, share.keys, strict=True)) if meter.aggregation == "latest" else ()
    aggregate, quantity = aggregates.updated(
        meter.aggregation,
        None if group.aggregate is None else group.aggregate[0],
        share.values,
        keys,
        sign,
        step.cells,
        ("value", *value_bucket[1:]),
    )
    if rule.price.kind != "quantity":
        raise Refused(f"charge {charge.key}: a {charge.model} price is not rated yet")
    allowance = included(sub, plan, charge, where.period, nominal_end)
    curve = rule.curve(dimensions)
    before = group.price if group.revision or group.price else 0
    charged = rule.charged(quantity, allowance)
    price = rule.discounted(curve.total(charged))
    known = group.aggregate is not None
    old = curve.parts(rule.charged(group_quantity(group), allowance)) if known else ()
    parts = list(differences(_discounted(rule, old), _discounted(rule, curve.parts(charged))))
    moved = quantity - group_quantity(group)
    return (
        group._replace(aggregate=(aggregate, quantity), price=check_amount(price)),
        moved,
        _summing(parts, price - before),
    )


def group_quantity(group: Group) -> int:
    """The aggregate's quantity as it was last priced."""
    return group.aggregate[1] if group.aggregate is not None else 0


def _discounted(rule: object, parts: Iterable[Part]) -> list[Part]:
    return [each._replace(amount=rule.discounted(each.amount)) for each in parts]  # type: ignore[attr-defined]


def _summing(parts: list[Part], amount: int) -> list[Part]:
    off = amount - sum(each.amount for each in parts)
    return [*parts, Part(None, 0, None, off)] if off else parts


def _shares(step: Step, found: Slice) -> Iterable[Slice]:
    """The slice cut where some grant begins or ends to pay, in the order of time."""
    held = burndown.grants(step)
    cuts = burndown.boundaries(held, min(found.times), max(found.times)) if held else []
    if not cuts:
        yield found
        return
    rows = sorted(zip(found.times, found.keys, found.values, strict=True), key=lambda row: row[:2])
    for low, high in zip([rows[0][0], *cuts], [*cuts, rows[-1][0] + 1], strict=True):
        mine = [row for row in rows if low <= row[0] < high]
        if mine:
            yield Slice(*(list(column) for column in zip(*mine, strict=True)))


def _nominal_end(sub: Subscription, plan: Plan, start: int) -> int:
    from rating.places import period_at

    return period_at(sub, plan.period, start).end


__all__ = ["QTY", "Bunch", "Slice", "rate"]
