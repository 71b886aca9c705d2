"""A quote: what one charge comes to over one whole period, minimum and true-up included, without any server.

>>> quote({"price": {"model": "per_unit", "unit_amount": "0.5"}}, {"quantity": "3"})["total"]
'1.5'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rating.charge import Rule, rule_from
from rating.errors import NumberError, QuoteError, TimeError
from rating.metering import scalar_text
from rating.numbers import Number, amount_text, check_amount, check_quantity, quantity, quantity_text, shown
from rating.periods import WINDOWS, window
from rating.prices import Dynamic, EventTiers, Matrix, Part, Price, PricedEvent, Scheduled
from rating.times import parse_time

Doc = Mapping[str, Any]
_NAMES = ("time", "value", "dimensions", "amount")


class _Usage(NamedTuple):
    """One event with its dimension group, the values in the order of the charge's dimensions."""

    event: PricedEvent
    group: tuple[str, ...]


def quote(charge: Doc, usage: Doc) -> dict[str, Any]:
    """`{"total", "lines": [{"tier", "quantity", "unit_amount", "amount"}]}`, all decimals as text.

    `charge` is a charge's document, `usage` `{"quantity"}` or `{"events": [{"time", "value", "dimensions",
    "amount"}]}`; numbers in both are text, `int` or `Decimal`. Lines sum to the total; the last may be what a
    minimum, maximum or commitment changes. Raises `PriceError`, `QuoteError` for the usage, `Overflow`.
    """
    rule = rule_from(charge)
    lines = [line for used in _windows(rule, _usage(rule, usage)) for line in _window_lines(rule, used)]
    raw = sum(line.amount for line in lines)
    total = check_amount(
        rule.bounds()._replace(floor=None, committed=None).closed(raw) if _by_window(rule) else raw
    )
    if total != raw:
        lines.append(Part(None, 0, None, total - raw))
    return {"total": amount_text(total), "lines": [_line(line) for line in lines]}


def _window_lines(rule: Rule, used: Sequence[_Usage]) -> list[Part]:
    """The parts of all groups and what the bounds change."""
    lines: list[Part] = []
    for values, events in _groups(rule, used):
        dimensions = dict(zip(rule.dimensions, values, strict=True))
        if isinstance(rule.price, Matrix) and rule.price.curve_of(dimensions) is None:
            named = ", ".join(f"{name} {shown(value)}" for name, value in dimensions.items())
            raise QuoteError(f"no cell of the matrix holds {named}, and it has no default: add one of them")
        check_quantity(sum(event.value for event in events))
        lines += rule.event_parts(sorted(events), rule.included, dimensions)
    raw = check_amount(sum(line.amount for line in lines))
    bounds = rule.bounds()
    if _by_window(rule):
        bounds = bounds._replace(maximum=None)
    closed = bounds.closed(raw)
    if closed != raw:
        lines.append(Part(None, 0, None, closed - raw))
    return lines


def _by_window(rule: Rule) -> bool:
    return rule.commitment is not None and rule.commitment.window is not None


def _windows(rule: Rule, used: list[_Usage]) -> Iterable[Sequence[_Usage]]:
    """The usage of each window of a commitment that has one; else all of it."""
    if rule.commitment is None or rule.commitment.window is None or not used:
        return [used]
    size = rule.commitment.window
    if size not in WINDOWS:
        raise QuoteError(f"charge.commitment.window is {shown(size)}: use one of {', '.join(WINDOWS)}")
    held: dict[int, list[_Usage]] = {}
    for each in used:
        held.setdefault(window(each.event.time, size, "UTC")[0], []).append(each)
    return [held[start] for start in sorted(held)]


def _groups(rule: Rule, used: Sequence[_Usage]) -> Iterable[tuple[tuple[str, ...], list[PricedEvent]]]:
    groups: dict[tuple[str, ...], list[PricedEvent]] = {}
    if not rule.dimensions:
        groups[()] = []
    for each in used:
        groups.setdefault(each.group, []).append(each.event)
    return groups.items()


def _usage(rule: Rule, usage: object) -> list[_Usage]:
    if not isinstance(usage, Mapping):
        raise QuoteError(f"usage is {shown(usage)}: give either quantity or events")
    for name in usage:
        if name not in ("quantity", "events"):
            raise QuoteError(f"usage.{name} is no field of usage: give quantity or events")
    if len(usage) != 1:
        raise QuoteError(f"usage has {' and '.join(usage) or 'nothing'}: give either quantity or events")
    if "quantity" in usage:
        if isinstance(rule.price, Dynamic):
            raise QuoteError(
                "usage.quantity cannot be priced by a dynamic price: give events with their amount"
            )
        if isinstance(rule.price, Scheduled):
            raise QuoteError("usage.quantity cannot be priced by a schedule: give events with their time")
        value = _number(usage["quantity"], "usage.quantity")
        return [_Usage(PricedEvent(0, "", value), ("",) * len(rule.dimensions))]
    events = usage["events"]
    if not isinstance(events, list | tuple):
        raise QuoteError(f"usage.events is {shown(events)}: give a list of events")
    return [_event(rule, index, event) for index, event in enumerate(events)]


def _event(rule: Rule, index: int, event: object) -> _Usage:
    at = f"usage.events[{index}]"
    if not isinstance(event, Mapping):
        raise QuoteError(f"{at} is {shown(event)}: give a mapping with {', '.join(_NAMES)}")
    time = _time(rule, event.get("time"), f"{at}.time")
    price = rule.price.prices[rule.price.slot(time)] if isinstance(rule.price, Scheduled) else rule.price
    priced = PricedEvent(
        time,
        f"{index:012d}",  # events of one time keep the order in which they are listed
        _figure(event, "value", at, needed=not isinstance(price, Dynamic)),
        _figure(event, "amount", at, needed=isinstance(price, Dynamic)),
        _tier_value(price, event, at),
    )
    dimensions = event.get("dimensions") or {}
    if not isinstance(dimensions, Mapping):
        raise QuoteError(f"{at}.dimensions is {shown(dimensions)}: give a mapping")
    return _Usage(priced, tuple(_dimension(dimensions, name, at) for name in rule.dimensions))


def _time(rule: Rule, value: object, at: str) -> int:
    if value is None:
        if isinstance(rule.price, Scheduled) or _by_window(rule):
            raise QuoteError(f"{at} is missing: the price depends on it")
        return 0
    try:
        return parse_time(value)
    except TimeError as error:
        raise QuoteError(f"{at}: {error}") from None


def _figure(event: Doc, name: str, at: str, needed: bool) -> int:
    value = event.get(name)
    if value is None:
        if needed:
            raise QuoteError(f"{at}.{name} is missing: give it a decimal number")
        return 0
    return _number(value, f"{at}.{name}")


def _tier_value(price: Price, event: Doc, at: str) -> int | None:
    """Where the price has a path for it: the event's own member at that path, else its `tier_value`."""
    if not isinstance(price, EventTiers) or price.tier_value is None:
        return None
    found: Any = event
    for name in price.tier_value.split(".")[1:]:
        found = found.get(name) if isinstance(found, Mapping) else None
    found = event.get("tier_value") if found is None else found
    return None if found is None else _number(found, f"{at}.tier_value")


def _dimension(dimensions: Doc, name: str, at: str) -> str:
    value = dimensions.get(name)
    text = "" if value is None else scalar_text(value)
    if text is None:
        raise QuoteError(f"{at}.dimensions.{name} is {shown(value)}: give a text, a number or a boolean")
    return text


def _number(value: Number, at: str) -> int:
    try:
        return quantity(value)
    except NumberError as error:
        raise QuoteError(f"{at}: {error}") from None


def _line(part: Part) -> dict[str, Any]:
    return {
        "tier": part.tier,
        "quantity": quantity_text(part.quantity),
        "unit_amount": part.unit_amount,
        "amount": amount_text(part.amount),
    }
