"""Usage that nothing special is about, which is nearly all of it, by a short way: one segment, a price of one quantity, an
open period, an account without credits.

`charges.Work` knows every case and says the same of these; `tests/property/test_plain.py` holds one against the other.
"""

from __future__ import annotations

from typing import NoReturn

from rating import burndown, groups, lines
from rating.aggregations import LEVEL, Entries, Values, aggregation_of
from rating.bunch import Slice
from rating.burndown import Paid
from rating.catalog import Charge, Meter
from rating.legs import Leg, legs_of
from rating.lines import Head
from rating.numbers import check_amount
from rating.places import Place
from rating.prices import Part, differences
from rating.state import ChargePeriod, Group
from rating.step import Step
from rating.timeline import Timeline


def moved(
    step: Step, known: Timeline, where: Place, charge: Charge, meter: Meter, dims: tuple[str, ...], usage: Slice, kind: str
) -> bool:  # fmt: skip
    """Add usage to a group and write its line; `False`, with nothing done, where only the long way knows how."""
    if not (charge.is_plain and meter.aggregation != LEVEL) or burndown.has_grants(step):
        return False
    cells, sub, spell = step.cells, known.sub, where.spell
    aggregation = aggregation_of(meter, sub.timezone)
    legs = legs_of(step, known, charge.key, spell)
    charges, period_name = lines.period_cell(step, sub, charge.key, spell.start)
    held: ChargePeriod | None = cells.get(charges, period_name)
    if aggregation.keyed or len(legs) != 1 or not (held is None or _is_open(held, legs[0])):
        return False
    (leg,) = legs
    values = lines.values_text(charge.dimensions, dims)
    dimensions = dict(zip(charge.dimensions, dims, strict=True))
    place = lines.group_bucket(step, sub, charge.key, spell.start)
    kept = Values(cells, ("value", *place[1:], values))
    context = groups.Context(
        legs, spell, sub.start, known.end, aggregation, kept, dimensions, _no_level, _no_events
    )
    before: Group = cells.get(place, values) or groups.EMPTY
    entries = Entries(usage.times, usage.values, ())
    group, moves = groups.step(context, before, 0, groups.Usage(entries, ()), 1)
    quantity = group.usage - before.usage
    period, change, parts = _charged(held or lines.new_period(step), leg, moves, max(usage.times))
    if quantity or change:
        terms = known.terms[known.at(leg.start)]
        head = Head(sub, terms, leg.plan, charge.key, kind, leg.charge.meter, dimensions, (spell.start, spell.end),
                    where.window)  # fmt: skip
        details = parts if len(parts) < 2 else differences((), parts)
        group = lines.write(step, head, values, group, quantity, Paid(change, 0, 0), details)
    cells.put(place, values, group)
    cells.put(charges, period_name, period)
    return True


def _is_open(held: ChargePeriod, leg: Leg) -> bool:
    """Whether the charge is open and has been in this segment alone so far."""
    segments = [start for start, _ in held.totals], [start for start, _ in held.raws]
    return not held.closed and segments in (([leg.start], [leg.start]), ([leg.start], []))


def _charged(
    held: ChargePeriod, leg: Leg, moves: list[groups.Move], newest: int
) -> tuple[ChargePeriod, int, list[Part]]:
    """The charge after its group has moved, by how much that changed it, and of what that consists."""
    (_, raw), (_, total) = (*held.raws, (0, 0))[0], (*held.totals, (0, 0))[0]
    parts: list[Part] = []
    raws = held.raws
    for move in moves:
        raw = check_amount(raw + move.amount)
        raws, parts = ((leg.start, raw),), move.parts
    after = check_amount(leg.bounds.running(raw))
    change = after - total
    off = change - sum([part.amount for part in parts])
    if off:
        parts = [*parts, Part(None, 0, None, off)]
    period = ChargePeriod(
        held.order, raws, ((leg.start, after),), held.billed + change, held.credits, False, held.burns, held.late,
        held.units, held.units_paid, max(held.newest, newest),
    )  # fmt: skip
    return period, change, parts


def _no_level(at: int) -> int:
    """A charge that is not of a level begins with none."""
    return 0


def _no_events() -> NoReturn:
    raise AssertionError("a price of one quantity asks for no earlier events")
