"""A part of a price: what one tier, cell or allowance contributes. Parts sum to the total, to the last digit.

Quantities are in 10⁻¹² units, amounts in 10⁻³⁶ of the currency (or credit unit) of the charge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """`tier` counts from 1; `unit_amount` is plain decimal text, else `None`."""

    tier: int | None
    quantity: int
    unit_amount: str | None
    amount: int
    unpriced: bool = False


def merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts of the same tier and unit amount as one, in order of tier; those of nothing are left out."""
    sums: dict[tuple[int | None, str | None, bool], list[int]] = {}
    for part in parts:
        held = sums.setdefault((part.tier, part.unit_amount, part.unpriced), [0, 0])
        held[0] += part.quantity
        held[1] += part.amount
    found = [
        Part(tier, q, unit, amount, unpriced)
        for (tier, unit, unpriced), (q, amount) in sums.items()
        if q or amount
    ]
    found.sort(key=_tier)
    return tuple(found)


def differences(before: Sequence[Part], after: Sequence[Part]) -> tuple[Part, ...]:
    """What changed from one list of parts to the other: the `details` of a charge line.

    Almost always the lists differ in their last part alone: those before it cancel out, and need no sums.
    """
    if before and len(before) == len(after):
        old, new = before[-1], after[-1]
        one_tier = (old.tier, old.unit_amount, old.unpriced) == (new.tier, new.unit_amount, new.unpriced)
        if one_tier and before[:-1] == after[:-1]:
            quantity, amount = new.quantity - old.quantity, new.amount - old.amount
            return (
                (Part(new.tier, quantity, new.unit_amount, amount, new.unpriced),)
                if quantity or amount
                else ()
            )
    return merged([*after, *(part._replace(quantity=-part.quantity, amount=-part.amount) for part in before)])


def total(parts: Iterable[Part]) -> int:
    """The sum of the amounts."""
    return sum(part.amount for part in parts)


def _tier(part: Part) -> int:
    return part.tier or 0
