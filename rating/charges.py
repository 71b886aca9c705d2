"""One charge in one period: usage moves a group, the group moves the charge's total, and each difference is a line.

The segment in which usage falls gets a line in the usage's window; where that moves what a later segment costs, it gets
one in its own first window. Credits are applied share by share, in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rating import groups, lines
from rating.aggregations import LEVEL, Entries, Values, aggregation_of
from rating.bunch import Origin
from rating.burndown import Paid, Priced, Usage, pay
from rating.catalog import Charge, Meter, Plan
from rating.facts import Spent
from rating.legs import Leg, held_spans, index_at, legs_of, totals
from rating.levels import carried
from rating.lines import Head
from rating.numbers import check_amount
from rating.places import Place, place
from rating.priced_events import earlier_events, priced_events
from rating.prices import Part, differences
from rating.step import Step
from rating.timeline import Spell, Timeline
from rating.windows import window_bounds, window_of


class Share(NamedTuple):
    """Usage that the same grants may pay, in the order of time where that matters."""

    times: Sequence[int]
    values: Sequence[int | str]
    keys: Sequence[str]
    events: Sequence[int]
    origin: Origin


class Moved(NamedTuple):
    """What became of one segment in a step: its line's quantity, money and units, and what they consist of."""

    head: Head
    line: str
    revision: int
    quantity: int
    paid: Paid
    units: int
    parts: list[Part]


def move(
    step: Step, known: Timeline, where: Place, charge: Charge, meter: Meter, dims: tuple[str, ...],
    shares: Iterable[tuple[Share, int]], kind: str, net: bool = False, cuts: Sequence[int] = (),
) -> None:  # fmt: skip
    """Add usage to a group (sign 1), or take it back (−1), and write what changed; `net` pays for all of it at once, or for
    what lies between two `cuts`, where shares come in the order of time."""
    work = Work(step, known, where.spell, charge, meter, dims)
    index = index_at(work.legs, where.window[0])
    work.begin(kind, index, where.window, net)
    facts = step.facts if step.by_event else None
    passed = 0
    for share, sign in shares:
        if passed < (passed := sum(cut <= share.times[0] for cut in cuts)):
            work.pay_due()
        before = 0 if facts is None else work.money
        work.add(share, index, sign)
        if facts is not None:
            event, time, cost = share.events[0], share.times[0], work.money - before
            facts.spent.append(Spent(known.sub.id, meter.key, share.origin, event, time, cost, step.user))
    work.finish()


class Due(NamedTuple):
    """What a segment's line comes to, in its own unit, before it is paid."""

    change: int
    quantity: int
    parts: list[Part]


class Work:
    """A group's part of a step; `dims` `None` is the charge over all its groups."""

    def __init__(
        self,
        step: Step,
        known: Timeline,
        spell: Spell,
        charge: Charge,
        meter: Meter,
        dims: tuple[str, ...] | None,
    ) -> None:
        self.step = step
        self.known = known
        self.spell = spell
        self.charge = charge
        self.meter = meter
        self.dims = dims
        self.values = lines.NO_GROUP if dims is None else lines.values_text(charge.dimensions, dims)
        self.dimensions = {} if dims is None else dict(zip(charge.dimensions, dims, strict=True))
        self.legs = legs_of(step, known, charge.key, spell)
        self.start = spell.start
        self.group = lines.group(step, known.sub, charge.key, self.start, self.values)
        self.period = lines.charge_period(step, known.sub, charge.key, self.start)
        self._found: dict[int, Moved] = {}
        self._due: dict[int, Due] = {}
        self._net = False

    @property
    def money(self) -> int:
        """What the charge comes to in the period, over all its groups."""
        totals = dict(self.period.totals)
        return sum(priced_of(leg.plan, leg.charge).money(totals.get(leg.start, 0)) for leg in self.legs)

    def begin(self, kind: str, index: int, window: tuple[int, int] | None = None, net: bool = False) -> None:
        """The line that comes will be of this kind, with this window in segment `index`, else the segment's first."""
        self._net = net
        self._kind = kind
        self._windows = {} if window is None else {self.legs[index].start: window}
        self._main = self.legs[index].start

    def add(self, share: Share | None, index: int, sign: int = 1, at: int | None = None) -> None:
        """Move the group by a share; by nothing where only its span has changed, for credits as of `at`."""
        usage = None
        if share is not None:
            leg = self.legs[index]
            usage = groups.Usage(
                Entries(share.times, share.values, share.keys),
                priced_events(leg.rule, share, sign) if leg.rule.price.kind != "quantity" else (),
            )
            newest = max(share.times)
            if newest > self.period.newest:
                self.period = self.period._replace(newest=newest)
        window = (
            window_of(self.legs[index], self.known.sub.timezone, share.times[0])
            if share is not None
            else None
        )
        before = self.group.usage
        if window is None:
            moves = self._group_step(index, usage, sign)
            when = share.times[0] if share is not None else self.legs[index].start if at is None else at
            self._charge(moves, self.group.usage - before, when)
        else:
            quantity, moves = window_bounds(self, window, index, usage, sign)
            assert share is not None, "a window of a commitment is moved by usage alone"
            self._charge(moves, quantity, share.times[0])

    def withdraw(self, index: int) -> None:
        """Take the group out of a period that its charge is not in any more."""
        before = self.group.usage
        self.group, moves = groups.vanished(self.context(self.start, self.values), self.group)
        self._charge(moves, -before, self.legs[index].start)

    def drop(self, index: int) -> None:
        """Take a segment out of the group whose usage is gone from it."""
        before = self.group.usage
        self.group, moves = groups.dropped(self.context(self.start, self.values), self.group, index)
        self._charge(moves, self.group.usage - before, self.legs[index].start)

    def _group_step(self, index: int, usage: groups.Usage | None, sign: int) -> list[groups.Move]:
        context = self.context(self.start, self.values)
        self.group, moves = groups.step(context, self.group, index, usage, sign)
        return moves

    def _carried(self, at: int) -> int:
        """The level that the charge begins with at a moment of the period."""
        if self.meter.aggregation != LEVEL:
            return 0
        return carried(self.step, self.known, self.charge, self.meter, self.dims or (), self.start, at)

    def context(self, start: int | str, values: str) -> groups.Context:
        """What prices this group, its cells under a key of the period's."""
        step, sub, charge = self.step, self.known.sub, self.charge
        bucket = ("value", step.tenant, step.account, sub.id, charge.key, str(start), values)
        return groups.Context(
            self.legs, self.spell, sub.start, self.known.end, aggregation_of(self.meter, sub.timezone),
            Values(step.cells, bucket), self.dimensions,
            self._carried,
            lambda leg: earlier_events(self, leg), self._active,
        )  # fmt: skip

    @property
    def _active(self) -> bool:
        spans = not self.known.sub.pauses or held_spans(self.known, self.spell.start, self.spell.stop)
        return bool(spans)

    def _charge(self, moves: Sequence[groups.Move], quantity: int, at: int) -> None:
        """What the moves of the group make of the charge's total, and who pays it."""
        legs, period = self.legs, self.period
        raws = dict(period.raws)
        for each in moves:
            raws[each.start] = check_amount(raws.get(each.start, 0) + each.amount)
        before = dict(period.totals)
        after_raws = tuple(sorted(raws.items()))
        after = totals(legs, after_raws, period.closed)
        self.period = period._replace(raws=after_raws, totals=tuple(sorted((before | after).items())))
        parts = {each.start: each.parts for each in moves}
        for leg in legs:
            mine = parts.get(leg.start, [])
            change = after[leg.start] - before.get(leg.start, 0)
            off = change - sum(part.amount for part in mine)
            if off:
                mine = [*mine, Part(None, 0, None, off)]
            moved = quantity if leg.start == self._main else 0
            if not (change or moved or mine):
                continue
            if self._net:
                held = self._due.get(leg.start, Due(0, 0, []))
                self._due[leg.start] = Due(held.change + change, held.quantity + moved, [*held.parts, *mine])
                self._at = at
            else:
                self._pay(leg, change, moved, mine, at)

    def _pay(self, leg: Leg, change: int, quantity: int, parts: list[Part], at: int) -> None:
        priced = priced_of(leg.plan, leg.charge)
        shown = [part._replace(amount=priced.money(part.amount)) for part in parts] if priced.unit else parts
        held = self._found.get(leg.start) or self._new(leg)
        usage = Usage(self.charge.key, leg.charge.meter, at)
        self.period, paid = pay(self.step, self.period, change, priced, usage, held.line)
        if held.parts or held.quantity or any(held.paid):
            paid = Paid(*(a + b for a, b in zip(held.paid, paid, strict=True)))
            shown = [*held.parts, *shown]
        self._found[leg.start] = Moved(
            held.head, held.line, held.revision, held.quantity + quantity, paid, held.units + change, shown
        )

    def _new(self, leg: Leg) -> Moved:
        """A segment that nothing has moved yet; of several lines of a step its own has the revision after the others'."""
        head = self.head(leg)
        earlier = sum(1 for start in self._found if start < leg.start)
        revision = self.group.revision + earlier + 1
        line = lines.id_of(self.step, head, self.values, revision)
        return Moved(head, line, revision, 0, lines.NOTHING, 0, [])

    def head(self, leg: Leg) -> Head:
        """What the segment's line is of."""
        sub, spell = self.known.sub, self.spell
        window = self._windows.get(leg.start)
        if window is None:
            window = place(self.step.catalog, self.known, self.meter.window, max(leg.start, sub.start)).window
        terms = self.known.terms[self.known.at(leg.start)]
        return Head(sub, terms, leg.plan, self.charge.key, self._kind, leg.charge.meter, self.dimensions,
                    (spell.start, spell.end), window, leg.charge.unit)  # fmt: skip

    def pay_due(self) -> None:
        """Pay for what is due so far, at once."""
        for leg in self.legs:
            if leg.start in self._due:
                self._pay(leg, *self._due.pop(leg.start), self._at)

    def finish(self) -> bool:
        """Write the lines and keep what changed; whether there was any."""
        self.pay_due()
        step, sub, period = self.step, self.known.sub, self.period
        wrote = False
        for leg in self.legs:
            found = self._found.get(leg.start)
            if found is None or not (found.quantity or any(found.paid) or found.units):
                continue
            details = found.parts if len(found.parts) < 2 else list(differences((), found.parts))
            line = found.line if found.revision == self.group.revision + 1 else None
            self.group = lines.write(
                step, found.head, self.values, self.group, found.quantity, found.paid, details,
                late=period.closed, units=found.units, line=line,
            )  # fmt: skip
            wrote = True
        lines.save_group(step, sub, self.charge.key, self.start, self.values, self.group)
        if wrote and period.closed:
            self.period = period._replace(late=period.late + 1)
            step.late[sub.id, self.charge.key, self.spell.start] = self.spell.end
        lines.save_period(step, sub, self.charge.key, self.start, self.period)
        return wrote


def priced_of(plan: Plan, charge: Charge) -> Priced:
    """What a charge's lines are priced in."""
    if charge.unit is None:
        return Priced(plan.currency)
    return Priced(plan.currency, charge.unit, plan.conversion_rates.get(charge.unit, 0))
