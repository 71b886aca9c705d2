"""What a limit does to a subscription while its `amount` is reached: another plan, or the end of its trial.

Each is a change that the record which crosses plans for 1 µs later, and takes back when the window ends or the value is
below `amount` again. Access (`block`, `suspend`, `throttle`) follows from the windows alone: see `rating.access`.
"""

from __future__ import annotations

import json

from rating.catalog import Plan
from rating.errors import Refused
from rating.limits.bounds import Held, bucket, running
from rating.limits.state import Bound, Gauge
from rating.recut import recut
from rating.state import Change, Subscription, Terms
from rating.step import Step
from rating.subscriptions import checked_plan
from rating.timeline import Timeline, applied


def turn(step: Step, held: Held, gauge: Gauge) -> None:
    """`amount` is reached now (`gauge.acting`), or not any more."""
    if held.limit.action == "downgrade":
        _downgrade(step, held) if gauge.acting else _restore(step, held, gauge)
    elif held.limit.action == "end_trial" and gauge.acting:
        _end_trial(step, held)


def _downgrade(step: Step, held: Held) -> None:
    known = held.known
    assert known is not None, "usage has a subscription"
    assert held.limit.plan is not None, "the catalog was checked"
    terms = known.terms[known.at(step.now)]
    at = max(step.now, known.sub.cursor) + 1
    chosen = step.catalog.choose(held.limit.plan, at)
    if chosen is None or terms.plan == chosen.key:
        return
    if _change(step, held, known, terms, at, chosen):
        bound: Bound = step.cells.get(bucket(step), held.id)
        back = json.dumps([terms.plan, terms.version])
        step.cells.put(bucket(step), held.id, bound._replace(only=known.sub.id, back=back))


def _restore(step: Step, held: Held, gauge: Gauge) -> None:
    bound: Bound = step.cells.get(bucket(step), held.id)
    if not bound.back:
        return
    known = next((each for each in running(step) if each.sub.id == bound.only), None)
    at = step.now if known is None else max(step.now + (gauge.end > step.now), known.sub.cursor + 1)
    step.cells.put(bucket(step), held.id, bound._replace(back="", until=at))
    if known is None or not held.limit.restore:
        return
    terms = known.terms[known.at(at)]
    if terms.plan == held.limit.plan:
        plan, version = json.loads(bound.back)
        _change(step, held, known, terms, at, step.catalog.plans[plan, version])


def _change(step: Step, held: Held, known: Timeline, terms: Terms, at: int, plan: Plan) -> bool:
    """Plan a change of plan for a moment; whether the subscription can have it."""
    named = terms._replace(
        start=at, plan=plan.key, version=plan.version, asked=json.dumps({"plan": plan.key})
    )
    new = applied(step.catalog, terms, named)
    try:
        checked_plan(step, known.sub, new)
    except Refused:
        return False
    _plan(step, known.sub, Change("change_plan", at, None, new, json.dumps({"limit": held.limit.key}), False))
    return True


def _plan(step: Step, sub: Subscription, made: Change) -> None:
    others = tuple(each for each in sub.planned if each.at != made.at or each.waits)
    after = sub._replace(planned=(*others, made))
    step.save(after)
    recut(step, sub, after, made.at)


def _end_trial(step: Step, held: Held) -> None:
    known = held.known
    assert known is not None, "usage has a subscription"
    sub = known.sub
    if not known.terms[known.at(step.now)].trial:
        return
    planned = next((each for each in sub.planned if not each.waits), None)
    at = max(step.now, sub.cursor) + 1
    if planned is None or planned.at <= at:
        return
    terms = planned.terms
    if terms is not None:
        whole = terms.anchor == planned.at
        terms = terms._replace(
            start=at, anchor=at if whole else terms.anchor, restarts=whole or terms.restarts
        )
    earlier = sub._replace(planned=tuple(each for each in sub.planned if each is not planned))
    moved = planned._replace(at=at, terms=terms)
    after = earlier._replace(planned=(*earlier.planned, moved))
    step.save(after)
    recut(step, sub, after, at)
