"""What a limit's windows hold: usage and spend go in event by event, and come out as a value.

A window over the log's clock is over: what comes late for it writes nothing. `first_use` opens one with the first event
that none holds, cut where a later one begins; `sliding` has one that never ends, in which each event counts for `length`.
What charges of a period come to, and balances, stand in state already, so their windows keep nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rating.aggregations import LEVEL, Entries, Span, Values, aggregation_of
from rating.catalog import Charge, Meter
from rating.catalog.limits import FINE, FIRST_USE, SLIDING
from rating.catalog.tenants import TENANT, is_summed
from rating.levels import carried
from rating.limits.bounds import Held
from rating.limits.state import Gauge
from rating.numbers import quantity
from rating.state import NEVER
from rating.step import Step
from rating.timeline import spell_at


class Entry(NamedTuple):
    """What counts at a moment: a reading with its sign, or money in 10⁻³⁶."""

    time: int
    key: str
    subject: str
    value: int | str
    sign: int


def bucket(step: Step, held: Held) -> tuple[str, ...]:
    """Where the windows of a limit are."""
    return ("gauge", step.tenant, step.account, held.id)


def member(gauge: Gauge) -> str:
    """A window's name: by its start, so that they are listed in order."""
    return f"{gauge.start:020d}|{gauge.subject}"


def gauges(step: Step, held: Held) -> list[Gauge]:
    """The windows of a limit that are kept."""
    return [found for _, found in step.cells.members(bucket(step, held))]


def save(step: Step, held: Held, gauge: Gauge) -> None:
    """Keep a window."""
    step.cells.put(bucket(step, held), member(gauge), gauge)


def drop(step: Step, held: Held, gauge: Gauge) -> None:
    """Forget a window and all that it keeps."""
    step.cells.put(bucket(step, held), member(gauge), None)
    for place in (_slid(step, held, gauge), _values(step, held, gauge)):
        for name, _ in list(step.cells.members(place)):
            step.cells.put(place, name, None)


def _slid(step: Step, held: Held, gauge: Gauge) -> tuple[str, ...]:
    return ("slid", step.tenant, step.account, held.id, gauge.subject)


def _values(step: Step, held: Held, gauge: Gauge) -> tuple[str, ...]:
    return ("value", step.tenant, step.account, "", held.id, str(gauge.start), gauge.subject)


def count(step: Step, held: Held, entries: Iterable[Entry]) -> None:
    """Let entries count, each in its window."""
    limit = held.limit
    mine = [each for each in entries if limit.subject in (None, each.subject)]
    one_each = limit.scope == "subject"
    windows: dict[tuple[int, str], tuple[Gauge, list[Entry]]] = {}
    for each in sorted(mine, key=lambda entry: (entry.time, entry.key, entry.sign)):
        gauge = _window(step, held, each, each.subject if one_each else "")
        if gauge is not None:
            windows.setdefault((gauge.start, gauge.subject), (gauge, []))[1].append(each)
    for gauge, found in windows.values():
        if limit.window == SLIDING:
            save(step, held, _slide(step, held, gauge, found))
        elif is_sum(step, held):
            save(step, held, gauge._replace(kept=(gauge.kept or 0) + sum(int(each.value) for each in found)))
        else:
            save(step, held, _aggregated(step, held, gauge, found))


def _window(step: Step, held: Held, entry: Entry, subject: str) -> Gauge | None:
    """The window that an entry counts in, opened where there is none; `None` where it is over."""
    limit = held.limit
    if limit.window == SLIDING:
        if entry.time + limit.length <= step.now:
            return None
        return step.cells.get(bucket(step, held), f"{0:020d}|{subject}") or Gauge(subject, 0, NEVER)
    if limit.window == FIRST_USE:
        return _first_use(step, held, entry, subject)
    start, end = held.window(step, entry.time)
    if end <= step.now:
        return None
    return step.cells.get(bucket(step, held), f"{start:020d}|{subject}") or Gauge(subject, start, end)


def _first_use(step: Step, held: Held, entry: Entry, subject: str) -> Gauge | None:
    end = entry.time + held.limit.length
    for gauge in gauges(step, held):
        if gauge.subject != subject:
            continue
        if gauge.start <= entry.time < gauge.end:
            return gauge if gauge.end > step.now else None
        if gauge.start > entry.time:
            end = min(end, gauge.start)
    if entry.sign < 0 or end <= step.now:
        return None
    opened = Gauge(subject, entry.time, end)
    save(step, held, opened)
    return opened


def _slide(step: Step, held: Held, gauge: Gauge, found: Sequence[Entry]) -> Gauge:
    """A sliding window keeps what counts by its time, so that it can leave."""
    place = _slid(step, held, gauge)
    total = gauge.kept or 0
    for each in found:
        amount = _amount(step, held, each)
        name = f"{each.time:020d}"
        total += amount
        step.cells.put(place, name, ((step.cells.get(place, name) or 0) + amount) or None)
    return gauge._replace(kept=total)


def _amount(step: Step, held: Held, entry: Entry) -> int:
    if is_sum(step, held):
        return int(entry.value)
    meter = _meter(step, held)
    return entry.sign * FINE * (quantity(1) if meter.aggregation == "count" else quantity(entry.value))


def is_sum(step: Step, held: Held) -> bool:
    """Whether what counts comes in 10⁻³⁶: money, or usage of a whole tenant that sums up."""
    limit = held.limit
    return limit.metric == "spend" or (limit.scope == TENANT and is_summed(_meter(step, held)))


def _meter(step: Step, held: Held) -> Meter:
    return step.catalog.meters[held.meter(step) or ""]


def _aggregated(step: Step, held: Held, gauge: Gauge, found: Sequence[Entry]) -> Gauge:
    aggregation = aggregation_of(_meter(step, held), held.zone(step))
    values = Values(step.cells, _values(step, held, gauge))
    kept = {gauge.start: gauge.kept}
    for sign in (-1, 1):
        mine = [each for each in found if each.sign == sign]
        if mine:
            entries = Entries(
                [each.time for each in mine], [each.value for each in mine], [each.key for each in mine]
            )
            aggregation.update(kept, gauge.start, entries, sign, values)
    return gauge._replace(kept=kept[gauge.start])


def leave(step: Step, held: Held, gauge: Gauge) -> Gauge:
    """A sliding window without what has left it by now."""
    if held.limit.window != SLIDING:
        return gauge
    place = _slid(step, held, gauge)
    total = gauge.kept or 0
    for name, amount in list(step.cells.members(place)):
        if int(name) + held.limit.length > step.now:
            break
        total -= amount
        step.cells.put(place, name, None)
    return gauge if total == gauge.kept else gauge._replace(kept=total)


def next_leaving(step: Step, held: Held, gauge: Gauge) -> int:
    """When the oldest that counts in a sliding window leaves it."""
    first = next(iter(step.cells.members(_slid(step, held, gauge))), None)
    return NEVER if first is None else int(first[0]) + held.limit.length


def falls_below(step: Step, held: Held, gauge: Gauge) -> int:
    """When a sliding window will be below `amount` again if nothing is used."""
    total = gauge.kept or 0
    for name, amount in step.cells.members(_slid(step, held, gauge)):
        total -= amount
        if not held.limit.acts(total):
            return int(name) + held.limit.length
    return NEVER


def value(step: Step, held: Held, gauge: Gauge) -> int:
    """What a window comes to, in 10⁻³⁶."""
    if held.limit.window == SLIDING or is_sum(step, held):
        return gauge.kept or 0
    aggregation = aggregation_of(_meter(step, held), held.zone(step))
    level = carry(step, held, gauge.start) if carries(step, held) else 0
    span = Span(gauge.start, gauge.end, gauge.start, gauge.end, level)
    values = Values(step.cells, _values(step, held, gauge))
    return aggregation.quantity([(gauge.start, gauge.kept)], span, values) * FINE


def carries(step: Step, held: Held) -> bool:
    """Whether a window begins with the level of the time before. That is a subscription's, so windows of an account begin at
    nothing, and so do those of a filter."""
    limit = held.limit
    if held.only is None or held.known is None or limit.metric != "usage" or limit.filter:
        return False
    return _meter(step, held).aggregation == LEVEL


def carry(step: Step, held: Held, start: int) -> int:
    """The level with which a window of a limit that `carries` begins, in 10⁻¹²."""
    known, meter = held.known, _meter(step, held)
    assert known is not None, "it is a subscription's"
    every = Charge("", meter.key, (), None, True, {})
    begin = spell_at(step.catalog, known, max(start, known.sub.start)).start
    return carried(step, known, every, meter, (), begin, start)
