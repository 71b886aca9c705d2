"""What is available of a feature, and whether a reservation is granted: the least of what bounds it.

A bound has a `rest` (of the balance, of a hard limit) and a `cost`: what a quantity takes of it, the quantity itself or its
price. Available is the largest quantity whose cost fits in the rest of every bound, less what is held of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rating.errors import Overflow
from rating.numbers import QTY
from rating.reservations import BoundKey

Cost = Callable[[int], int]
"""From a quantity in 10⁻¹² to what it takes of the bound, at the bound's scale. Never falls."""
QUANTITY_LIMIT: int = 10**18 * QTY
"""No quantity of an event is larger: what costs no more up to here has no bound."""
BALANCE, LIMIT = "balance", "limit"


class Bound(NamedTuple):
    """`rest` is what is left before this request, holds taken off. `cost` `None` is the quantity itself."""

    key: BoundKey
    kind: str
    rest: int
    cost: Cost | None = None
    resets_at: str | None = None

    def takes(self, quantity: int) -> int:
        """What a quantity takes of it."""
        return quantity if self.cost is None else self.cost(quantity)

    def fits(self, quantity: int) -> bool:
        """Whether a quantity fits."""
        try:
            return self.takes(quantity) <= self.rest
        except Overflow:
            return False

    def available(self) -> int | None:
        """The largest quantity that fits, `None` where every one does."""
        if self.cost is None:
            return max(self.rest, 0)
        if self.rest < 0 or not self.fits(1):
            return 0
        if self.fits(QUANTITY_LIMIT):
            return None
        low, high = self._around()
        while high - low > 1:
            middle = (low + high) // 2
            if self.fits(middle):
                low = middle
            else:
                high = middle
        return low

    def _around(self) -> tuple[int, int]:
        """A quantity that fits and a larger one that does not: what a straight price says is nearly always it."""
        low, high = 1, QUANTITY_LIMIT
        if not self.fits(QTY):
            return low, QTY
        low = QTY
        unit = self.takes(QTY)
        if unit > 0:
            guess = self.rest * QTY // unit
            for tried in (guess, guess + 1):
                if low < tried < high:
                    low, high = (tried, high) if self.fits(tried) else (low, tried)
        step = 2 * low
        while step < high:
            if not self.fits(step):
                return low, step
            low, step = step, 2 * step
        return low, high


class Decision(NamedTuple):
    """`granted` 0 is a refusal, by the first bound that refuses. `available` is what is left after it, `None` no bound."""

    granted: int
    available: int | None
    refused_by: Bound | None = None


def available(bounds: Sequence[Bound]) -> int | None:
    """The least of what the bounds leave; `None` where nothing bounds."""
    found = [left for left in (bound.available() for bound in bounds) if left is not None]
    return min(found, default=None)


def decide(bounds: Sequence[Bound], quantity: int, minimum: int | None) -> Decision:
    """Grant `quantity`, or what there is where that is at least `minimum`. A balance refuses before a limit does."""
    there = available(bounds)
    if all(bound.fits(quantity) for bound in bounds):
        granted = quantity
    elif minimum is not None and there is not None and there >= minimum:
        granted = there
    else:
        need = quantity if minimum is None else minimum
        refusing = [bound for bound in bounds if not bound.fits(need)]
        first = min(refusing, key=lambda bound: bound.kind != BALANCE, default=None)
        return Decision(0, there, first)
    taken = [
        bound._replace(rest=bound.rest - bound.takes(granted), cost=_after(bound, granted))
        for bound in bounds
    ]
    return Decision(granted, available(taken))


def _after(bound: Bound, granted: int) -> Cost | None:
    """What a quantity takes once `granted` is taken."""
    cost = bound.cost
    if cost is None:
        return None
    first = cost(granted)
    return lambda quantity: cost(granted + quantity) - first
