"""Usage that is rated already and that a change dates back over: moved, event by event, to where it belongs now.

Usage of the moment of a change or later is taken out of the segment, period or subscription in which it was rated, hour by
hour, and then put where the new timeline has it. Most changes come before any such usage and move nothing; only the others
ask for the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rating import outcomes, pooled, waiting
from rating.bunch import bunches_of
from rating.ids import event_uid
from rating.settle import cut_off, resettle, withdraw
from rating.state import Subscription, Waiting
from rating.step import Step
from rating.timeline import Timeline, spell_at, timeline
from rating.times import HOUR


def recut(step: Step, before: Subscription | None, after: Subscription, since: int) -> None:
    """The subscription's usage from `since` on follows its new timeline, that of accounts below included; its cell holds
    the new one already. `before` is `None` where it is new: usage of its time may be rated without it."""
    move(step, None if before is None else timeline(step, before), timeline(step, after), since)


def move(step: Step, old: Timeline | None, new: Timeline, since: int) -> None:
    """The same between two timelines."""
    latest = newest(step, None if old is None else old.sub, since)
    hours: list[tuple[Step, list[Waiting]]] = []
    if latest >= since and (old is None or not _same(step, old, new, since, latest)):
        hours = [
            (user, hour)
            for user, events in counted_since(step, since, latest + 1)
            for hour in _by_hour(event for event in events if _ran(user, step, old, new, event))
        ]
    # All of it goes before any of it comes: a group is priced by one timeline at a time.
    for user, events in reversed(hours):
        pooled.leave(user, step, old, new, bunches_of(events))
    if old is not None and not (new.runs_at(since) and old.holding(since) == new.holding(since)):
        _withdraw(step, old, since)
    if old is not None:
        cut_off(step, old, new, since)
    for user, events in hours:
        pooled.come(user, step, old, new, bunches_of(events))
        _keep_what_runs_out(user, events)
    # The period that ends there is in it too.
    resettle(step, new, since - 1)


def _withdraw(step: Step, old: Timeline, since: int) -> None:
    """A period, or its first segment, that the change leaves no time to costs nothing, not even a flat amount."""
    spell = spell_at(step.catalog, old, since)
    if since == max(spell.start, old.sub.start):
        bucket = ("charge", step.tenant, step.account, old.sub.id)
        for member, _ in list(step.cells.members(bucket)):
            key, _, start = member.rpartition("|")
            if start == str(spell.start):
                withdraw(step, old, key, spell)


def newest(step: Step, sub: Subscription | None, since: int) -> int:
    """The time of the latest usage that the subscription has, or that a new one may find, to the minute after where no
    charge is on it; before `since` where there is none."""
    found = [since - 1, pooled.passed(step) or 0]
    for each in step.subscriptions() if sub is None else (sub,):
        held = step.cells.members(("charge", step.tenant, step.account, each.id))
        found += [period.newest for _, period in held]
        found.append(step.cells.get(("unpriced", step.tenant, step.account), each.id) or 0)
    return max(found)


def counted_since(step: Step, since: int, until: int) -> Iterator[tuple[Step, list[Waiting]]]:
    """What was used in `[since, until)`, by the account that used it, this one and those below; what waits for an outcome
    at the time at which one made it count."""
    found: dict[str, list[Waiting]] = {step.account: []}
    for account, event in step.history(step.tenant, step.account, since, until):
        found.setdefault(account, []).append(outcomes.without(step, event))
    for account, events in found.items():
        user = step.of(account)
        decided = (event._replace(counted=True) for event in outcomes.counted_since(user, since))
        yield user, [*events, *decided]


def _ran(user: Step, step: Step, old: Timeline | None, new: Timeline, event: Waiting) -> bool:
    """Whether a subscription ran for the event before: else it waits, and is rated from there."""
    for here in user.path():
        for known in pooled.timelines(here):
            if here.account == step.account and known.sub.id == new.sub.id:
                if old is None:
                    continue
                known = old
            if event.subscription in (None, known.sub.id) and known.runs_at(event.time):
                return True
    return False


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


def _keep_what_runs_out(user: Step, events: Iterable[Waiting]) -> None:
    for event in events:
        if not waiting.runs(user, event.subscription, event.time):
            waiting.keep(user, event_uid(event.source, event.id), event)
