"""What time alone does to an account, each at its own due time, in order: at a moment what begins and ends there, then,
a grace later, what is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rating import burndown, close, forget, outcomes, subscriptions, waiting
from rating.limits.look import next_look
from rating.rules import look as rules
from rating.state import NEVER, Grant, Subscription
from rating.step import Step
from rating.timeline import Timeline, length_at, spell_at, timeline
from rating.times import HOUR

GRACE = HOUR
RULES = 8
"""The rank of the look at rules: what else is due on that hour comes before."""


class Timer(NamedTuple):
    """`rank` orders what is due at the same moment: a look at limits, which every step ends with, boundaries, then minimum and true-up, expiries, rollovers, close lines,
    then cleaning, and at last the look at rules."""

    due: int
    rank: int
    order: int
    fire: Callable[[Step], None]


def next_timer(step: Step, accept_past: int) -> Timer | None:
    """The account's next timer, or `None`."""
    return min(_timers(step, accept_past), key=lambda timer: timer[:3], default=None)


def _timers(step: Step, accept_past: int) -> Iterator[Timer]:
    grace = GRACE
    for sub in step.subscriptions():
        known = timeline(step, sub)
        grace = max(grace, *(step.plan(sub, terms).grace for terms in known.terms))
        boundary = subscriptions.next_boundary(step, sub)
        if boundary < NEVER:
            yield Timer(boundary, 0, sub.order, _boundary(sub, boundary))
        if sub.closing:
            yield Timer(sub.closing[0].due, 4 if sub.closing[0].told else 1, sub.order, _closing(sub))
        cleaned = forget.next_due(step, known, accept_past)
        if cleaned is not None:
            yield Timer(cleaned, 6, sub.order, forget.clean(known))
    for key, grant in burndown.grants(step):
        if grant.ended:
            continue
        if grant.expires < NEVER:
            yield Timer(grant.expires + grace, 2, grant.order, _expire(key, grant))
        if grant.rollover is not None and grant.rolled < min(grant.expires, NEVER):
            yield Timer(grant.rolled + grace, 3, grant.order, _roll(key, grant))
    look = next_look(step)
    if look is not None:
        yield Timer(look, -1, 0, lambda step: None)
    asked = rules.next_look(step)
    if asked is not None:
        yield Timer(asked, RULES, 0, rules.look)
    oldest = waiting.oldest(step)
    if oldest is not None:
        due = oldest + accept_past + 1
        yield Timer(due, 5, 0, lambda step: waiting.expire(step, step.now - accept_past - 1))
    settled = outcomes.oldest(step)
    if settled is not None:
        yield Timer(settled + accept_past + HOUR, 7, 0, outcomes.clean)


def _boundary(sub: Subscription, at: int) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        subscriptions.pass_boundary(step, sub, at)
        if at == sub.start:
            waiting.rate_waiting(step)

    return fire


def _closing(sub: Subscription) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        first, rest = sub.closing[0], sub.closing[1:]
        if first.told:
            after = sub._replace(closing=rest)
            close.tell(step, after, first)
        else:
            after = sub._replace(closing=tuple(sorted((*rest, first._replace(told=True)))))
            close.close(step, after, first)
        step.save(after)

    return fire


def _roll(key: str, grant: Grant) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        burndown.roll(step, key, grant, _next_roll(step, grant))

    return fire


def _next_roll(step: Step, grant: Grant) -> int:
    subs = step.subscriptions()
    if grant.subscription is not None:
        mine = [sub for sub in subs if sub.id == grant.subscription]
        length = grant.every or None
    else:
        mine, length = [sub for sub in subs if sub.end == NEVER][:1], None
    if not mine or mine[0].end != NEVER:
        return NEVER
    return _after(step, timeline(step, mine[0]), grant.rolled, length)


def _after(step: Step, known: Timeline, moment: int, length: str | None) -> int:
    if length is None:
        return spell_at(step.catalog, known, moment).nominal
    return length_at(step.catalog, known, moment, length).nominal


def _expire(key: str, grant: Grant) -> Callable[[Step], None]:
    def fire(step: Step) -> None:
        burndown.end(step, key, grant._replace(ended="expire"), "expire", grant.balance)

    return fire
