"""A commitment with a `window`: each window by itself, with its own quantity, its own commitment and its own true-up.

Within a window a group is priced as a period's would be. What all its groups come to there is one amount of the charge,
over which only the maximum holds. A window that the subscription holds only in part is committed to for that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rating import groups
from rating.legs import Leg, bounds_in, held_spans, totals
from rating.numbers import check_amount
from rating.periods import WINDOWS, window
from rating.state import Group
from rating.timeline import Timeline

if TYPE_CHECKING:
    from rating.charges import Work

Interval = tuple[int, int]


def window_of(leg: Leg, timezone: str, moment: int) -> Interval | None:
    """The window of a commitment that holds a moment; `None` where it has no windows."""
    size = leg.rule.by_window
    return None if size is None else window(moment, size, timezone)


def window_bounds(
    work: Work, interval: Interval, index: int, usage: groups.Usage | None, sign: int
) -> tuple[int, list[groups.Move]]:
    """Move a group within a window: by how much its usage and, by segment, the window's amount changed."""
    step, start = work.step, work.start
    name = f"{start}@{interval[0]}"
    place = ("window", step.tenant, step.account, work.known.sub.id, work.charge.key, str(start))
    member = f"{interval[0]}|{work.values}"
    group: Group = step.cells.get(place, member) or groups.EMPTY
    after, moves = groups.step(work.context(name, work.values), group, index, usage, sign)
    step.cells.put(place, member, after)
    work.group = work.group._replace(usage=work.group.usage + after.usage - group.usage)
    legs = bounded(work.known, work.legs, interval)
    held = ("windowed", *place[1:])
    raws = step.cells.get(held, str(interval[0])) or ()
    sums = dict(raws)
    for each in moves:
        sums[each.start] = check_amount(sums.get(each.start, 0) + each.amount)
    changed = tuple(sorted(sums.items()))
    step.cells.put(held, str(interval[0]), changed)
    low, high = totals(legs, raws, work.period.closed), totals(legs, changed, work.period.closed)
    parts = {each.start: each.parts for each in moves}
    found = [
        groups.Move(leg.start, high[leg.start] - low[leg.start], parts.get(leg.start, [])) for leg in legs
    ]
    return after.usage - group.usage, [each for each in found if each.amount or each.parts]


def bounded(known: Timeline, legs: Sequence[Leg], interval: Interval) -> list[Leg]:
    """The segments with what is committed to in one window."""
    found: list[Leg] = []
    chain: list[Leg] = []
    for leg in legs:
        chain = [leg] if leg.first else [*chain, leg]
        found.append(leg._replace(bounds=bounds_in(known, chain, interval)._replace(maximum=None)))
    return found


def missing(work: Work) -> dict[int, int]:
    """What is missing to the true-up of every window of the period, used or not, by segment."""
    known, legs = work.known, work.legs
    step = work.step
    held = ("windowed", step.tenant, step.account, known.sub.id, work.charge.key, str(work.start))
    used = dict(step.cells.members(held))
    windows: dict[Interval, int] = {}
    for leg in legs:
        if leg.rule.by_window is not None and leg.rule.floored:
            windows |= dict(_windows(known, leg, used))
    found: dict[int, int] = {}
    for interval, count in windows.items():
        mine = bounded(known, legs, interval)
        raws = used.get(str(interval[0]), ()) if count == 1 else ()
        closed, running = totals(mine, raws, True), totals(mine, raws, False)
        for leg in legs:
            found[leg.start] = found.get(leg.start, 0) + (closed[leg.start] - running[leg.start]) * count
    return {start: gap for start, gap in found.items() if gap}


def _windows(known: Timeline, leg: Leg, used: dict[str, object]) -> list[tuple[Interval, int]]:
    """The windows that a segment holds: those that are used or cut each by itself, the others one for all."""
    size, timezone = leg.rule.by_window or "1h", known.sub.timezone
    length = WINDOWS[size]
    alone: dict[Interval, int] = {}
    rest: tuple[Interval, int] | None = None
    for low, high in held_spans(known, leg.start, leg.end):
        first, last = window(low, size, timezone), window(high - 1, size, timezone)
        alone |= {first: 1, last: 1}
        inside = {(int(start), int(start) + length) for start in used if first[1] <= int(start) < last[0]}
        if size == "1d":
            moment = first[1]
            while moment < last[0]:
                day = window(moment, size, timezone)
                alone[day] = 1
                moment = day[1]
            continue
        alone |= dict.fromkeys(inside, 1)
        whole = max(0, (last[0] - first[1]) // length) - len(inside)
        if whole > 0:
            free = _unused(first[1], length, inside)
            rest = (free, whole + (rest[1] if rest else 0))
    return [*alone.items(), *([rest] if rest else [])]


def _unused(moment: int, length: int, inside: set[Interval]) -> Interval:
    while (moment, moment + length) in inside:
        moment += length
    return moment, moment + length
