"""What a step's usage, charge lines and threshold records come to, by the hour and by the billing period.

Usage is of the hour of its time; a charge line of the hour in which its window begins; a breach of the hour in which it is
booked. Usage counts once for the account however many subscriptions rate it, and once in the period of each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rating.aggregations import total
from rating.bunch import Bunch
from rating.catalog.rules import Series
from rating.facts import Facts
from rating.limits.bounds import running
from rating.limits.crossings import BREACHED, THRESHOLDS
from rating.lines import CHARGES
from rating.numbers import AMOUNT_DIGITS, QTY, scaled
from rating.step import Step
from rating.timeline import Timeline, spell_at
from rating.times import HOUR, parse_time

Sums = dict[int, int]
ByPeriod = dict[str, int]
_INTEGERS = 40
"""Of amounts, as `Decimal(76, 36)` has them."""


def hours(step: Step, facts: Facts, series: Series) -> Sums:
    """By hour, usage in 10⁻¹², money in 10⁻³⁶, or how many breaches."""
    found: Sums = {}
    if series.kind == "usage":
        for bunch, timelines, sign in _bunches(step, facts, series):
            amount = sum(_part(step, bunch, timelines))
            found[bunch.hour * HOUR] = found.get(bunch.hour * HOUR, 0) + sign * amount
    elif series.kind == "spend":
        for line in _lines(step, series):
            hour = parse_time(line["window_start"]) // HOUR * HOUR
            found[hour] = found.get(hour, 0) + _money(line)
    elif breaches := _breaches(step, series):
        found[step.now // HOUR * HOUR] = breaches
    return found


def periods(step: Step, facts: Facts, series: Series) -> ByPeriod:
    """The same by `subscription|start of the period`."""
    found: ByPeriod = {}
    if series.kind == "usage":
        for used in facts.used:
            if _is_of(step, used.bunch, series):
                for start, amount in _by_period(step, used.known, used.bunch):
                    name = f"{used.known.sub.id}|{start}"
                    found[name] = found.get(name, 0) + used.sign * amount
    elif series.kind == "spend":
        for line in _lines(step, series):
            name = f"{line['subscription']}|{parse_time(line['period_start'])}"
            found[name] = found.get(name, 0) + _money(line)
    elif breaches := _breaches(step, series):
        for known in running(step):
            found[f"{known.sub.id}|{spell_at(step.catalog, known, step.now).start}"] = breaches
    return found


def last_used(facts: Facts) -> int:
    """The time of the step's latest usage; −1 where it has none."""
    return max((max(used.bunch.times) for used in facts.used if used.sign > 0), default=-1)


def _is_of(step: Step, bunch: Bunch, series: Series) -> bool:
    if bunch.meter != series.meter:
        return False
    names = step.catalog.meters[bunch.meter].dimensions
    return all(name in names and bunch.dims[names.index(name)] in allowed for name, allowed in series.filter)


def _bunches(step: Step, facts: Facts, series: Series) -> Iterator[tuple[Bunch, list[Timeline], int]]:
    """Each bunch once, with the time of every subscription that it was asked for."""
    held: dict[tuple[int, int], tuple[Bunch, list[Timeline], int]] = {}
    for used in facts.used:
        if _is_of(step, used.bunch, series):
            held.setdefault((id(used.bunch), used.sign), (used.bunch, [], used.sign))[1].append(used.known)
    return iter(held.values())


def _part(step: Step, bunch: Bunch, timelines: list[Timeline]) -> Iterator[int]:
    """What of a bunch some subscription runs for."""
    counted = step.catalog.meters[bunch.meter].aggregation == "count"
    low, high = min(bunch.times), max(bunch.times)
    if any(known.runs_at(low) and known.runs_at(high) for known in timelines):
        yield len(bunch.times) * QTY if counted else total(bunch.values)
        return
    for time, value in zip(bunch.times, bunch.values, strict=True):
        if any(known.runs_at(time) for known in timelines):
            yield QTY if counted else total([value])


def _by_period(step: Step, known: Timeline, bunch: Bunch) -> Iterator[tuple[int, int]]:
    low, high = min(bunch.times), max(bunch.times)
    first = spell_at(step.catalog, known, low)
    if first.start <= low and high < first.stop:
        yield first.start, sum(_part(step, bunch, [known]))
        return
    for time, value in zip(bunch.times, bunch.values, strict=True):
        one = bunch._replace(times=[time], values=[value])
        yield spell_at(step.catalog, known, time).start, sum(_part(step, one, [known]))


def _lines(step: Step, series: Series) -> Iterator[Mapping[str, Any]]:
    """The step's lines of usage charges. One whose dimensions do not have what the filter names is none of them."""
    for effect in step.effects:
        line = effect.value
        if effect.topic != CHARGES or effect.key != step.key or line is None:
            continue
        if line["kind"] not in ("usage", "correction"):
            continue
        if series.charge in (None, line["charge"]) and series.meter in (None, line["meter"]):
            dimensions = line["dimensions"]
            if all(dimensions.get(name) in allowed for name, allowed in series.filter):
                yield line


def _money(line: Mapping[str, Any]) -> int:
    return scaled(line["amount"], AMOUNT_DIGITS, _INTEGERS)


def _breaches(step: Step, series: Series) -> int:
    """How many thresholds of the limit the step breached."""
    return sum(
        1
        for effect in step.effects
        if effect.topic == THRESHOLDS and effect.key == step.key and effect.value is not None
        and effect.value["limit"] == series.limit and effect.value["state"] == BREACHED
    )  # fmt: skip
