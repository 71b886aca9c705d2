"""Which limits hold for an account now: those of its plans, those that commands set, and those that changed a plan.

A limit is named within its account: one that a command set stands in place of a plan's of the same key. A limit of scope
`subscription` holds for each subscription by itself, every other once for the account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rating.accounts import timezone
from rating.catalog import Limit, limit_from
from rating.catalog.limits import CALENDAR, PERIOD
from rating.catalog.tenants import TENANT
from rating.limits.state import Bound
from rating.periods import Calendar
from rating.state import TENANT_ACCOUNT
from rating.step import Step
from rating.timeline import Timeline, spell_at, timeline


class Held(NamedTuple):
    """A limit that holds: `known` is its subscription's time, or that of the oldest one which runs; `only` the subscription
    that it is about, `None` where it is the account's."""

    id: str
    limit: Limit
    known: Timeline | None
    only: str | None

    def window(self, step: Step, moment: int) -> tuple[int, int]:
        """The period or calendar window that holds a moment."""
        if self.limit.window in CALENDAR:
            found = Calendar(self.limit.window, self.zone(step)).at(moment)
            return found.start, found.end
        assert self.known is not None, "a limit of a period is a subscription's"
        spell = spell_at(step.catalog, self.known, moment)
        if self.limit.of_period:
            return spell.start, spell.end
        # What is used in a trial counts in the trial alone.
        start, end = self.known.trial_span(moment)
        return max(spell.start, start), min(spell.end, end)

    def zone(self, step: Step) -> str:
        """The time zone of its days: its subscription's. An account's limit has that of the account's first subscription,
        also after that one has ended, so that no window changes while it is open."""
        if self.only is not None and self.known is not None:
            return self.known.sub.timezone
        return next((sub.timezone for sub in step.subscriptions()), timezone(step))

    def meter(self, step: Step) -> str | None:
        """The meter that it counts; `None` for all."""
        feature = self.limit.feature
        return self.limit.meter if feature is None else step.catalog.features[feature].meter


def bucket(step: Step) -> tuple[str, ...]:
    """Where the limits that have been looked at are noted."""
    return ("bound", step.tenant, step.account)


def set_bucket(step: Step) -> tuple[str, ...]:
    """Where the limits are that commands set, by key."""
    return ("limit", step.tenant, step.account)


class Own(NamedTuple):
    """A limit that a command set, for the one subscription `only` where it is not `None`, first at `since`."""

    limit: Limit
    only: str | None
    since: int


def set_limits(step: Step) -> dict[str, Own]:
    """The limits that commands set, by key."""
    return {
        key: Own(limit_from(json.loads(text)), only, since)
        for key, (text, only, since) in step.cells.members(set_bucket(step))
    }


def limits_of(step: Step, known: Timeline, own: Mapping[str, Own], moment: int) -> list[Limit]:
    """The limits of the plan that a subscription is on at a moment, but for those that one of its own stands in place of."""
    plan = step.plan(known.sub, known.holding(moment))
    return [
        limit
        for limit in plan.limits
        if limit.key not in own or own[limit.key].only not in (None, known.sub.id)
    ]


def running(step: Step) -> list[Timeline]:
    """The subscriptions that have begun and run now, oldest first."""
    return [
        timeline(step, sub)
        for sub in step.subscriptions()
        if sub.cursor >= sub.start and sub.start <= step.now < sub.end
    ]


def holding(step: Step) -> dict[str, Held]:
    """The limits that hold now, by id."""
    if step.account == TENANT_ACCOUNT:
        return {limit.key: Held(limit.key, limit, None, None) for limit in step.catalog.tenant.at(step.now)}
    found: dict[str, Held] = {}
    subs = running(step)
    own = set_limits(step)
    for known in subs:
        for limit in limits_of(step, known, own, step.now):
            _add(found, limit, known)
    for limit, only, _ in own.values():
        mine = [known for known in subs if only in (None, known.sub.id)]
        if limit.scope == "subscription" and not limit.falls:
            for known in mine:
                _add(found, limit, known)
        elif mine:
            _add(found, limit, mine[0])
        elif only is None and (limit.window != PERIOD or limit.falls):
            found[limit.key] = Held(limit.key, limit, None, None)
    for name, bound in step.cells.members(bucket(step)):
        if (bound.back or step.now < bound.until) and name not in found:
            for known in subs:
                if known.sub.id == bound.only:
                    _add(found, limit_from(json.loads(bound.doc)), known)
    return found


def _add(found: dict[str, Held], limit: Limit, known: Timeline) -> None:
    if limit.scope == TENANT:
        return
    one = limit.scope == "subscription" and not limit.falls
    name = f"{limit.key}|{known.sub.id}" if one else limit.key
    found.setdefault(name, Held(name, limit, known, known.sub.id if one else None))


def named(step: Step) -> Iterator[tuple[str, Bound]]:
    """The limits that held at the last look."""
    for name, bound in step.cells.members(bucket(step)):
        if not bound.away:
            yield name, bound
