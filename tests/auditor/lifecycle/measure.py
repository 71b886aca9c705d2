"""What a meter reads of events, and its aggregate `Q`: filters, groups, units, outcomes, buckets, levels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from tests.auditor.lifecycle.calendar import day_of
from tests.auditor.lifecycle.words import HOUR, Doc, duration, twelve

WINDOWS = {"1m": HOUR // 60, "1h": HOUR}


@dataclass(frozen=True)
class Event:
    """An accepted event; `order` is its `(source, id)`, `number` its place in the log, `subject` who used."""

    account: str
    subscription: str | None
    order: tuple[str, str]
    type: str
    time: int
    data: Doc
    number: int
    subject: str = ""


@dataclass(frozen=True)
class Sample:
    """An event as a meter reads it: a number, or for `unique` what it is. `event` has what prices by event read."""

    time: int
    value: Fraction
    distinct: str
    groups: dict[str, str]
    event: Event


class BadValueError(Exception):
    """A value that the meter cannot read."""


def find(data: Doc, path: str) -> Any:
    """The value at `$.a.b`; None where there is none."""
    here: Any = data
    for name in path.removeprefix("$.").split("."):
        here = here.get(name) if isinstance(here, dict) else None
    return here


def number(value: Any, factor: Fraction) -> Fraction:
    """A quantity in the meter's unit: at most 12 fractional and 18 integer digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise BadValueError
    try:
        exact = Fraction(Decimal(str(value))) * factor
    except (InvalidOperation, ValueError):
        raise BadValueError from None
    if exact * 10**12 % 1 or abs(exact) >= 10**18:
        raise BadValueError
    return exact


def read(meter: Doc, event: Event) -> Sample | None:
    """The event as the meter reads it; None where it does not."""
    sources = meter.get("sources") or [meter]
    source = next((each for each in sources if each["event_type"] == event.type), None)
    if source is None or not _passes(source.get("filter") or meter.get("filter", {}), event.data):
        return None
    groups = source.get("group_by") or meter.get("group_by", {})
    named = {name: _text(find(event.data, path)) for name, path in groups.items()}
    aggregation = meter["aggregation"]
    if aggregation == "count":
        return Sample(event.time, Fraction(1), "", named, event)
    value = find(event.data, source["value"])
    if value is None:
        raise BadValueError
    if aggregation == "unique":
        return Sample(event.time, Fraction(0), _text(value), named, event)
    return Sample(event.time, number(value, _factor(source, event)), "", named, event)


def _factor(source: Doc, event: Event) -> Fraction:
    units = source.get("units")
    if not units:
        return Fraction(source.get("multiply", "1"))
    factor = units["factors"].get(find(event.data, units["path"]))
    if factor is None:
        raise BadValueError
    return Fraction(factor)


def _passes(wanted: Doc, data: Doc) -> bool:
    return all(_text(data.get(name)) in _listed(values) for name, values in wanted.items())


def _listed(values: Any) -> list[str]:
    return [_text(each) for each in (values if isinstance(values, list) else [values])]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def samples(meter: Doc, events: Iterable[Event]) -> list[Sample]:
    """All that counts on a meter, in order of time; with `outcome`, at the time of the outcome that decides."""
    events = list(events)
    found = [sample for event in events if (sample := read(meter, event)) is not None]
    if outcome := meter.get("outcome"):
        found = [each for sample in found if (each := _decided(outcome, sample, events)) is not None]
    return sorted(found, key=lambda each: (each.time, each.event.order))


def _decided(outcome: Doc, sample: Sample, events: list[Event]) -> Sample | None:
    match = outcome["match"]
    mine, theirs = (match, match) if isinstance(match, str) else (match["usage"], match["outcome"])
    sought = find(sample.event.data, mine)
    span = duration(outcome["within"])
    told = [
        event
        for event in events
        if event.type == outcome["event_type"]
        and sought is not None
        and find(event.data, theirs) == sought
        and sample.time <= event.time < sample.time + span
    ]
    if not told:
        return None
    last = max(told, key=lambda event: (event.time, event.order))
    return replace(sample, time=last.time) if _passes(outcome.get("when", {}), last.data) else None


def aggregate(meter: Doc, found: list[Sample], zone: str) -> Fraction:
    """The aggregate of samples in order of time; levels are `integrated`'s."""
    if "bucket" not in meter:
        return _plain(meter["aggregation"], found)
    buckets: dict[int, list[Sample]] = {}
    for sample in found:
        size = WINDOWS.get(meter["bucket"])
        at = sample.time - sample.time % size if size else day_of(sample.time, zone)
        buckets.setdefault(at, []).append(sample)
    values = [_plain(meter["aggregation"], each) for each in buckets.values()]
    if not values:
        return Fraction(0)
    total = sum(values, Fraction(0))
    return {"sum": total, "max": max(values), "avg": twelve(total / len(values))}[meter["rollup"]]


def _plain(aggregation: str, found: list[Sample]) -> Fraction:
    if not found:
        return Fraction(0)
    values = [sample.value for sample in found]
    match aggregation:
        case "unique":
            return Fraction(len({sample.distinct for sample in found}))
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "avg":
            return twelve(sum(values, Fraction(0)) / len(values))
        case "latest":
            return values[-1]
    return sum(values, Fraction(0))


def integrated(meter: Doc, found: list[Sample], begin: int, end: int, length: int) -> Fraction:
    """A running level over `[begin, end)`, all that came before included, per period of `length`, hour or second."""
    level, area, at = Fraction(0), Fraction(0), begin
    for sample in found:
        if sample.time >= end:
            break
        if sample.time > at:
            area, at = area + level * (sample.time - at), sample.time
        level = sample.value if meter.get("value_is") == "level" else level + sample.value
    area += level * max(end - at, 0)
    return twelve(area / {"period": length, "hour": HOUR, "second": 1_000_000}[meter.get("per", "period")])
