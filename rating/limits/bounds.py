"""Which limits hold for an account now: those of its plans, those that commands set, and those that changed a plan.

A limit is named within its account: one that a command set stands in place of a plan's of the same key. A limit of scope
`subscription` holds for each subscription by itself, every other once for the account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from rating.catalog import Limit, limit_from
from rating.catalog.limits import CALENDAR, PERIOD
from rating.cells import Cells
from rating.periods import Calendar
from rating.state import Bound
from rating.step import Step
from rating.timeline import Timeline, spell_at, timeline


class Held(NamedTuple):
    """A limit that holds: `known` is its subscription's time, or that of the account's oldest one, which gives periods and
    time zone; `only` the subscription that it is about, `None` where it is the account's."""

    id: str
    limit: Limit
    known: Timeline | None
    only: str | None

    def window(self, step: Step, moment: int) -> tuple[int, int]:
        """The period or calendar window that holds a moment."""
        if self.limit.window in CALENDAR:
            zone = step.catalog.timezone if self.known is None else self.known.sub.timezone
            found = Calendar(self.limit.window, zone).at(moment)
            return found.start, found.end
        assert self.known is not None, "a limit of a period is a subscription's"
        spell = spell_at(step.catalog, self.known, moment)
        return spell.start, spell.end

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


def set_limits(step: Step) -> list[Limit]:
    """The limits that commands set."""
    return [limit_from(doc) for doc in own_limits(step.cells, step.tenant, step.account).values()]


def own_limits(cells: Cells, tenant: str, account: str) -> dict[str, Any]:
    """The documents of the limits that commands set of an account, by key."""
    return {key: json.loads(text) for key, (text, _) in cells.members(("limit", tenant, account))}


def running(step: Step) -> list[Timeline]:
    """The subscriptions that have begun and run now, oldest first."""
    return [
        timeline(step, sub)
        for sub in step.subscriptions()
        if sub.cursor >= sub.start and sub.start <= step.now < sub.end
    ]


def holding(step: Step) -> dict[str, Held]:
    """The limits that hold now, by id."""
    found: dict[str, Held] = {}
    subs = running(step)
    own = dict(step.cells.members(set_bucket(step)))
    for known in subs:
        plan = step.plan(known.sub, known.terms[known.at(step.now)])
        for limit in plan.limits:
            if not _replaced(own, limit.key, known.sub.id):
                _add(found, limit, known)
    for text, only in own.values():
        limit = limit_from(json.loads(text))
        mine = [known for known in subs if only in (None, known.sub.id)]
        if limit.scope == "subscription" and not limit.falls:
            for known in mine:
                _add(found, limit, known)
        elif mine:
            _add(found, limit, mine[0])
        elif only is None and (limit.window != PERIOD or limit.falls):
            found[limit.key] = Held(limit.key, limit, None, None)
    for name, bound in step.cells.members(bucket(step)):
        if bound.back and name not in found:
            for known in subs:
                if known.sub.id == bound.only:
                    _add(found, limit_from(json.loads(bound.doc)), known)
    return found


def _replaced(own: dict[str, tuple[str, str | None]], key: str, sub: str) -> bool:
    return key in own and own[key][1] in (None, sub)


def _add(found: dict[str, Held], limit: Limit, known: Timeline) -> None:
    if limit.scope == "tenant":
        return
    one = limit.scope == "subscription" and not limit.falls
    name = f"{limit.key}|{known.sub.id}" if one else limit.key
    found.setdefault(name, Held(name, limit, known, known.sub.id if one else None))


def named(step: Step) -> Iterator[tuple[str, Bound]]:
    """The limits that were looked at before."""
    yield from step.cells.members(bucket(step))
