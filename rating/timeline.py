"""A subscription's time: on which terms it is at a moment, in which period that falls, and how long it runs.

Its terms are booked when their moment comes; those that are known before (a trial's end, a change that waits for the
period's end, a newer version with `existing`) already rate the usage that comes ahead of the clock. A newer version
takes over at a period's start (`renewal`) or at its time, never before it was published.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from rating.catalog import Catalog, Plan
from rating.periods import Calendar
from rating.state import NEVER, Subscription, Terms
from rating.step import Step

SELECTORS = ("storefront", "region", "channel")


class Spell(NamedTuple):
    """A billing period of a subscription: `[start, end)` as it is, `nominal` its end had nothing cut it short, `stop` where
    a whole one begins in its place."""

    start: int
    end: int
    nominal: int
    length: str
    stop: int


class Timeline(NamedTuple):
    """The terms in order, and the time that the subscription runs, as far as is known."""

    sub: Subscription
    terms: tuple[Terms, ...]
    end: int

    def at(self, moment: int) -> int:
        """Which terms hold at the moment; the first ones hold before it too."""
        terms = self.terms
        if len(terms) == 1:
            return 0
        found = 0
        for number in range(1, len(terms)):
            if terms[number].start <= moment:
                found = number
        return found

    def holding(self, moment: int) -> Terms:
        """The terms that hold at the moment."""
        return self.terms[self.at(moment)]

    def runs_at(self, moment: int) -> bool:
        """Whether usage of the moment is rated."""
        return self.sub.start <= moment < self.end

    def trial_span(self, moment: int) -> tuple[int, int]:
        """The time around a moment that is all of a trial, or all of none: before the first change and after the last it has
        no end."""
        begin = end = self.at(moment)
        while begin and self.terms[begin - 1].trial == self.terms[begin].trial:
            begin -= 1
        while end < len(self.terms) and self.terms[end].trial == self.terms[begin].trial:
            end += 1
        last = len(self.terms)
        return self.terms[begin].start if begin else -NEVER, self.terms[end].start if end < last else NEVER

    def era(self, index: int) -> tuple[Terms, int]:
        """The terms whose periods are counted at these terms, and where the next whole period cuts them off."""
        begin = index
        while begin and not self.terms[begin].restarts:
            begin -= 1
        end = next((each.start for each in self.terms[index + 1 :] if each.restarts), NEVER)
        return self.terms[begin], end


def timeline(step: Step, sub: Subscription) -> Timeline:
    """What is known of the subscription's time."""
    return timeline_in(step.catalog, sub)


def timeline_in(catalog: Catalog, sub: Subscription) -> Timeline:
    """What was known of it while a catalog was in force."""
    if not sub.planned and not catalog.moving:
        return Timeline(sub, sub.terms, sub.end)
    terms, end = sub.terms, sub.end
    for change in sub.planned:
        if change.kind == "cancel":
            end = min(end, change.at)
        elif change.terms is not None:
            terms = inserted(terms, change.terms)
    if sub.end == NEVER:
        terms = _moved(catalog, sub, terms)
    return Timeline(sub, terms, end)


def inserted(terms: tuple[Terms, ...], new: Terms) -> tuple[Terms, ...]:
    """The terms with new ones from their start on, in place of those that begin then."""
    return tuple(sorted((*(each for each in terms if each.start != new.start), new)))


def applied(catalog: Catalog, held: Terms, change: Terms) -> Terms:
    """A change's terms on other terms before it: what it named is its own, the rest is theirs. One at the very moment at
    which they begin is one change with theirs."""
    asked = json.loads(change.asked)
    plan = catalog.plans[(change if asked.get("plan") else held)[1:3]]
    restarts = asked.get("anchor") == "now" or plan.period != catalog.plans[held.plan, held.version].period
    anchor = change.start if restarts else held.anchor
    if held.start == change.start:
        restarts = restarts or held.restarts
        earlier = json.loads(held.asked) if held.asked else {}
        asked = {**earlier, **asked, **({"anchor": "now"} if restarts and earlier else {})}
    overrides = json.dumps(asked["overrides"]) if "overrides" in asked else held.overrides
    return held._replace(
        start=change.start, plan=plan.key, version=plan.version, overrides=overrides, restarts=restarts,
        anchor=anchor, automatic=False, asked=json.dumps(asked),
        trial=held.trial and not asked.get("plan"),
        **{name: asked[name] for name in SELECTORS if name in asked},
    )  # fmt: skip


def _moved(catalog: Catalog, sub: Subscription, terms: tuple[Terms, ...]) -> tuple[Terms, ...]:
    """The terms with the newer versions that running subscriptions move to, after what is booked."""
    for plan in catalog.moving:
        for number, held in enumerate(terms):
            if held.plan != plan.key or held.version >= plan.version:
                continue
            until = terms[number + 1].start if number + 1 < len(terms) else NEVER
            at = _move_at(catalog, Timeline(sub, terms, NEVER), held, plan)
            if at > sub.cursor and held.start <= at < until:
                another, same = catalog.plans[held.plan, held.version].period != plan.period, at == held.start
                newer = held._replace(
                    start=at, version=plan.version, restarts=another or (same and held.restarts),
                    anchor=at if another else held.anchor, automatic=True, asked=held.asked if same else "",
                )  # fmt: skip
                terms = inserted(terms, newer)
                break
    return terms


def _move_at(catalog: Catalog, known: Timeline, held: Terms, plan: Plan) -> int:
    """When a subscription that is on an older version of the plan moves to this one."""
    published = catalog.published.get((plan.key, plan.version), 0)
    if isinstance(plan.existing, int):
        return max(plan.existing, published)
    begun = held.start + (held.start == known.sub.start)
    earliest = max(plan.effective_from, published, begun, known.sub.cursor + 1)
    found = spell_at(catalog, known, earliest)
    return found.start if found.start == earliest else found.nominal


def spell_at(catalog: Catalog, known: Timeline, moment: int) -> Spell:
    """The billing period that holds the moment."""
    return length_at(catalog, known, moment, None)


def length_at(catalog: Catalog, known: Timeline, moment: int, length: str | None) -> Spell:
    """The period of a length (the plan's own unless given) that holds the moment, counted as the plan's are."""
    head, cut = known.era(known.at(moment))
    calendar = calendar_of(catalog, known.sub, head, length)
    return spell_of(calendar, moment, cut, known.sub.end)


def calendar_of(catalog: Catalog, sub: Subscription, head: Terms, length: str | None = None) -> Calendar:
    """How periods of a length (the plan's own unless given) are counted from terms on."""
    size = length or catalog.plans[head.plan, head.version].period
    return Calendar(size, sub.timezone, head.anchor if head.anchor >= 0 else None)


def spell_of(calendar: Calendar, moment: int, cut: int, end: int) -> Spell:
    """The calendar's period that holds the moment, where a whole one begins at `cut` and the subscription ends at `end`."""
    found = calendar.at(moment)
    stop = min(found.end, cut)
    return Spell(found.start, min(stop, end), found.end, calendar.length, stop)
