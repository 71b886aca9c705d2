"""What a charge costs, written from the contract alone with fractions; shares no code with `rating`.

`audited(charge, usage)` is the exact total of a whole period.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Doc = dict[str, Any]
Measure = Callable[[list[Doc]], Fraction]
"""The aggregate `Q` of a group's events."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def audited(charge: Doc, usage: Doc) -> Fraction:
    """The total of a whole period, minimum and true-up included."""
    events = usage.get("events") if "events" in usage else [{"value": usage["quantity"]}]
    assert events is not None
    windows: dict[int, list[Doc]] = {}
    for event in events:
        windows.setdefault(_window(charge, event), []).append(event)
    committed = [_committed(charge, _spent(charge, mine)) for mine in windows.values() or [[]]]
    return _bounded(charge, sum(committed, Fraction(0)))


def _window(charge: Doc, event: Doc) -> int:
    """Which window of the commitment an event is in; without one all are in the same. Aligned to UTC."""
    window = charge.get("commitment", {}).get("window")
    if window is None:
        return 0
    return int(_instant(event).timestamp()) // {"1m": 60, "1h": 3600, "1d": 86_400}[window]


def _spent(charge: Doc, events: list[Doc]) -> Fraction:
    names = charge.get("dimensions") or charge["price"].get("dimensions") or []
    groups: dict[tuple[str, ...], list[Doc]] = {} if names else {(): []}
    for event in events:
        values = event.get("dimensions") or {}
        groups.setdefault(tuple(values.get(name, "") for name in names), []).append(event)
    return sum(
        (priced(charge, dict(zip(names, values, strict=True)), found) for values, found in groups.items()),
        Fraction(0),
    )


def _committed(charge: Doc, spent: Fraction) -> Fraction:
    commitment = charge.get("commitment")
    if not commitment:
        return spent
    if "amount" in commitment:
        promised = Fraction(commitment["amount"])
    else:
        promised = priced(charge, {}, [{"value": commitment["quantity"]}])
    if spent > promised:
        return promised + (spent - promised) * Fraction(commitment.get("overage_factor", "1"))
    return promised if commitment.get("true_up") else spent


def _bounded(charge: Doc, spent: Fraction) -> Fraction:
    if "minimum" in charge and not charge.get("commitment"):
        spent = max(spent, Fraction(charge["minimum"]))
    return min(spent, Fraction(charge["maximum"])) if "maximum" in charge else spent


def summed(events: list[Doc]) -> Fraction:
    """`Q` of a meter that sums."""
    return sum((Fraction(event["value"]) for event in events), Fraction(0))


def priced(charge: Doc, dimensions: dict[str, str], events: list[Doc], measure: Measure = summed) -> Fraction:
    """What a group's events cost, from `convert` to `discount_percent`: without the bounds over all groups."""
    price = charge["price"]
    if price["model"] == "scheduled":
        parts = (_priced(charge, each, {}, mine, measure) for each, mine in _routed(price, events))
        total = sum(parts, Fraction(0))
    else:
        total = _priced(charge, price, dimensions, events, measure)
    return total * (1 - Fraction(charge.get("discount_percent", "0")) / 100)


def _priced(
    charge: Doc, price: Doc, dimensions: dict[str, str], events: list[Doc], measure: Measure
) -> Fraction:
    if price["model"] == "dynamic":
        return sum((Fraction(event["amount"]) for event in events), Fraction(0)) * Fraction(
            price.get("multiplier", "1")
        )
    values = [Fraction(event["value"]) for event in events]
    if price["model"] == "percentage":
        order = sorted(range(len(events)), key=lambda index: (_instant(events[index]), index))
        return _percentage(price, [_converted(charge, values[index]) for index in order])
    if price.get("scope") == "event":
        return sum((_one_event(charge, price, event) for event in events), Fraction(0))
    q = _converted(charge, measure(events)) - Fraction(charge.get("included", "0"))
    return _of_quantity(price, max(q, Fraction(0)), dimensions)


def _converted(charge: Doc, q: Fraction) -> Fraction:
    convert = charge.get("convert")
    if not convert:
        return q
    exact = q * Fraction(convert.get("multiply", "1")) / Fraction(convert.get("divide", "1"))
    how = convert.get("round", "none")
    if how == "up":
        return Fraction(math.ceil(exact))
    if how == "down":
        return Fraction(math.floor(exact))
    if how == "half_up":
        return Fraction(math.floor(exact + Fraction(1, 2)))
    return Fraction(round(exact * 10**12), 10**12)


def _one_event(charge: Doc, price: Doc, event: Doc) -> Fraction:
    value = max(_converted(charge, Fraction(event["value"])), Fraction(0))
    if "tier_value" not in price or "tier_value" not in event or not value:
        return _of_quantity(price, value, {})
    tier = _tier(price, Fraction(event["tier_value"]))
    return value * _field(tier, "unit_amount") + _field(tier, "flat_amount")


def _of_quantity(price: Doc, q: Fraction, dimensions: dict[str, str]) -> Fraction:
    model = price["model"]
    if model == "flat":
        return Fraction(price["amount"])
    if model == "per_unit":
        return q * Fraction(price["unit_amount"])
    if model == "package":
        packages = max(q - _field(price, "free_units"), Fraction(0)) / Fraction(price["package_size"])
        count = math.floor(packages) if price.get("round") == "down" else math.ceil(packages)
        return count * Fraction(price["package_amount"])
    if model == "matrix":
        return q * _cell(price, dimensions)
    if not q:
        return Fraction(0) if price.get("zero_usage") == "skip" else _field(price["tiers"][0], "flat_amount")
    if model == "stairstep":
        return _field(_tier(price, q), "flat_amount")
    if model == "volume":
        tier = _tier(price, q)
        return q * _field(tier, "unit_amount") + _field(tier, "flat_amount")
    return _graduated(price, q)


def _graduated(price: Doc, q: Fraction) -> Fraction:
    total, below = Fraction(0), Fraction(0)
    for tier in price["tiers"]:
        if q <= below:
            break
        top = q if tier["up_to"] is None else min(q, Fraction(tier["up_to"]))
        unit = (
            _field(tier, "rate") / 100
            if price["model"] == "graduated_percentage"
            else _field(tier, "unit_amount")
        )
        total += (top - below) * unit + _field(tier, "flat_amount")
        below = top if tier["up_to"] is None else Fraction(tier["up_to"])
    return total


def _tier(price: Doc, q: Fraction) -> Doc:
    return next(tier for tier in price["tiers"] if tier["up_to"] is None or q <= Fraction(tier["up_to"]))


def _cell(price: Doc, dimensions: dict[str, str]) -> Fraction:
    best: tuple[tuple[int, int], str] | None = None
    for cell in price["cells"]:
        allowed = {
            name: value if isinstance(value, list) else [value] for name, value in cell["when"].items()
        }
        if all(dimensions.get(name) in values for name, values in allowed.items()):
            rank = (len(allowed), -sum(len(values) for values in allowed.values()))
            if best is None or rank > best[0]:
                best = rank, cell["unit_amount"]
    return Fraction(price.get("default") or "0") if best is None else Fraction(best[1])


def _percentage(price: Doc, values: list[Fraction]) -> Fraction:
    limited = "free_events" in price or "free_amount" in price
    events_used, amount_used, total = 0, Fraction(0), Fraction(0)
    ended = not limited
    for value in values:
        if value < 0:
            continue
        ended = ended or ("free_events" in price and events_used >= int(price["free_events"]))
        ended = ended or ("free_amount" in price and amount_used >= Fraction(price["free_amount"]))
        charged = value
        if not ended:
            left = Fraction(price["free_amount"]) - amount_used if "free_amount" in price else value
            charged = value - min(value, left)
            events_used, amount_used = events_used + 1, amount_used + value - charged
            if not charged:
                continue
        fee = charged * Fraction(price["rate"]) / 100 + _field(price, "fixed_amount")
        fee = max(fee, Fraction(price["event_min"])) if "event_min" in price else fee
        total += min(fee, Fraction(price["event_max"])) if "event_max" in price else fee
    return total


def _routed(price: Doc, events: list[Doc]) -> list[tuple[Doc, list[Doc]]]:
    entries: list[tuple[Doc, list[Doc]]] = [(entry["price"], []) for entry in price["schedule"]]
    default: list[Doc] = []
    for event in events:
        local = _instant(event).astimezone(ZoneInfo(price.get("timezone", "UTC")))
        for index, entry in enumerate(price["schedule"]):
            if _falls(entry, local):
                entries[index][1].append(event)
                break
        else:
            default.append(event)
    return [*entries, (price["default"], default)]


def _instant(event: Doc) -> datetime:
    """The event's time; a bare quantity has none, and comes before all."""
    return datetime.fromisoformat(event.get("time", "1970-01-01T00:00:00Z").replace("Z", "+00:00"))


def _falls(entry: Doc, local: datetime) -> bool:
    """Whether a wall-clock time falls in an entry, today's span or yesterday's."""
    wall = local.replace(tzinfo=None)
    for back in (0, 1):
        day = wall.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
        if DAYS[day.weekday()] not in entry.get("days", DAYS):
            continue
        start, end = day + _wall(entry.get("from", "00:00")), day + _wall(entry.get("to", "24:00"))
        if end <= start:
            end += timedelta(days=1)
        if start <= wall < end:
            return True
    return False


def _wall(clock: str) -> timedelta:
    hours, minutes = clock.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _field(doc: Doc, name: str) -> Fraction:
    return Fraction(doc.get(name) or "0")
