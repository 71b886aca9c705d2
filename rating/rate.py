"""Usage of one account in one step, to charge lines: a difference of a price curve for each group and window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rating import burndown, plain, pooled
from rating.aggregations import LEVEL, aggregation_of
from rating.bunch import Bunch, Slice
from rating.catalog import Charge, Meter, Plan
from rating.charges import Share, move
from rating.facts import Used
from rating.levels import record
from rating.places import Place, place, whole
from rating.settle import resettle
from rating.state import Subscription
from rating.step import Step
from rating.timeline import Timeline, timeline
from rating.times import HOUR, MINUTE


class _Target(NamedTuple):
    """Where readings go: in the order in which lines come."""

    place: Place
    order: int
    dims: tuple[str, ...]
    charge: str


Groups = dict[_Target, dict[int, Slice]]
"""What goes to each target, by its sign."""
Signed = tuple[Iterable[Bunch], int]


def rate(
    step: Step, moves: Iterable[Signed], kind: str = "usage", subs: Sequence[Subscription] | None = None
) -> None:
    """Rate usage of the account, each bunch with its sign, in every active subscription that has a charge on its meter: in
    the account's own (`subs`, where they are listed already), and what none of these charges in the nearest ancestor's."""
    own = [timeline(step, sub) for sub in (step.subscriptions() if subs is None else subs)]
    listed = [(list(bunches), sign) for bunches, sign in moves]
    for known in own:
        rate_in(step, known, listed, kind)
    pooled.pass_on(step, own, listed, kind)


def rate_in(step: Step, known: Timeline, moves: Iterable[Signed], kind: str = "usage") -> None:
    """Rate bunches in one subscription, each with its sign: what is taken back and added in one group and window is one
    line."""
    groups: Groups = {}
    leveled: list[int] = []
    for bunches, sign in moves:
        for bunch in bunches:
            if bunch.subscription not in (None, known.sub.id):
                continue
            if step.facts is not None:
                step.facts.used.append(Used(known, bunch, sign, step.user))
            _sorted_in(step, groups, known, bunch, sign)
            meter = step.catalog.meters[bunch.meter]
            if meter.aggregation == LEVEL:
                record(step, known, meter, bunch, sign)
                leveled.append(min(bunch.times))
    by_event = step.by_event
    for target, found in sorted(groups.items(), key=lambda item: item[0]):
        plan = step.plan(known.sub, known.terms[target.place.terms])
        charge = plan.charges_by_key[target.charge]
        meter = step.catalog.meters[charge.meter]
        if (
            not by_event
            and found.keys() == {1}
            and plain.moved(step, known, target.place, charge, meter, target.dims, found[1], kind)
        ):
            continue
        shares = (
            (share, sign)
            for sign in sorted(found)
            for share in _shares(step, known.sub, meter, charge, found[sign], by_event)
        )
        net = len(found) > 1 or by_event
        cuts = [] if len(found) > 1 or not by_event else _cuts(step, *(each.times for each in found.values()))
        move(step, known, target.place, charge, meter, target.dims, shares, kind, net, cuts)
    if leveled:
        resettle(step, known, min(leveled))


def _sorted_in(step: Step, groups: Groups, known: Timeline, bunch: Bunch, sign: int) -> None:
    meter = step.catalog.meters[bunch.meter]
    low = bunch.hour * HOUR
    shared = whole(step.catalog, known, meter.window, low, low + HOUR - 1)
    if shared is not None:
        plan = step.plan(known.sub, known.terms[shared.terms])
        if meter.key not in plan.charges_by_meter:
            note_unpriced(step, known.sub, max(bunch.times))
        for target in _targets(plan, shared, meter, bunch.dims):
            held = _slice(groups, target, sign, bunch)
            held.times.extend(bunch.times)
            held.events.extend(bunch.events)
            held.values.extend(bunch.values)
        return
    for time, event, value in zip(bunch.times, bunch.events, bunch.values, strict=True):
        if not known.runs_at(time):
            continue
        where = place(step.catalog, known, meter.window, time)
        plan = step.plan(known.sub, known.terms[where.terms])
        if meter.key not in plan.charges_by_meter:
            note_unpriced(step, known.sub, time)
        for target in _targets(plan, where, meter, bunch.dims):
            held = _slice(groups, target, sign, bunch)
            held.times.append(time)
            held.events.append(event)
            held.values.append(value)


def note_unpriced(step: Step, sub: Subscription, time: int) -> None:
    """Note that usage of a moment met no charge, to the minute: a change that is dated back may find it one."""
    bucket = ("unpriced", step.tenant, step.account)
    until = time - time % MINUTE + MINUTE
    if until > (step.cells.get(bucket, sub.id) or 0):
        step.cells.put(bucket, sub.id, until)


def _slice(groups: Groups, target: _Target, sign: int, bunch: Bunch) -> Slice:
    return groups.setdefault(target, {}).setdefault(sign, Slice([], [], [], bunch.origin))


def _targets(plan: Plan, where: Place, meter: Meter, dims: tuple[str, ...]) -> Iterator[_Target]:
    for order, charge in plan.charges_by_meter.get(meter.key, ()):
        yield _Target(where, order, _projected(meter, charge, dims), charge.key)


def _projected(meter: Meter, charge: Charge, dims: tuple[str, ...]) -> tuple[str, ...]:
    if charge.dimensions == meter.dimensions:
        return dims
    return tuple(dims[meter.dimensions.index(name)] for name in charge.dimensions)


def _cuts(step: Step, times: Sequence[int]) -> list[int]:
    """When in the time of some usage a grant begins or ends to pay."""
    held = burndown.grants(step)
    return burndown.boundaries(held, min(times), max(times)) if held else []


def _shares(
    step: Step, sub: Subscription, meter: Meter, charge: Charge, found: Slice, by_event: bool
) -> Iterator[Share]:
    """The slice in the order of time, cut where some grant begins or ends to pay; `by_event` at every event."""
    ordered = aggregation_of(meter, sub.timezone).keyed or charge.rule.price.kind != "quantity"
    cuts = _cuts(step, found.times)
    if not cuts and not ordered and not by_event:
        yield Share(found.times, found.values, (), found.events, found.origin)
        return
    keys = [found.origin.key(event) for event in found.events] if ordered else [""] * len(found.events)
    rows = sorted(zip(found.times, keys, found.events, found.values, strict=True), key=lambda row: row[:3])
    if by_event:
        for time, name, event, value in rows:
            yield Share([time], [value], [name] if ordered else (), [event], found.origin)
        return
    for low, high in zip([rows[0][0], *cuts], [*cuts, rows[-1][0] + 1], strict=True):
        mine = [row for row in rows if low <= row[0] < high]
        if mine:
            times, names, events, values = (list(column) for column in zip(*mine, strict=True))
            yield Share(times, values, names if ordered else (), events, found.origin)
