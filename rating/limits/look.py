"""The look at an account's limits that ends each of its steps: usage counts, thresholds are crossed, actions are taken.

    facts of the step ─> windows ─> values ─> records of what was crossed ─> actions (another plan, a trial's end)

A limit that is new, or comes back with a plan, counts what its window holds already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from rating import tree
from rating.catalog import Limit, limit_from
from rating.catalog.limits import ACCESS, FIRST_USE, PERIOD, SLIDING
from rating.catalog.tenants import TENANT
from rating.facts import Facts
from rating.limits import actions, crossings, gauges, standing
from rating.limits.bounds import Held, bucket, holding, named
from rating.limits.crossings import Seen
from rating.limits.entries import before, entries
from rating.limits.state import Bound, Gauge
from rating.state import NEVER, TENANT_ACCOUNT
from rating.step import Step
from rating.timeline import spell_at, timeline

NEXT = "look"
"""The cell of an account that says when time alone moves one of its limits."""


def look(step: Step, facts: Facts) -> tuple[list[Seen], list[Held]]:
    """Look at all limits of the account; what each window comes to, and which limits hold."""
    holds = holding(step)
    for name, bound in list(named(step)):
        if name not in holds:
            _let_go(step, name, bound)
    seen, subs = list[Seen](), step.subscriptions()
    for held in list(holds.values()):
        seen += _look_at(step, holds.get(held.id, held), facts)
        if step.subscriptions() != subs:
            # Its action has changed one: windows may end with that.
            holds, subs = holding(step), step.subscriptions()
            seen = [_cut(step, each, holds) for each in seen]
    _note_next(step, seen)
    return seen, list(holds.values())


def _cut(step: Step, seen: Seen, holds: Mapping[str, Held]) -> Seen:
    """A window as it ends now."""
    held = holds.get(seen.held.id, seen.held)
    if held.limit.window == PERIOD and not held.limit.falls and seen.gauge.end != NEVER:
        return Seen(held, seen.gauge._replace(end=held.window(step, seen.gauge.start)[1]), seen.value)
    return seen._replace(held=held)


def next_look(step: Step) -> int | None:
    """When the account's limits are looked at next though nothing happens."""
    found: int | None = step.cells.get(("account", step.tenant, step.account), NEXT)
    return found


def ask(step: Step, account: str) -> None:
    """Have another account's limits and access looked at in a step of its own, due now, where it has any."""
    has = (step.cells.members((kind, step.tenant, account)) for kind in ("bound", "entitlement"))
    if any(next(iter(each), None) is not None for each in has):
        place = ("account", step.tenant, account)
        step.cells.put(place, NEXT, min(step.cells.get(place, NEXT) or step.now, step.now))
        step.woken.append(account)


def wants_events(step: Step) -> bool:
    """Whether some limit needs to know what each event costs."""
    return any(held.limit.metric == "spend" and not held.limit.of_period for held in holding(step).values())


def _look_at(step: Step, held: Held, facts: Facts) -> list[Seen]:
    text = json.dumps(held.limit.doc, sort_keys=True)
    bound: Bound | None = step.cells.get(bucket(step), held.id)
    if bound is None or bound.away:
        _begin(step, held, bound or Bound(text), text)
    elif bound.doc != text:
        _replace(step, held, bound, text)
    else:
        gauges.count(step, held, entries(step, held, facts))
    found = []
    for gauge in _windows(step, held):
        at = gauges.leave(step, held, gauge)
        value = _value(step, held, at)
        after = crossings.cross(step, Seen(held, at, value))
        if after.acting != gauge.acting:
            _turn(step, held, after)
        _keep(step, held, gauge, after)
        if after.end > step.now:
            found.append(Seen(held, after, value))
    if not found and held.limit.scope != "subject":
        # Nothing counts yet: it stands for the limit in what access tells, and no time moves it.
        found.append(Seen(held, Gauge("", 0, NEVER), 0))
    return found


def _turn(step: Step, held: Held, gauge: Gauge) -> None:
    """`amount` is reached now (`gauge.acting`), or not any more: the plan follows, and access of the account and of those that it
    counts, theirs each in a step of its own."""
    actions.turn(step, held, gauge)
    if held.limit.scope == "account" and held.limit.action in ACCESS:
        for below in tree.descendants(step.cells, step.tenant, step.account):
            ask(step, below)


def _begin(step: Step, held: Held, bound: Bound, text: str) -> None:
    """A limit begins to hold, or comes back: the windows that usage opened while it held before stand."""
    same = _measure(limit_from(json.loads(bound.doc))) == _measure(held.limit)
    for gauge in gauges.gauges(step, held):
        gauges.drop(step, held, gauge)
        if same and gauge.end + held.limit.length > step.now:
            gauges.save(step, held, gauge._replace(kept=None))
    step.cells.put(bucket(step), held.id, Bound(text, bound.records))
    gauges.count(step, held, before(step, held))


def _windows(step: Step, held: Held) -> list[Gauge]:
    """The windows to look at: those that are kept, and the one that stands in state."""
    kept = gauges.gauges(step, held)
    if held.limit.window == PERIOD and not held.limit.falls:
        start, end = held.window(step, step.now)
    else:
        start, end = 0, NEVER
    if not (held.limit.falls or held.limit.of_period):
        # A period that ends early ends its window.
        there = [
            each
            if each.start > start
            else each._replace(end=end if each.start == start else min(each.end, start))
            for each in kept
        ]
        return [*there, *_carried(step, held, there)]
    ended = [each._replace(end=min(each.end, start)) for each in kept if each.start != start]
    mine = next((each for each in kept if each.start == start), Gauge("", start, end))
    return [*ended, mine._replace(end=end)]


def _carried(step: Step, held: Held, there: Iterable[Gauge]) -> list[Gauge]:
    """The window of now, where nothing was used in it and a level goes on."""
    if held.limit.window in (FIRST_USE, SLIDING) or not gauges.carries(step, held):
        return []
    start, end = held.window(step, step.now)
    none = all(each.start != start for each in there)
    return [Gauge("", start, end)] if none and gauges.carry(step, held, start) else []


def _value(step: Step, held: Held, gauge: Gauge) -> int:
    limit = held.limit
    if limit.falls:
        return standing.balance(step, limit.unit or "")
    if gauge.end <= step.now:
        return _after(step, held, gauge)
    if limit.of_period:
        assert held.known is not None, "it is a subscription's"
        return standing.spent(step, held.known, spell_at(step.catalog, held.known, gauge.start))
    return gauges.value(step, held, gauge)


def _after(step: Step, held: Held, gauge: Gauge) -> int:
    """What the window has that follows one that is over."""
    for each in gauges.gauges(step, held):
        if each.subject == gauge.subject and each.start == gauge.end:
            return _value(step, held, each) if each.end > step.now else 0
    return sum(gauges.value(step, held, each) for each in _carried(step, held, ()))


def _keep(step: Step, held: Held, was: Gauge, after: Gauge) -> None:
    limit = held.limit
    if after.end <= step.now:
        if limit.window != FIRST_USE or after.end + limit.length <= step.now:
            gauges.drop(step, held, after)
            return
    elif limit.falls or limit.of_period:
        if not (after.reached or after.acting or after.quiet > step.now):
            if was.reached or was.acting or was.quiet:
                gauges.drop(step, held, after)
            return
    elif limit.window == SLIDING and not (after.reached or after.acting or _holds(step, held, after)):
        gauges.drop(step, held, after)
        return
    if step.cells.get(gauges.bucket(step, held), gauges.member(after)) != after:
        gauges.save(step, held, after)


def _holds(step: Step, held: Held, gauge: Gauge) -> bool:
    """Whether a sliding window has something in it, though it may come to nothing."""
    return gauges.next_leaving(step, held, gauge) != NEVER


def _replace(step: Step, held: Held, bound: Bound, text: str) -> None:
    """The limit says something else now: what it counted stays where it counts the same."""
    old = limit_from(json.loads(bound.doc))
    same = _measure(old) == _measure(held.limit)
    was = held._replace(limit=old)
    for gauge in _windows(step, was):
        value = _value(step, was, gauge)
        if gauge.end <= step.now:
            _end(step, was, gauge, value)
        else:
            after = crossings.replaced(step, Seen(held, gauge, value), old, same)
            if gauge.acting and (not same or _effect(old) != _effect(held.limit)):
                after = after._replace(acting=False)
                _turn(step, was, after)
            _keep(step, held, gauge, after)
        if not same:
            gauges.drop(step, held, gauge)
    now: Bound = step.cells.get(bucket(step), held.id)
    step.cells.put(bucket(step), held.id, now._replace(doc=text))
    if not same:
        gauges.count(step, held, before(step, held))


def _end(step: Step, held: Held, gauge: Gauge, value: int) -> None:
    """A window that is over when its limit is replaced recovers as the limit was."""
    after = crossings.cross(step, Seen(held, gauge, value))
    if gauge.acting:
        _turn(step, held, after)
    _keep(step, held, gauge, after)


def _measure(limit: Limit) -> tuple[object, ...]:
    return (
        limit.metric, limit.meter, limit.feature, limit.filter, limit.unit, limit.window, limit.length, limit.scope,
        limit.subject, limit.doc.get("currency") if limit.scope == TENANT else None,
    )  # fmt: skip


def _effect(limit: Limit) -> tuple[object, ...]:
    return limit.action, limit.plan


def _let_go(step: Step, name: str, bound: Bound) -> None:
    """A limit that does not hold any more."""
    limit = limit_from(json.loads(bound.doc))
    only = name.partition("|")[2] or None
    sub = step.cells.get(("sub", step.tenant, step.account), only) if only else None
    held = Held(name, limit, None if sub is None else timeline(step, sub), only)
    for gauge in gauges.gauges(step, held):
        after = crossings.cross(step, Seen(held, gauge._replace(end=min(gauge.end, step.now)), 0))
        if gauge.acting:
            _turn(step, held, after)
        gauges.drop(step, held, gauge)
        if limit.window == FIRST_USE and gauge.end + limit.length > step.now:
            gauges.save(step, held, Gauge(gauge.subject, gauge.start, gauge.end))
    now: Bound = step.cells.get(bucket(step), name)
    step.cells.put(bucket(step), name, Bound(now.doc, now.records, away=True))


def _note_next(step: Step, seen: Iterable[Seen]) -> None:
    moments = {*standing.moments(step), *(bound.until for _, bound in named(step))}
    if step.account == TENANT_ACCOUNT:
        moments |= {each.since for each in step.catalog.tenant.limits}
    for held, gauge, value in seen:
        moments |= {gauge.end}
        if held.limit.window == SLIDING:
            moments |= {gauges.next_leaving(step, held, gauge)}
        if held.limit.counted(value) > gauge.reached:
            moments |= {gauge.quiet}
    coming = min((moment for moment in moments if step.now < moment < NEVER), default=None)
    if coming != next_look(step):
        step.cells.put(("account", step.tenant, step.account), NEXT, coming)
