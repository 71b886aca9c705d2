"""Recurring grants: what a plan's grants come to over a subscription's life, drawn anew from its pieces.

A moment at which a period of a grant begins brings all of it that is left of the period; one at which a plan changes within
it the difference; a resume the rest of a period that began in the pause. Nothing else is issued or taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from tests.auditor.lifecycle.calendar import period_at
from tests.auditor.lifecycle.timeline import Period, Piece
from tests.auditor.lifecycle.words import Doc, part
from tests.auditor.lifecycle.words import field as decimal


@dataclass(frozen=True)
class Moment:
    """A moment, what holds from it on, and what held before; `anew` where a whole period begins in place of another."""

    at: int
    period: Period
    piece: Piece
    before: list[Piece]
    anew: bool


def issued(periods: list[Period], until: int) -> dict[str, Fraction]:
    """By key, the sum of what is granted by `until`, less what changes take back."""
    found: dict[str, Fraction] = {}
    for moment in _moments(periods, until):
        if moment.piece.terms.paused:
            continue
        old = {} if moment.anew else _plan_before(moment)
        new = _of(moment.piece)
        for key in {**old, **new}:
            found[key] = found.get(key, Fraction(0)) + _due(moment, old.get(key), new.get(key))
    return found


def _of(piece: Piece) -> dict[str, Doc]:
    return {grant["key"]: grant for grant in piece.plan.get("grants", ())}


def _moments(periods: list[Period], until: int) -> Iterator[Moment]:
    before: list[Piece] = []
    for number, period in enumerate(periods):
        early = number > 0 and periods[number - 1].stop < periods[number - 1].end
        for place, piece in enumerate(period.pieces):
            end = until + 1 if period.open and piece is period.pieces[-1] else piece.end
            for at in _starts(period, piece, end):
                first = at == piece.begin
                yield Moment(at, period, piece, before, first and place == 0 and (early or number == 0))
                before = [*before, piece]


def _starts(period: Period, piece: Piece, end: int) -> list[int]:
    """The piece's begin, and those of the grants' own periods in it."""
    found = {piece.begin}
    for grant in piece.plan.get("grants", ()):
        at = piece.begin
        while at < end:
            found.add(at)
            at = _spell(period, piece, grant, at)[1]
    return sorted(at for at in found if at < end)


def _spell(period: Period, piece: Piece, grant: Doc, at: int) -> tuple[int, int]:
    every = grant.get("every", "period")
    if every == "period":
        return period.begin, period.end
    return period_at(every, piece.terms.zone, piece.terms.anchor, at)


def _plan_before(moment: Moment) -> dict[str, Doc]:
    """What was issued up to the moment, of periods that still run: that of before the pause where one ends here."""
    held = list(moment.before)
    since = moment.at
    while held and held[-1].terms.paused:
        since = held.pop().begin
    if not held:
        return {}
    if since == moment.at:
        return _of(held[-1])
    return {key: grant for key, grant in _of(held[-1]).items()
            if _spell(moment.period, moment.piece, grant, moment.at)[0] < since}  # fmt: skip


def _due(moment: Moment, old: Doc | None, new: Doc | None) -> Fraction:
    some = new or old
    assert some is not None
    nominal = _spell(moment.period, moment.piece, some, moment.at)
    if nominal[0] == moment.at:
        old = None
    before, after = (Fraction(0) if each is None else decimal(each, "amount") for each in (old, new))
    if old == new:
        return Fraction(0)
    if not (new or some).get("prorate", True):
        return max(after - before, Fraction(0))
    return part(after, nominal, moment.at, nominal[1]) - part(before, nominal, moment.at, nominal[1])
