"""The modifiers of a charge: a conversion of its quantity, a commitment, and the bounds on what its groups come to.

Their order stands in `rating.charge`, once.
"""

from __future__ import annotations

from typing import NamedTuple

from rating.numbers import OVERAGE_DIGITS, QTY, half_even

ONE: int = 10**OVERAGE_DIGITS
"""An overage factor of 1."""


class Convert(NamedTuple):
    """Q × `multiply` / `divide`, both in 10⁻¹²: to 12 digits half even, or to whole units where `rounding`
    says so.

    Either way it is rounded once, from the exact quotient.
    """

    multiply: int
    divide: int
    rounding: str

    def apply(self, quantity: int) -> int:
        """The converted quantity."""
        product = quantity * self.multiply
        if self.rounding == "none":
            return half_even(product, self.divide)
        whole = self.divide * QTY
        if self.rounding == "up":
            return -(-product // whole) * QTY
        if self.rounding == "down":
            return product // whole * QTY
        return (2 * product + whole) // (2 * whole) * QTY


class Commitment(NamedTuple):
    """A promised `amount`, or what a promised `quantity` costs (the other is `None`), both in 10⁻¹²;
    `overage` in 10⁻³.

    With `window` each window is taken by itself.
    """

    quantity: int | None
    amount: int | None
    overage: int
    true_up: bool
    window: str | None


class Bounds(NamedTuple):
    """What holds for the sum of a charge's groups; amounts in 10⁻³⁶, `None` where there is no such bound.

    `floor` is the minimum, or with `true_up` the commitment: due at the close. Beyond `committed` every
    amount counts `overage` / 10³ times.
    """

    floor: int | None
    committed: int | None
    overage: int
    maximum: int | None

    @property
    def steps(self) -> bool:
        """Whether what is running already changes amounts."""
        return self.committed is not None or self.maximum is not None

    def running(self, amount: int) -> int:
        """What the charge comes to while its period is open: what acts at once."""
        if self.committed is not None and amount > self.committed:
            amount = self.committed + (amount - self.committed) * self.overage // ONE
        return amount if self.maximum is None or amount < self.maximum else self.maximum

    def closed(self, amount: int) -> int:
        """What it comes to once its period is closed."""
        amount = self.running(amount)
        if self.floor is not None and amount < self.floor:
            amount = self.floor
        return amount if self.maximum is None or amount < self.maximum else self.maximum
