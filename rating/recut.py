"""Usage that is rated already and that a change dates back over: moved, event by event, to where it belongs now.

Usage of the moment of a change or later is taken out of the segment, period or subscription in which it was rated, hour by
hour, and then put where the new timeline has it. Most changes come before any such usage and move nothing; only the others
ask for the history.
"""

from __future__ import annotations

from collections.abc import Iterable

from rating import outcomes, rate, waiting
from rating.bunch import bunches_of
from rating.ids import event_uid
from rating.settle import resettle
from rating.state import Subscription, Waiting
from rating.step import Step
from rating.timeline import Timeline, spell_at, timeline
from rating.times import HOUR


def recut(step: Step, before: Subscription, after: Subscription, since: int) -> None:
    """The subscription's usage from `since` on follows its new timeline; its cell holds the new one already."""
    old, new = timeline(step, before), timeline(step, after)
    latest = newest(step, before, since)
    if latest >= since and not _same(step, old, new, since, latest):
        events = [
            event
            for event in step.history(step.tenant, step.account, since, latest + 1)
            if event.subscription in (None, before.id) and old.runs_at(event.time)
        ]
        rated = [outcomes.without(step, event) for event in events]
        for event in outcomes.counted_since(step, since):
            if event.subscription in (None, before.id) and old.runs_at(event.time):
                rated.append(event._replace(counted=True))
        hours = _by_hour(rated)
        # All of it goes before any of it comes: a group is priced by one timeline at a time.
        for events_of_hour in reversed(hours):
            rate.rate_in(step, old, [(bunches_of(events_of_hour), -1)])
        for events_of_hour in hours:
            rate.rate_in(step, new, [(bunches_of(events_of_hour), 1)])
            _keep_what_runs_out(step, new, events_of_hour)
    # The period that ends there is in it too.
    resettle(step, new, since - 1)


def newest(step: Step, sub: Subscription, since: int) -> int:
    """The time of the subscription's latest usage, to the minute after where no charge is on it; before `since` where there
    is none."""
    found = [held.newest for _, held in step.cells.members(("charge", step.tenant, step.account, sub.id))]
    unpriced = step.cells.get(("unpriced", step.tenant, step.account), sub.id)
    return max([*found, *([] if unpriced is None else [unpriced])], default=since - 1)


def _same(step: Step, old: Timeline, new: Timeline, since: int, newest: int) -> bool:
    """Whether both timelines rate usage of `[since, newest]` the same."""
    moments = {
        since,
        newest,
        *(each.start for each in (*old.terms, *new.terms) if since < each.start <= newest),
    }
    return all(
        old.runs_at(moment) == new.runs_at(moment)
        and old.terms[old.at(moment)] == new.terms[new.at(moment)]
        and spell_at(step.catalog, old, moment)[:3:2] == spell_at(step.catalog, new, moment)[:3:2]
        for moment in moments
    )


def _by_hour(events: Iterable[Waiting]) -> list[list[Waiting]]:
    held: dict[int, list[Waiting]] = {}
    for event in events:
        held.setdefault(event.time // HOUR, []).append(event)
    return [held[hour] for hour in sorted(held)]


def _keep_what_runs_out(step: Step, new: Timeline, events: Iterable[Waiting]) -> None:
    for event in events:
        if not new.runs_at(event.time) and not waiting.runs(step, event.subscription, event.time):
            waiting.keep(step, event_uid(event.source, event.id), event)
