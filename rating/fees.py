"""Fees: what each comes to in its period, moved by every change of what is held, and written as the difference.

A prorated change at `t` from `x` to `y` (`quantity × amount`) moves the period's cost by `P(y, [t, e)) − P(x, [t, e))`, so
the cost is the sum of `P(x, span)` over the spans held; one that is not prorated moves it to the largest figure held. A
fee in advance writes each move as it is made, one in arrears the whole at its period's or the subscription's end.
"""

from __future__ import annotations

from typing import NamedTuple

from rating import lines, numbers
from rating.burndown import Priced, Usage, pay
from rating.catalog import Fee, Plan
from rating.lines import Head
from rating.prices import Part
from rating.proration import part
from rating.state import FeePeriod, Subscription, Terms
from rating.step import Step
from rating.timeline import Spell, Timeline, length_at

_SCALE = 10 ** (numbers.AMOUNT_DIGITS - numbers.QTY_DIGITS)
NOT_HELD = FeePeriod(0, 0, True, -1, (0, 0, 0))
ONCE = "once"


class Held(NamedTuple):
    """A fee that is held, on which terms, and its `quantity × amount` in 10⁻¹²."""

    fee: Fee
    plan: Plan
    terms: Terms
    cost: int


def held(step: Step, sub: Subscription, terms: Terms) -> dict[str, Held]:
    """The fees of a subscription on these terms."""
    own = dict(sub.quantities)
    plan = step.plan(sub, terms)
    return {fee.key: Held(fee, plan, terms, fee.cost(own.get(fee.key))) for fee in plan.fees}


def length_of(plan: Plan, fee: Fee) -> str:
    """The calendar length that the fee is counted in."""
    return plan.period if fee.every in ("period", ONCE) else fee.every


def change(
    step: Step,
    known: Timeline,
    at: int,
    before: dict[str, Held],
    after: dict[str, Held],
    prorate: bool | None = None,
) -> None:
    """What is held becomes `after` from `before` at `at`; where a period begins then, it begins with nothing before."""
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None and old.fee.every != new.fee.every:
            _move(step, known, at, old, old.cost, None, prorate)
            old = None
        some = new or old
        assert some is not None
        if some.fee.every == ONCE:
            _once(step, known, at, new)
            continue
        _move(step, known, at, some, 0 if old is None else old.cost, new, prorate)


def _move(
    step: Step, known: Timeline, at: int, some: Held, was: int, new: Held | None, prorate: bool | None
) -> None:
    length = length_of(some.plan, some.fee)
    spell = length_at(step.catalog, known, at, length)
    begun = spell.start == at and _state(step, known, some.fee.key, at) != NOT_HELD
    if new is None and not begun and _cut(known, at):
        spell = length_at(step.catalog, known, at - 1, length)
    state = _state(step, known, some.fee.key, spell.start)
    before = (state.target, state.largest, 0 if state == NOT_HELD and spell.start == at else was)
    target, largest, held_cost = prior = state.prior if state.at == at else before
    cost = 0 if new is None else new.cost
    if some.fee.prorate if prorate is None or not largest else prorate:
        moved = part(cost, at, spell.nominal, spell.start, spell.nominal)
        moved -= part(held_cost, at, spell.nominal, spell.start, spell.nominal)
    else:
        moved = max(cost - largest, 0)
    advance = some.fee.timing == "advance"
    after = FeePeriod(target + moved, max(largest, cost), advance, at, prior)
    step.cells.put(_bucket(step, known.sub), f"{some.fee.key}|{spell.start}", after)
    if advance and after.target != state.target:
        _line(step, known, some, spell, (at, spell.nominal), after.target - state.target)


def _cut(known: Timeline, at: int) -> bool:
    """Whether the subscription, or its last whole period, ends at the moment."""
    return at == known.sub.end or any(each.restarts and each.start == at for each in known.terms)


def _once(step: Step, known: Timeline, at: int, new: Held | None) -> None:
    if new is None:
        return
    bucket = _bucket(step, known.sub)
    if step.cells.get(bucket, f"{new.fee.key}|{ONCE}") is not None:
        return
    step.cells.put(bucket, f"{new.fee.key}|{ONCE}", FeePeriod(new.cost, new.cost, new.fee.timing == "advance", at, (0, 0, 0)))
    if new.fee.timing == "advance" and new.cost:
        spell = length_at(step.catalog, known, at, new.plan.period)
        _line(step, known, new, spell, (at, spell.nominal), new.cost)


def arrears(step: Step, known: Timeline, length: str, at: int) -> None:
    """Write what the fees in arrears came to in the period of a length that ends at `at`."""
    spell = length_at(step.catalog, known, at - 1, length)
    ended = known.sub.end == at
    if spell.end != at:
        return
    for member, state in list(step.cells.members(_bucket(step, known.sub))):
        key, _, start = member.rpartition("|")
        once = start == ONCE
        if state.advance or not state.target or (not ended if once else start != str(spell.start)):
            continue
        found = _last_held(step, known, key, at)
        if found is None or length_of(found.plan, found.fee) != length:
            continue
        step.cells.put(_bucket(step, known.sub), member, state._replace(advance=True))
        _line(step, known, found, spell, (max(known.sub.start, spell.start), at), state.target)


def _last_held(step: Step, known: Timeline, key: str, at: int) -> Held | None:
    """The fee as it was held last before a moment."""
    for terms in reversed(known.terms):
        found = held(step, known.sub, terms).get(key) if terms.start < at else None
        if found is not None:
            return found
    return None


def _state(step: Step, known: Timeline, key: str, start: int) -> FeePeriod:
    return step.cells.get(_bucket(step, known.sub), f"{key}|{start}") or NOT_HELD


def _bucket(step: Step, sub: Subscription) -> tuple[str, ...]:
    return ("fee", step.tenant, step.account, sub.id)


def _line(
    step: Step, known: Timeline, each: Held, spell: Spell, window: tuple[int, int], amount: int
) -> None:
    sub, key = known.sub, each.fee.key
    full = amount * _SCALE
    period = lines.charge_period(step, sub, key, spell.start)
    group = lines.group(step, sub, key, spell.start)
    head = Head(sub, each.terms, each.plan, key, "fee", None, {}, (spell.start, spell.end), window)
    line = lines.next_id(step, head, lines.NO_GROUP, group)
    period, paid = pay(step, period, full, Priced(each.plan.currency), Usage(key, None, window[0]), line)
    quantity = numbers.QTY if amount > 0 else -numbers.QTY
    after = lines.write(step, head, lines.NO_GROUP, group, 0, paid, [Part(None, quantity, None, full)],
                        late=period.closed)  # fmt: skip
    lines.save_group(step, sub, key, spell.start, lines.NO_GROUP, after)
    lines.save_period(step, sub, key, spell.start, period)
