"""What the windows of rules count, hour by hour: usage, spend, breached thresholds.

A window of `over` begins with the full hour that long ago, so hours are all that is kept of it, and its total moves with
them: what comes is added, an hour that leaves is taken off. Only what some rule asks for is kept, and only as long as its
longest window looks back. What comes ahead of the clock counts at once.

A series that a rule asks for first when the account has been there already begins at nothing: a window that reaches back
before that has no value.
"""

from __future__ import annotations

from collections.abc import Mapping

from rating.catalog.rules import PERIOD, Series
from rating.facts import Facts
from rating.recut import newest
from rating.rules.counts import hours, last_used, periods
from rating.state import NEVER, Subscription, Window
from rating.step import Step
from rating.times import HOUR

FOLLOWED = "ruled"
"""The cell of an account that says for which rules it keeps what they count."""
NEWEST = "newest"
"""The cell of an account with the time of its latest usage, where a rule asks for it."""


def full_hour(moment: int) -> int:
    """The full hour at the moment or after it."""
    return -(-moment // HOUR) * HOUR


def _account(step: Step) -> tuple[str, ...]:
    return ("account", step.tenant, step.account)


def _hours(step: Step, key: str) -> tuple[str, ...]:
    return ("tally", step.tenant, step.account, key)


def _periods(step: Step, key: str) -> tuple[str, ...]:
    return ("tally", step.tenant, step.account, key, "period")


def _windows(step: Step) -> tuple[str, ...]:
    return ("tallied", step.tenant, step.account)


def _name(key: str, over: int) -> str:
    return f"{over}|{key}"


def _held(step: Step, key: str, over: int) -> Window | None:
    found: Window | None = step.cells.get(_windows(step), _name(key, over))
    return found


def follow(step: Step, new: bool) -> None:
    """Keep what the rules in force ask for, and nothing else. `new`: the account has had no usage before this step."""
    rules, place = step.catalog.rules, _account(step)
    if (step.cells.get(place, FOLLOWED) or "") == rules.mark:
        return
    if step.cells.get(place, "subscriptions") is None:
        return
    since = 0 if new else step.now
    for series in rules.series.values():
        for over in (*series.overs, *((PERIOD,) if series.period else ())):
            if _held(step, series.key, over) is None:
                step.cells.put(_windows(step), _name(series.key, over), _begun(step, series, over, since))
    _forget(step)
    if rules.idle and not new and step.cells.get(place, NEWEST) is None:
        step.cells.put(place, NEWEST, max((newest(step, sub, 0) for sub in step.subscriptions()), default=-1))
    step.cells.put(place, FOLLOWED, rules.mark or None)


def _begun(step: Step, series: Series, over: int, since: int) -> Window:
    """A window that is new: over what a longer one of the same series keeps already."""
    if over == PERIOD:
        return Window(0, 0, NEVER, since)
    longer = [
        found for name, found in step.cells.members(_windows(step))
        if name.partition("|")[2] == series.key and int(name.partition("|")[0]) > over
    ]  # fmt: skip
    start = _start(step, over)
    mine = [
        (int(hour), amount)
        for hour, amount in step.cells.members(_hours(step, series.key))
        if int(hour) >= start
    ]
    first = min((hour for hour, _ in mine), default=NEVER)
    return Window(
        start, sum(amount for _, amount in mine), first, min([since, *(each.since for each in longer)])
    )


def _forget(step: Step) -> None:
    """Drop what no rule asks for any more."""
    series = step.catalog.rules.series
    for name, _ in list(step.cells.members(_windows(step))):
        over, _, key = name.partition("|")
        asked = series.get(key)
        if asked is None or (int(over) not in asked.overs if int(over) else not asked.period):
            step.cells.put(_windows(step), name, None)
            since = _start(step, asked.overs[-1]) if asked is not None and asked.overs else NEVER
            _drop_before(step, _hours(step, key), since)
            if asked is None or not asked.period:
                for member, _ in list(step.cells.members(_periods(step, key))):
                    step.cells.put(_periods(step, key), member, None)
    if not step.catalog.rules.idle:
        step.cells.put(_account(step), NEWEST, None)


def count(step: Step, facts: Facts) -> None:
    """Let what the step brought count."""
    follow(step, facts.new)
    rules = step.catalog.rules
    if step.cells.get(_account(step), FOLLOWED) is None:
        return
    for series in rules.series.values():
        if series.overs:
            for hour, amount in hours(step, facts, series).items():
                _add(step, series, hour, amount)
        if series.period:
            place = _periods(step, series.key)
            for name, amount in periods(step, facts, series).items():
                step.cells.put(place, name, ((step.cells.get(place, name) or 0) + amount) or None)
    if rules.idle:
        last = last_used(facts)
        if last > (step.cells.get(_account(step), NEWEST) or -1):
            step.cells.put(_account(step), NEWEST, last)


def _add(step: Step, series: Series, hour: int, amount: int) -> None:
    longest = _held(step, series.key, series.overs[-1])
    if not amount or longest is None or hour < longest.start:
        return
    place, name = _hours(step, series.key), f"{hour:020d}"
    step.cells.put(place, name, ((step.cells.get(place, name) or 0) + amount) or None)
    for over in series.overs:
        held = _held(step, series.key, over)
        if held is not None and hour >= held.start:
            after = held._replace(total=held.total + amount, first=min(held.first, hour))
            step.cells.put(_windows(step), _name(series.key, over), after)


def _start(step: Step, over: int) -> int:
    return (step.now - over) // HOUR * HOUR


def advance(step: Step) -> None:
    """Move every window to where it is now."""
    for series in step.catalog.rules.series.values():
        for over in series.overs:
            held = _held(step, series.key, over)
            start = _start(step, over)
            if held is not None and start > held.start:
                after = (
                    _moved(step, series, held, start) if held.first < start else held._replace(start=start)
                )
                step.cells.put(_windows(step), _name(series.key, over), after)
                if over == series.overs[-1] and held.first < start:
                    _drop_before(step, _hours(step, series.key), start)


def _moved(step: Step, series: Series, held: Window, start: int) -> Window:
    total, first = held.total, NEVER
    for name, amount in step.cells.members(_hours(step, series.key)):
        hour = int(name)
        if hour >= start:
            first = hour
            break
        if hour >= held.start:
            total -= amount
    return held._replace(start=start, total=total, first=first)


def _drop_before(step: Step, place: tuple[str, ...], start: int) -> None:
    for name, _ in list(step.cells.members(place)):
        if int(name) >= start:
            break
        step.cells.put(place, name, None)


def total(step: Step, key: str, over: int) -> tuple[int | None, list[int]]:
    """What a window of a length comes to as far as it was advanced, `None` where not all of it was kept, and when time
    alone moves it next."""
    held = _held(step, key, over)
    if held is None:
        return (0 if step.cells.get(_account(step), "subscriptions") is None else None), []
    leaves = [] if held.first == NEVER else [held.first + HOUR + over]
    if held.start < held.since:
        return None, [*leaves, full_hour(held.since) + over]
    return held.total, leaves


def of_period(step: Step, key: str, sub: Subscription, start: int) -> int | None:
    """What a billing period of a subscription comes to, `None` where not all of it was kept."""
    held = _held(step, key, PERIOD)
    if held is None or max(start, sub.start) < held.since:
        return None
    return step.cells.get(_periods(step, key), f"{sub.id}|{start}") or 0


def keep_periods(step: Step, since: Mapping[str, int]) -> None:
    """Forget the billing periods that began before a moment of their subscription, and those of other subscriptions."""
    for series in step.catalog.rules.series.values():
        place = _periods(step, series.key)
        for name, _ in list(step.cells.members(place)) if series.period else ():
            sub, _, start = name.rpartition("|")
            if int(start) < since.get(sub, NEVER):
                step.cells.put(place, name, None)


def idle_since(step: Step) -> int | None:
    """The time of the account's latest usage."""
    found = step.cells.get(_account(step), NEWEST)
    return None if found is None or found < 0 else int(found)
