"""The life of a subscription: its start, the moments at which something of it begins or changes, its end."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rating import accounts, fees, grants, numbers, trials
from rating.aggregations import LEVEL
from rating.catalog import Plan
from rating.catalog.catalog import watches
from rating.catalog.tenants import TENANT
from rating.errors import Refused
from rating.facts import WATCHED
from rating.records import Command
from rating.recut import recut
from rating.settle import settle
from rating.state import NEVER, Change, Closing, Subscription, Terms
from rating.step import Step
from rating.timeline import Timeline, inserted, length_at, spell_at, timeline
from rating.times import parse_time


def subscribe(step: Step, command: Command) -> Subscription:
    """A new subscription. Raises `Refused`."""
    fields = command.fields
    name = fields["subscription"]
    if step.cells.get(("sub", step.tenant, step.account), name) is not None:
        raise Refused(f"subscription {name} is there already: give it another name")
    start = parse_time(fields["start"])
    chosen = chosen_plan(step, fields["plan"], start, fields.get("plan_version"))
    trial = trials.trial_of(step, chosen, fields.get("trial", True))
    on = chosen if trial is None else chosen_plan(step, trial.plan, start, None)
    ends = start if trial is None else start + trial.duration
    anchor = fields.get("anchor")
    terms = Terms(
        start=start, plan=on.key, version=on.version, storefront=fields.get("storefront"),
        region=fields.get("region"), channel=fields.get("channel"),
        overrides=json.dumps(fields["overrides"]) if fields.get("overrides") else "",
        anchor=-1 if anchor is None else ends if anchor == "trial_end" else start if anchor == "start"
        else parse_time(anchor), restarts=True, trial=trial is not None,
    )  # fmt: skip
    planned = () if trial is None else (trials.end_of(step, trial, chosen, terms, ends),)
    order = (step.cells.get(("account", step.tenant, step.account), "subscriptions") or 0) + 1
    step.cells.put(("account", step.tenant, step.account), "subscriptions", order)
    sub = Subscription(
        id=name, order=order, start=start, end=NEVER, timezone=fields.get("timezone") or accounts.timezone(step),
        currency=fields.get("currency", chosen.currency), terms=(terms,), planned=planned, pauses=(),
        quantities=tuple(
            (start, key, numbers.quantity(value)) for key, value in sorted((fields.get("quantities") or {}).items())
        ),
        prorated=(),
        cursor=start - 1, closing=(), cleaned=start,
    )  # fmt: skip
    for each in (terms, *(change.terms for change in planned if change.terms is not None)):
        checked_plan(step, sub, each)
    step.save(sub)
    recut(step, None, sub, start)
    trials.told(step, chosen, trial, fields.get("trial", True))
    return sub


def chosen_plan(step: Step, key: str, at: int, version: int | None) -> Plan:
    """The plan's version that is taken at a moment. Raises `Refused`."""
    chosen = step.catalog.choose(key, at, version)
    if chosen is None:
        raise Refused(f"plan {key} has no version on offer that is in effect then: name one that has")
    return chosen


def checked_plan(step: Step, sub: Subscription, terms: Terms) -> Plan:
    """The subscription's plan on these terms. Raises `Refused` where it has another currency, or fees too fine."""
    plan = step.plan(sub, terms)
    if plan.currency != sub.currency:
        raise Refused(f"plan {plan.key} has no price in {sub.currency}: it is in {plan.currency}")
    fees.held(step, sub, terms, terms.start)
    named = json.loads(terms.overrides).get("limits") or () if terms.overrides else ()
    own = {each["key"] for each in named}
    for limit in plan.limits:
        if limit.scope == TENANT and limit.key in own:
            raise Refused(
                f"overrides.limits: {limit.key} is of the whole tenant, so no subscription changes it: leave it out"
            )
    if terms.overrides and watches(json.loads(terms.overrides)):
        step.cells.put(("account", step.tenant, step.account), WATCHED, True)
    return plan


def running(step: Step, command: Command) -> Subscription:
    """The subscription that a command names, which must run. Raises `Refused`."""
    name = command.fields["subscription"]
    found: Subscription | None = step.cells.get(("sub", step.tenant, step.account), name)
    if found is None or found.end != NEVER:
        raise Refused(f"subscription {name} {'is unknown' if found is None else 'has ended'}")
    return found


def lengths(plan: Plan) -> list[str]:
    """The calendar lengths that the plan counts in, its own first."""
    issued = (each.length for each in grants.of_plan(plan).values())
    return list(dict.fromkeys([plan.period, *(fees.length_of(plan, fee) for fee in plan.fees), *issued]))


def next_boundary(step: Step, sub: Subscription) -> int:
    """The next moment at which something of the subscription begins or changes; `NEVER` once it has ended."""
    if sub.end != NEVER:
        return NEVER
    if sub.cursor < sub.start:
        return sub.start
    known = timeline(step, sub)
    plan = step.plan(sub, known.terms[known.at(sub.cursor)])
    ends = (length_at(step.catalog, known, sub.cursor, length).nominal for length in lengths(plan))
    moves = (terms.start for terms in known.terms if terms.start > sub.cursor)
    turns = (low for low, _ in sub.pauses if low > sub.cursor)
    return min(*ends, *moves, *turns, *(change.at for change in sub.planned if change.at > sub.cursor), NEVER)


def paused(sub: Subscription) -> bool:
    """Whether the subscription is paused as far as is booked."""
    return bool(sub.pauses) and sub.pauses[-1][1] == NEVER


def pass_boundary(step: Step, sub: Subscription, at: int, was: Subscription | None = None) -> None:
    """Book a moment: the changes that waited for it, arrears of what ended, grants and fees of what begins. `was` is the
    subscription as it passed the moment before a change that came late, if it did."""
    from rating import changes

    first = sub.cursor < sub.start
    before = timeline(step, sub)
    due = [change for change in sub.planned if change.at <= at]
    booked = sub._replace(cursor=at, planned=tuple(each for each in sub.planned if each.at > at))
    held = before.holding(at)
    again = held.start == at and held.restarts and held in sub.terms and not first
    old = sub.terms[0] if first else before.terms[before.at(at - 1)]
    if not first:
        booked = booked._replace(closing=tuple(sorted({*booked.closing, *_ended(step, before, old, at)})))
    if again:
        booked = closed_early(step, before, booked, old, at)
    step.save(booked)
    for change in due:
        if change.kind == "change_plan" and change.terms is not None:
            terms = changes.resolved(step, booked, change)
            terms = terms._replace(start=at, automatic=not change.waits)
            booked = _onto(step, before, changes.with_prorate(booked, change), old, terms, first)
        elif change.kind in ("pause", "resume", "set_quantity"):
            booked = changes.with_change(booked, change, at)
        step.save(booked)
    if any(change.kind == "cancel" for change in due):
        end(step, changes.with_prorate(booked, next(each for each in due if each.kind == "cancel")), at)
        return
    # A newer version takes over after what was asked for at the same moment.
    moved = timeline(step, booked._replace(cursor=at - 1)).holding(at)
    if moved.start == at and moved not in booked.terms:
        due.append(Change("change_plan", at, None, moved, "", False))
        booked = _onto(step, before, booked, old, moved, first)
        step.save(booked)
    if due:
        recut(step, sub, booked, at)
    begin(step, was or sub, booked, old, at, first)


def _onto(
    step: Step, before: Timeline, sub: Subscription, old: Terms, new: Terms, first: bool
) -> Subscription:
    """The subscription on other terms, the period closed where a whole one begins with them."""
    after = sub._replace(terms=inserted(sub.terms, new))
    return closed_early(step, before, after, old, new.start) if new.restarts and not first else after


def begin(step: Step, before: Subscription, sub: Subscription, old: Terms, at: int, first: bool) -> None:
    """Grants and fees at a moment: of periods that begin there, and what changed within others. What `before` had passed
    already, only the difference is granted of."""
    known = timeline(step, sub)
    new = known.holding(at)
    had = grants.due(step, timeline(step, before), at) if at <= before.cursor else {}
    for length in () if first else lengths(step.plan(before, old)):
        fees.arrears(step, known, length, at)
    grants.change(step, known, at, grants.due(step, known, at), had)
    fees.settle(step, known, at)
    for charge in step.plan(sub, new).charges:
        if not first and step.catalog.meters[charge.meter].aggregation == LEVEL:
            settle(step, known, charge.key, spell_at(step.catalog, known, at).start)


def closed_early(step: Step, known: Timeline, after: Subscription, old: Terms, at: int) -> Subscription:
    """The periods that a whole one cuts short are closed, and their grants lapse with them."""
    plan = step.plan(after, old)
    closing = set(after.closing)
    for length in lengths(plan):
        spell = length_at(step.catalog, known, max(at - 1, after.start), length)
        closing.add(Closing(at + plan.grace, False, spell.start, at, length))
        grants.lapse(step, after, at, spell.nominal)
    return after._replace(closing=tuple(sorted(closing)))


def _ended(step: Step, known: Timeline, terms: Terms, at: int) -> Iterator[Closing]:
    plan = step.plan(known.sub, terms)
    for length in lengths(plan):
        spell = length_at(step.catalog, known, at - 1, length)
        if spell.nominal == at:
            yield Closing(at + plan.grace, False, spell.start, at, length)


def end(step: Step, sub: Subscription, at: int) -> None:
    """The subscription's end: fees in arrears for what was held, fees in advance given back, grants lapse."""
    before = timeline(step, sub)
    last = before.terms[before.at(max(at - 1, sub.start))]
    ended = sub._replace(end=at, planned=(), cursor=max(sub.cursor, at))
    step.save(ended)
    recut(step, sub, ended, at)
    known = timeline(step, ended)
    plan = step.plan(sub, last)
    if sub.cursor >= sub.start:
        for length in lengths(plan) if at > sub.start else ():
            fees.arrears(step, known, length, at)
        fees.settle(step, known, at)
    grants.restore(step, ended, at)
    grants.lapse(step, ended, at)
    closing = {*ended.closing}
    for length in lengths(plan):
        spell = length_at(step.catalog, known, max(at - 1, sub.start), length)
        closing.add(Closing(at + plan.grace, False, spell.start, at, length))
        if sub.cursor == at and length_at(step.catalog, known, at, length).start == at:
            closing.add(Closing(at + plan.grace, False, at, at, length))
    step.save(ended._replace(closing=tuple(sorted(closing))))
