"""One dimension group of a charge in a period: usage goes in, and each segment's cost moves by a difference.

A price of one quantity is `p(U(t_k+1)) − p(U(t_k))`; a price of events keeps a tally a segment. Where the charge goes on
from an earlier segment, the order of its events or the slots of its schedule go on too, so such a tally begins with what
was used before, and that is taken off again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rating.aggregations import Aggregation, Entries, Span, Values
from rating.legs import Leg, chain_of
from rating.numbers import check_amount
from rating.prices import Part, PricedEvent, differences
from rating.prices.protocol import QuantityPrice
from rating.state import Group, Slot
from rating.tallies import Tally, tally_of
from rating.timeline import Spell

EMPTY = Group((), 0, 0, 0, 0)
Earlier = Any
"""`() -> events of the charge before a segment`, asked for where a price goes on over the order of events."""


class Usage(NamedTuple):
    """What a step adds to a group in one segment: readings, and the same as events where the price is of events."""

    entries: Entries
    events: Sequence[PricedEvent]


class Move(NamedTuple):
    """What a step changed of one segment's cost, before bounds, by tier."""

    start: int
    amount: int
    parts: list[Part]


class Context(NamedTuple):
    """What pricing a group needs beside it. `carry` tells the level that the charge begins with at a moment."""

    legs: Sequence[Leg]
    spell: Spell
    start: int
    stop: int
    aggregation: Aggregation
    values: Values
    dimensions: Mapping[str, str]
    carry: Callable[[int], int]
    earlier: Earlier
    active: bool = True
    """Whether the subscription is active in the period: one paused throughout has no flat amounts."""

    @property
    def vanishes(self) -> bool:
        """Whether the charge is there in this group for its usage alone."""
        return bool(self.dimensions) or not self.active

    def values_of(self, first: int) -> Values:
        """The cells of the charge that begins in a segment: one that comes back in a period begins at nothing."""
        return self.values.within(f"{self.legs[first].start}|") if first else self.values

    def tallied(self, start: int) -> tuple[Values, Values]:
        """The events of a segment's price: those before the segment, and those up to its end."""
        return self.values.within(f"o|{start}|"), self.values.within(f"t|{start}|")

    def untallied(self, start: int) -> None:
        """Forget the events of a segment's price."""
        for cells in self.tallied(start):
            cells.clear()

    def span(self, first: int, number: int) -> Span:
        """The time from the segment in which the charge begins to the end of another."""
        upto = min(self.legs[number].end, self.stop)
        begin = max(self.spell.start, self.start, self.legs[first].start)
        return Span(self.spell.start, self.spell.nominal, begin, upto, self.carry(begin))


def step(
    context: Context, group: Group, index: int, usage: Usage | None, sign: int
) -> tuple[Group, list[Move]]:
    """The group after usage in segment `index` was added, or taken back; without usage, after its span changed."""
    legs = context.legs
    # While usage moves over to a new timeline, the group has segments of both.
    if len(legs) == 1 and all(slot.start == legs[0].start for slot in group.slots):
        return _single(context, group, legs[0], usage, sign)
    low, high = chain_of(legs, index)
    slots = {slot.start: slot for slot in group.slots}
    at = legs[index].start
    chain = legs[low:high]
    values = context.values_of(low)
    kept = {leg.start: slots[leg.start].kept for leg in chain if leg.start in slots}
    events = {leg.start: slots[leg.start].events for leg in chain if leg.start in slots}
    if usage is not None:
        context.aggregation.update(kept, at, usage.entries, sign, values)
        events[at] = events.get(at, 0) + sign * len(usage.entries.values)
    else:
        kept.setdefault(at, None)
    # The charge began in its first segment, used or not: its flat amounts are that one's.
    kept.setdefault(chain[0].start, None)
    if not any(events.values()) and context.vanishes and not context.carry(context.span(low, low).held):
        return vanished(context, group, chain)
    moves: list[Move] = []
    reached: list[tuple[int, Any]] = []
    before = _last(slots, chain)
    for number, leg in enumerate(chain, low):
        if leg.start not in kept:
            continue
        down = 0
        if reached:
            down = context.aggregation.quantity(reached, context.span(low, number - 1), values)
        reached.append((leg.start, kept[leg.start]))
        up = context.aggregation.quantity(reached, context.span(low, number), values)
        old = slots.get(leg.start)
        tally = tally_of(leg.rule)
        count = events.get(leg.start, 0)
        if tally is None:
            new, move = _quantity(context, leg, old, count, kept[leg.start], down, up)
        else:
            used, mine = usage if number >= index else None, number == index
            new, move = _events(context, leg, old, count, kept[leg.start], down, up, tally, used, sign, mine)
        slots[leg.start] = new
        if move.amount or move.parts:
            moves.append(move)
    after = _last(slots, chain)
    ordered = tuple(slots[start] for start in sorted(slots))
    return group._replace(slots=ordered, usage=group.usage + after - before), moves


def _single(
    context: Context, group: Group, leg: Leg, usage: Usage | None, sign: int
) -> tuple[Group, list[Move]]:
    """The same where nothing cuts the period: almost always."""
    old = group.slots[0] if group.slots else None
    kept: dict[int, Any] = {} if old is None else {leg.start: old.kept}
    events = 0 if old is None else old.events
    if usage is not None:
        context.aggregation.update(kept, leg.start, usage.entries, sign, context.values)
        events += sign * len(usage.entries.values)
    span = context.span(0, 0)
    if not events and context.vanishes and not context.carry(span.held):
        return vanished(context, group, context.legs)
    mine = kept.get(leg.start)
    up = context.aggregation.quantity([(leg.start, mine)], span, context.values)
    tally = tally_of(leg.rule)
    if tally is None:
        new, move = _quantity(context, leg, old, events, mine, 0, up)
    else:
        new, move = _events(context, leg, old, events, mine, 0, up, tally, usage, sign, True)
    after = Group((new,), up, group.quantity, group.amount, group.revision)
    return after, [move] if move.amount or move.parts else []


def dropped(context: Context, group: Group, index: int) -> tuple[Group, list[Move]]:
    """The group without a segment that has no usage of its own any more."""
    legs = context.legs
    low, high = chain_of(legs, index)
    context.untallied(legs[index].start)
    slots = {slot.start: slot for slot in group.slots}
    before = _last(slots, legs[low:high])
    gone = slots.pop(legs[index].start)
    usage = group.usage + _last(slots, legs[low:high]) - before
    moves = [Move(gone.start, -gone.cost, _summing((), -gone.cost))] if gone.cost else []
    return group._replace(slots=tuple(slots.values()), usage=usage), moves


def vanished(context: Context, group: Group, chain: Sequence[Leg] | None = None) -> tuple[Group, list[Move]]:
    """The group without the segments of a charge of which nothing is left, or without any: it never was, so it has no flat
    amounts either."""
    starts = [slot.start for slot in group.slots] if chain is None else [leg.start for leg in chain]
    gone = {slot.start: slot for slot in group.slots if slot.start in starts}
    for start in gone:
        context.untallied(start)
    moves = [Move(slot.start, -slot.cost, _summing((), -slot.cost)) for slot in gone.values() if slot.cost]
    rest = tuple(slot for slot in group.slots if slot.start not in gone)
    usage = 0 if chain is None else group.usage - _last(gone, chain)
    return group._replace(slots=rest, usage=usage), moves


def _last(slots: Mapping[int, Slot], chain: Sequence[Leg]) -> int:
    return next((slots[leg.start].high for leg in reversed(chain) if leg.start in slots), 0)


def _quantity(
    context: Context, leg: Leg, old: Slot | None, count: int, kept: Any, down: int, up: int
) -> tuple[Slot, Move]:
    rule = leg.rule
    curve = rule.curve(context.dimensions)
    charged = rule.charged(up, leg.allowance)
    cost = rule.discounted(curve.total(charged))
    if not leg.first:
        cost -= rule.discounted(curve.total(rule.charged(down, leg.allowance)))
    cost = check_amount(cost)
    if old is not None and leg.first and not rule.discount:
        parts = curve.between(rule.charged(old.high, leg.allowance), charged)
    else:
        was = () if old is None else _parts(leg, curve, old.low, old.high)
        parts = differences(was, _parts(leg, curve, down, up))
    amount = cost - (0 if old is None else old.cost)
    return Slot(leg.start, count, kept, down, up, cost, None), Move(
        leg.start, amount, _summing(parts, amount)
    )


def _parts(leg: Leg, curve: QuantityPrice, down: int, up: int) -> Sequence[Part]:
    rule = leg.rule
    found: Sequence[Part] = curve.parts(rule.charged(up, leg.allowance))
    if not leg.first:
        found = differences(curve.parts(rule.charged(down, leg.allowance)), found)
    return found if not rule.discount else _discounted(leg, found)


def _discounted(leg: Leg, parts: Sequence[Part]) -> list[Part]:
    return [each._replace(amount=leg.rule.discounted(each.amount)) for each in parts]


def _events(
    context: Context, leg: Leg, old: Slot | None, count: int, kept: Any, down: int, up: int, tally: Tally,
    usage: Usage | None, sign: int, mine: bool,
) -> tuple[Slot, Move]:  # fmt: skip
    goes_on = not leg.first and leg.rule.price.kind in ("order", "slots")
    events = usage.events if usage is not None else ()
    held = old.tally if old is not None else None
    parts: list[Part] = []
    if not goes_on:
        own = events if mine else ()
        if own or held is None:
            found = tally.add(held, own, sign, context.tallied(leg.start)[1])
            held, parts = found.kept, list(found.parts)
        raw = tally.total(held)
    else:
        before, upto = held or (None, None)
        below, within = context.tallied(leg.start)
        if held is None:
            earlier = context.earlier(leg)
            before = tally.add(None, earlier, 1, below).kept
            upto = tally.add(None, earlier, 1, within).kept
        if events and not mine and old is not None:
            lower = tally.add(before, events, sign, below)
            before, parts = lower.kept, list(differences(lower.parts, ()))
        if events and (mine or old is not None):
            found = tally.add(upto, events, sign, within)
            upto, parts = found.kept, [*parts, *found.parts]
        held = (before, upto)
        raw = tally.total(upto) - tally.total(before)
    cost = check_amount(leg.rule.discounted(raw))
    amount = cost - (0 if old is None else old.cost)
    if leg.rule.discount:
        parts = _discounted(leg, parts)
    return Slot(leg.start, count, kept, down, up, cost, held), Move(
        leg.start, amount, _summing(parts, amount)
    )


def _summing(parts: Sequence[Part], amount: int) -> list[Part]:
    off = amount - sum([each.amount for each in parts])
    return [*parts, Part(None, 0, None, off)] if off else list(parts)
