"""Outcomes: usage that counts once an event says that it succeeded, at the time of that event.

Usage waits under what it is matched by, beside every outcome of the same match. Of the outcomes in `[time, time + within)`
the latest decides. When usage or an outcome comes, or is taken back, each usage of the match is looked at again: where
the outcome that decides is another now, it is taken back where it had counted, and counts where it succeeds now. So the
order in which they arrive does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rating import rate, waiting
from rating.bunch import bunches_of
from rating.catalog import Meter, Outcome
from rating.ids import event_uid
from rating.metering import scalar_text
from rating.paths import getter
from rating.state import Waiting
from rating.step import Step

USAGE, OUTCOME = "u", "o"
Reading = tuple[str, Any, tuple[str, ...]]


def bucket(step: Step, meter: str, match: str) -> tuple[str, ...]:
    """Where usage and outcomes of one match are."""
    return ("outcome", step.tenant, step.account, meter, match)


def touches(step: Step, event: Waiting) -> bool:
    """Whether the event is an outcome, or usage that waits for one."""
    catalog = step.catalog
    if not catalog.outcome_meters:
        return False
    return event.type in catalog.outcome_types or any(
        name in catalog.outcome_meters for name, *_ in event.readings
    )


def without(step: Step, event: Waiting) -> Waiting:
    """The event with those readings alone that wait for no outcome."""
    names = step.catalog.outcome_meters
    return event._replace(readings=tuple(each for each in event.readings if each[0] not in names))


def take(step: Step, event: Waiting, sign: int = 1) -> None:
    """An event comes, or is taken back with `sign` −1: note it, and count what it decides."""
    data = json.loads(event.data, parse_float=Decimal)
    for reading in event.readings:
        meter = step.catalog.meters[reading[0]]
        if meter.outcome is not None:
            match = _text(data, event, meter.outcome.usage_path)
            if match is not None:
                kept = tuple(event._replace(readings=(reading,)))
                _changed(step, meter, match, f"{USAGE}|{_member(event)}", kept if sign > 0 else None)
    for meter in step.catalog.outcome_types.get(event.type, ()):
        outcome = meter.outcome
        assert outcome is not None
        match = _text(data, event, outcome.outcome_path)
        if match is not None:
            holds = _fulfils(outcome, data, event)
            _changed(step, meter, match, f"{OUTCOME}|{_member(event)}", holds if sign > 0 else None)


def _member(event: Waiting) -> str:
    return f"{event.time:020d}|{event.source} {event.id}"


def _text(data: dict[str, Any], event: Waiting, path: str) -> str | None:
    return scalar_text(getter(path)(data, event.subject, dict(event.groups)))


def _fulfils(outcome: Outcome, data: dict[str, Any], event: Waiting) -> bool:
    return all(_text(data, event, path) in allowed for path, allowed in outcome.when)


def _changed(step: Step, meter: Meter, match: str, member: str, value: Any) -> None:
    place = bucket(step, meter.key, match)
    before = _decided(step, meter, place)
    step.cells.put(place, member, value)
    _indexed(step, meter, match, member, value is not None)
    after = _decided(step, meter, place)
    gone = [before[name] for name in sorted(before) if before[name] != after.get(name)]
    came = [after[name] for name in sorted(after) if after[name] != before.get(name)]
    # All go before any comes: a segment that begins to be used asks for what was used before it.
    _count(step, gone, -1)
    _count(step, came, 1)


def _decided(step: Step, meter: Meter, place: tuple[str, ...]) -> dict[str, Waiting]:
    """The usage of a match that counts, each at the time of the outcome that decides."""
    outcome = meter.outcome
    assert outcome is not None
    members = list(step.cells.members(place))
    outcomes = [(int(name[2:22]), holds) for name, holds in members if name.startswith(OUTCOME)]
    found: dict[str, Waiting] = {}
    for name, value in members:
        if name.startswith(USAGE):
            event = Waiting(*value)
            last = _last(outcomes, event.time, event.time + outcome.within)
            if last is not None:
                found[name] = event._replace(time=last)
    return found


def counted_since(step: Step, since: int) -> list[Waiting]:
    """The account's usage that an outcome of the moment or later made count."""
    places = {
        (meter, match): None
        for _, (meter, match, _) in step.cells.members(("outcomes", step.tenant, step.account))
    }
    found = (
        event
        for meter, match in places
        for event in _decided(step, step.catalog.meters[meter], bucket(step, meter, match)).values()
    )
    return [event for event in found if event.time >= since]


def _last(outcomes: Sequence[tuple[int, bool]], low: int, high: int) -> int | None:
    mine = [each for each in outcomes if low <= each[0] < high]
    return mine[-1][0] if mine and mine[-1][1] else None


def _count(step: Step, events: Iterable[Waiting], sign: int) -> None:
    rated = []
    for event in events:
        uid = event_uid(event.source, f"{event.id} {event.readings[0][0]}")
        if waiting.runs(step, event.subscription, event.time):
            rated.append(event)
        elif sign > 0:
            waiting.keep(step, uid, event._replace(counted=True))
        else:
            waiting.forget(step, uid)
    if rated:
        rate.rate(step, [(bunches_of(rated), sign)], "usage" if sign > 0 else "correction")


def _indexed(step: Step, meter: Meter, match: str, member: str, there: bool) -> None:
    """Note until when a member is needed: an outcome for usage before it, usage for outcomes after it."""
    outcome = meter.outcome
    assert outcome is not None
    until = int(member[2:22]) + outcome.within
    index = ("outcomes", step.tenant, step.account)
    step.cells.put(
        index, f"{until:020d}|{meter.key}|{member}|{match}", (meter.key, match, member) if there else None
    )


def oldest(step: Step) -> int | None:
    """Until when the member that ends first decides anything."""
    first = next(iter(step.cells.members(("outcomes", step.tenant, step.account))), None)
    return None if first is None else int(first[0][:20])


def clean(step: Step) -> None:
    """Forget the members whose time is over."""
    index = ("outcomes", step.tenant, step.account)
    first = next(iter(step.cells.members(index)), None)
    if first is not None:
        name, (meter, match, member) = first
        step.cells.put(index, name, None)
        step.cells.put(bucket(step, meter, match), member, None)


def release(step: Step, account: str) -> None:
    """The account's usage is another's, or a tree's: what waits is published again, what waits for an outcome is dropped
    here, since it comes again with it."""
    waiting.release(step, account)
    index = ("outcomes", step.tenant, step.account)
    for name, (meter, match, member) in list(step.cells.members(index)):
        step.cells.put(index, name, None)
        step.cells.put(bucket(step, meter, match), member, None)


def take_all(step: Step, events: Iterable[Waiting]) -> None:
    """Events that come, one after the other."""
    for event in events:
        if touches(step, event):
            take(step, event)
