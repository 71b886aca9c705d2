"""What time alone does to an account, each at its own due time, in order: at a moment what begins and ends there, then,
a grace later, what is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rating import burndown, close, subscriptions, waiting
from rating.places import calendar
from rating.state import NEVER, Grant, Subscription
from rating.step import Step
from rating.times import HOUR

GRACE = HOUR


class Timer(NamedTuple):
    """`rank` orders what is due at the same moment: boundaries, then closes, rollovers, expiries, then cleaning."""

    due: int
    rank: int
    order: int
    fire: Callable[[Step], None]


def next_timer(step: Step, accept_past: int) -> Timer | None:
    """The account's next timer, or `None`."""
    return min(_timers(step, accept_past), key=lambda timer: timer[:3], default=None)


def _timers(step: Step, accept_past: int) -> Iterator[Timer]:
    subs = step.subscriptions()
    grace = GRACE
    for sub in subs:
        plan = step.plan(sub)
        grace = max(grace, plan.grace)
        boundary = subscriptions.next_boundary(sub, plan)
        if boundary < NEVER:
            yield Timer(boundary, 0, sub.order, _boundary(sub, boundary))
        if sub.closing:
            yield Timer(sub.closing[0].due, 1, sub.order, _closing(sub))
        cleaned = _next_clean(sub, plan.period, accept_past)
        if cleaned is not None:
            yield Timer(cleaned, 5, sub.order, _clean(sub))
    for key, grant in step.cells.members(("grant", step.tenant, step.account)):
        if grant.ended:
            continue
        if grant.rollover is not None and grant.rolled < NEVER:
            yield Timer(grant.rolled + grace, 2, grant.order, _roll(key, grant))
        if grant.expires < NEVER:
            yield Timer(grant.expires + grace, 3, grant.order, _expire(key, grant))
    oldest = waiting.oldest(step)
    if oldest is not None:
        yield Timer(
            oldest + accept_past + 1, 4, 0, lambda step: waiting.expire(step, step.now - accept_past - 1)
        )


def _boundary(sub: Subscription, at: int) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        subscriptions.pass_boundary(step, sub, step.plan(sub), at)
        if at == sub.start:
            waiting.rate_waiting(step)

    return fire


def _closing(sub: Subscription) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        step.save(sub._replace(closing=sub.closing[1:]))
        close.close(step, sub, step.plan(sub), sub.closing[0])

    return fire


def _roll(key: str, grant: Grant) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        running = [sub for sub in step.subscriptions() if sub.end == NEVER]
        after = NEVER
        if running:
            after = calendar(running[0], step.plan(running[0]).period).at(grant.rolled).end
        burndown.roll(step, key, grant, after)

    return fire


def _expire(key: str, grant: Grant) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        burndown.end(step, key, grant._replace(ended="expire"), "expire", grant.balance)

    return fire


def _next_clean(sub: Subscription, length: str, accept_past: int) -> int | None:
    """When the oldest period that is still kept can be forgotten: nothing of it is accepted any more."""
    if sub.cleaned >= sub.end:
        return None
    return calendar(sub, length).at(sub.cleaned).end + accept_past + HOUR


def _clean(sub: Subscription) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        end = calendar(sub, step.plan(sub).period).at(sub.cleaned).end
        keys = ("charge", step.tenant, step.account, sub.id)
        for member, _ in list(step.cells.members(keys)):
            charge, _, start = member.rpartition("|")
            fee = next((each for each in step.plan(sub).fees if each.key == charge), None)
            if int(start) >= end or (fee is not None and fee.every not in ("period",)):
                continue
            _forget(step, sub, charge, start)
            step.cells.put(keys, member, None)
        step.save(sub._replace(cleaned=end))

    return fire


def _forget(step: Step, sub: Subscription, charge: str, start: str) -> None:
    groups = ("group", step.tenant, step.account, sub.id, charge, start)
    for values, _ in list(step.cells.members(groups)):
        counted = ("value", *groups[1:], values)
        for member, _ in list(step.cells.members(counted)):
            step.cells.put(counted, member, None)
        step.cells.put(groups, values, None)
