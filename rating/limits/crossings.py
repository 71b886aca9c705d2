"""Thresholds of a window that are reached and left: a record for each crossing, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rating.catalog import Limit
from rating.catalog.limits import SLIDING
from rating.ids import threshold_id
from rating.limits.bounds import Held, bucket
from rating.limits.state import Bound, Gauge
from rating.numbers import amount_text
from rating.state import NEVER
from rating.step import Step
from rating.timeline import spell_at
from rating.times import format_time

THRESHOLDS = "billing.thresholds.v1"
BREACHED, RECOVERED = "breached", "recovered"
AT_ONCE_MAX = 100
"""Records that one window gets in one step: of a recurring threshold that is passed more often, the latest."""
Label = str | Mapping[str, str]


class Seen(NamedTuple):
    """A window of a limit as it stands after a step, its value in 10⁻³⁶."""

    held: Held
    gauge: Gauge
    value: int


def cross(step: Step, seen: Seen) -> Gauge:
    """Write what a window's value has crossed, both ways, and return the window as it is then."""
    held, gauge, value = seen
    limit = held.limit
    over = gauge.end <= step.now
    count = 0 if over else limit.counted(value)
    if count > gauge.reached and limit.top_up is not None and step.now < gauge.quiet:
        count = gauge.reached
    for number in range(max(gauge.reached, count - AT_ONCE_MAX), count):
        write(step, seen, limit.label(number), BREACHED)
    for number in range(gauge.reached - 1, max(count, gauge.reached - AT_ONCE_MAX) - 1, -1):
        write(step, seen, limit.label(number), RECOVERED)
    quiet = step.now + limit.cool_down if count > gauge.reached and limit.top_up is not None else gauge.quiet
    return gauge._replace(reached=count, acting=not over and limit.acts(value), quiet=quiet)


def replaced(step: Step, seen: Seen, old: Limit, counts: bool) -> Gauge:
    """A window whose limit was replaced: what the old one had reached stands where the new one has reached it too
    (`counts`: it counts the same), and is left where it does not; what only the new one has reached is told. A record
    has the amount that its value was held against."""
    held, gauge, value = seen
    limit = held.limit
    had = [old.label(number) for number in range(gauge.reached)]
    now = [limit.label(number) for number in range(limit.counted(value))] if counts else []
    if limit.top_up is not None and step.now < gauge.quiet:
        now = [label for label in now if label in had]
    left = seen if counts else seen._replace(held=held._replace(limit=old))
    for label in reversed(had):
        if label not in now:
            write(step, left, label, RECOVERED)
    for label in now:
        if label not in had:
            write(step, seen, label, BREACHED)
    fresh = len(now) > sum(label in had for label in now) and limit.top_up is not None
    return gauge._replace(reached=len(now), quiet=step.now + limit.cool_down if fresh else gauge.quiet)


def write(step: Step, seen: Seen, label: Label, state: str) -> None:
    """One record of a threshold."""
    held, gauge, value = seen
    limit = held.limit
    place = bucket(step)
    bound: Bound = step.cells.get(place, held.id)
    step.cells.put(place, held.id, bound._replace(records=bound.records + 1))
    spell = None
    if held.known is not None:
        # That of the window: one that is over recovers in the next, and names the period in which it was crossed.
        spell = spell_at(step.catalog, held.known, min(step.now, gauge.end - 1, held.known.end - 1))
    start, end = _window(step, limit, gauge)
    step.emit(THRESHOLDS, {
        "id": threshold_id(step.tenant, step.account, held.id, bound.records + 1),
        "tenant": step.tenant, "account": step.account or None, "subscription": held.only, "limit": limit.key,
        "metric": limit.metric, "threshold": label, "state": state, "value": amount_text(value),
        "amount": amount_text(limit.amount),
        "period_start": None if spell is None else format_time(spell.start),
        "period_end": None if spell is None else format_time(spell.end),
        "hard": limit.hard, "action": limit.action, "scope": _scope(limit, gauge),
        "window_start": None if start is None else format_time(start),
        "window_end": None if end is None else format_time(end),
        "top_up": limit.top_up if state == BREACHED else None, "time": step.time_text,
    })  # fmt: skip


def _window(step: Step, limit: Limit, gauge: Gauge) -> tuple[int | None, int | None]:
    if limit.falls:
        return None, None
    if limit.window == SLIDING:
        return step.now - limit.length, step.now
    return gauge.start, None if gauge.end == NEVER else gauge.end


def _scope(limit: Limit, gauge: Gauge) -> Label:
    if limit.scope == "subject":
        return {"subject": limit.subject or gauge.subject}
    return "account" if limit.falls else limit.scope
