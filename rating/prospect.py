"""What usage that has not happened would cost: a quantity of a meter, priced by a plan's charges at the present usage.

    P(used + quantity) − P(used)        for each charge on the meter, by the very rules that rate usage

Where it is not known where on the curve the quantity will lie (usage that is reserved may come first or never; a group of
a charge with dimensions has its own Q), the dearest of the places that it may lie at is taken. So what is granted is never
more than what is left. A bare quantity is one event to prices of events; a `dynamic` price has no price of a quantity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rating.availability import Cost
from rating.catalog.plans import Charge, Plan
from rating.numbers import RATE_DIGITS
from rating.prices import Dynamic, Matrix, Percentage, PricedEvent, Scheduled

_RATE: int = 10**RATE_DIGITS


class Usage(NamedTuple):
    """Where a meter stands: `used` and `held` in 10⁻¹², the time at which the usage would be, and its dimensions."""

    used: int
    held: int
    now: int
    dimensions: Mapping[str, str]


def spend(plan: Plan, meter: str, usage: Usage) -> Cost:
    """What a quantity of the meter costs in the plan's currency, in 10⁻³⁶; units by their conversion rates."""
    charges = [charge for _, charge in plan.charges_by_meter.get(meter, ())]

    def cost(quantity: int) -> int:
        total = 0
        for charge in charges:
            price = _dearest(charge, usage, quantity)
            if charge.unit is not None:
                price = price * plan.conversion_rates.get(charge.unit, 0) // _RATE
            total += price
        return total

    return cost


def units(plan: Plan, meter: str, unit: str, usage: Usage) -> Cost:
    """What a quantity of the meter takes of a credit unit, or of a currency's credits, in 10⁻³⁶."""
    if unit == plan.currency:
        return spend(plan, meter, usage)
    charges = [charge for _, charge in plan.charges_by_meter.get(meter, ()) if charge.unit == unit]
    return lambda quantity: sum(_dearest(charge, usage, quantity) for charge in charges)


def _dearest(charge: Charge, usage: Usage, quantity: int) -> int:
    rule = charge.rule
    if rule.price.kind != "quantity":
        return max(_of_event(charge, usage, quantity), 0)
    dimensions = {name: usage.dimensions.get(name, "") for name in rule.dimensions}
    curves: Iterable[Mapping[str, str]] = (dimensions,)
    if isinstance(rule.price, Matrix) and not set(rule.dimensions) <= set(usage.dimensions):
        curves = _cells(rule.price, usage.dimensions, dimensions)
    places = _places(usage, bool(rule.dimensions))
    return max(
        0,
        *(
            rule.total(place + quantity, rule.included, group) - rule.total(place, rule.included, group)
            for group in curves
            for place in places
        ),
    )


def _places(usage: Usage, grouped: bool) -> Sequence[int]:
    used, held = max(usage.used, 0), usage.held
    found = [used, used + held] if held else [used]
    return [*found, 0] if grouped and used else found


def _cells(price: Matrix, known: Mapping[str, str], given: Mapping[str, str]) -> list[Mapping[str, str]]:
    """A group in each cell that may hold what is not known of the dimensions, and the one that nothing names."""
    found: list[Mapping[str, str]] = [given]
    for cell in price.cells:
        when = {name: min(values) for name, values in cell.when.items()}
        if all(known[name] in values for name, values in cell.when.items() if name in known):
            found.append({**given, **when, **known})
    return found


def _of_event(charge: Charge, usage: Usage, quantity: int) -> int:
    price = charge.rule.price
    inner = price.prices[price.slot(usage.now)] if isinstance(price, Scheduled) else price
    event = PricedEvent(usage.now, "", quantity)
    if isinstance(inner, Dynamic):
        return 0
    if isinstance(inner, Percentage):
        # As if the allowances were used up: whether they are is not known here.
        return charge.rule.discounted(inner.fee(event))
    return sum(part.amount for part in charge.rule.event_parts([event]))
