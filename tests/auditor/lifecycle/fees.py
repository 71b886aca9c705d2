"""What fees come to: the parts of their amounts over the spans in which they are held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from tests.auditor.lifecycle.answer import Due
from tests.auditor.lifecycle.calendar import period_at
from tests.auditor.lifecycle.timeline import Period, Piece
from tests.auditor.lifecycle.words import Doc, part
from tests.auditor.lifecycle.words import field as decimal


@dataclass
class Held:
    """A fee in one of its own periods: spans with `quantity × amount` and its document, and when the period stops."""

    nominal: tuple[int, int]
    spans: list[tuple[int, int, Fraction, Doc]] = field(default_factory=list)
    stop: int = 0
    gives_back: bool | None = None
    currency: str = "USD"
    grace_end: int = 0


def fees(periods: list[Period], until: int) -> Iterator[tuple[str, int, Due]]:
    """`(fee, start of its period, what is due)` for all that is booked by `until`; `once` has the first span's period."""
    held, once = _held(periods)
    for (key, begin, _), each in held.items():
        if not each.spans:
            continue
        fee = each.spans[-1][3]
        if fee.get("timing", "advance") == "arrears" and each.stop > until:
            continue
        closed = each.grace_end <= until
        yield key, begin, Due(_cost(each), closed=closed, currency=each.currency, end=each.stop)
    for key, (period, amount, currency, fee) in once.items():
        # In arrears it is due at the end of the period in which it is held first.
        if fee.get("timing", "advance") == "advance" or (not period.open and period.stop <= until):
            yield key, period.begin, Due(amount, currency=currency)


Once = dict[str, tuple[Period, Fraction, str, Doc]]


def _held(periods: list[Period]) -> tuple[dict[tuple[str, int, int | None], Held], Once]:
    held: dict[tuple[str, int, int | None], Held] = {}
    once: Once = {}
    for number, period in enumerate(periods):
        for piece in period.pieces:
            for fee in piece.plan.get("fees", ()):
                if piece.begin == piece.end or piece.terms.paused:
                    continue
                cost = _quantity(piece, fee) * decimal(fee, "amount")
                if fee.get("every", "period") == "once":
                    once.setdefault(fee["key"], (period, cost, piece.plan["currency"], fee))
                    continue
                nominal = _nominal(period, piece, fee)
                name = (fee["key"], nominal[0], piece.terms.anchor)
                each = held.setdefault(name, Held(nominal, currency=piece.plan["currency"]))
                last = number == len(periods) - 1 and period.open and piece is period.pieces[-1]
                end = nominal[1] if last else min(piece.end, period.stop)
                each.spans.append((piece.begin, end, cost, fee))
    _stops(periods, held)
    return held, once


def _stops(periods: list[Period], held: dict[tuple[str, int, int | None], Held]) -> None:
    """Where each fee's period stops: its nominal end, or earlier with the subscription or a new anchor."""
    for (_, _, anchor), each in held.items():
        inside = [
            period
            for period in periods
            if period.pieces[0].terms.anchor == anchor and each.nominal[0] <= period.begin < each.nominal[1]
        ]
        last = inside[-1]
        early = not last.open and last.stop < each.nominal[1]
        each.stop = last.stop if early else each.nominal[1]
        each.gives_back = last.gives_back if early else None
        each.grace_end = last.closes + each.stop - last.stop


def _nominal(period: Period, piece: Piece, fee: Doc) -> tuple[int, int]:
    every = fee.get("every", "period")
    if every == "period":
        return period.begin, period.end
    return period_at(every, piece.terms.zone, piece.terms.anchor, piece.begin)


def _quantity(piece: Piece, fee: Doc) -> Fraction:
    return decimal(piece.terms.quantities, fee["key"], str(fee.get("quantity", "1")))


def _cost(each: Held) -> Fraction:
    whole = [cost for _, _, cost, fee in each.spans if not _prorated(each, fee)]
    parts = [
        part(cost, each.nominal, begin, each.nominal[1] if _kept(each, end) else end)
        for begin, end, cost, fee in each.spans
        if _prorated(each, fee)
    ]
    return sum(parts, Fraction(0)) + max(whole, default=Fraction(0))


def _prorated(each: Held, fee: Doc) -> bool:
    return fee.get("prorate", True) is not False or each.gives_back is True


def _kept(each: Held, end: int) -> bool:
    """A cancellation with `prorate: false` gives nothing back."""
    return each.gives_back is False and end == each.stop
