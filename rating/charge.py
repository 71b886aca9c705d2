"""A charge's rule: the one place that knows the order of the modifiers, and why it is that order.

    convert → included → price → discount_percent     for each dimension group (`Rule`)
    → minimum or commitment → maximum                 over the sum of the groups (`Bounds`)

What is counted is brought into the priced unit first, so that an allowance is in that unit; what an allowance
takes is never priced; a discount is on what is priced; and the bounds come last, over all groups, so that
neither a discount nor an allowance undercuts a minimum, and nothing passes a maximum.

>>> price = {"model": "per_unit", "unit_amount": "10"}
>>> rule = rule_from({"price": price, "included": "5", "discount_percent": "50"})
>>> rule.total(7 * 10**12, rule.included) == 10 * 10**36
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rating import numbers
from rating.errors import PriceError
from rating.modifiers import ONE, Bounds, Commitment, Convert
from rating.numbers import AMOUNT_DIGITS, OVERAGE_DIGITS, QTY, QTY_DIGITS, check_amount
from rating.prices import (
    UNPRICED,
    CurvePrice,
    Dynamic,
    EntryPrice,
    Matrix,
    Part,
    Price,
    PricedEvent,
    QuantityPrice,
    Scheduled,
    merged,
    price_of,
)
from rating.prices.fields import choice, document, number, optional, positive

Doc = Mapping[str, Any]
Share = Callable[[str, int], int]
"""The prorated part of a named figure, both in 10⁻¹²."""
Held = Callable[[int], int]
"""The part of a figure that the held time takes, both in 10⁻¹²."""
_HUNDRED: int = 100 * 10**numbers.DISCOUNT_DIGITS
_QTY_TO_AMOUNT: int = 10 ** (AMOUNT_DIGITS - QTY_DIGITS)


@dataclass(frozen=True)
class Rule:
    """A compiled charge. `included` in 10⁻¹², `discount` in 10⁻⁴ percent, the bounds in 10⁻³⁶."""

    price: Price
    convert: Convert | None
    included: int
    discount: int
    minimum: int | None
    maximum: int | None
    commitment: Commitment | None = None
    dimensions: tuple[str, ...] = ()

    def curve(self, dimensions: Mapping[str, str]) -> QuantityPrice:
        """The price of a group's quantity; only a `matrix` looks at dimensions. For kind `quantity`."""
        if self._curve is not None:
            return self._curve
        if isinstance(self.price, Matrix):
            return self.price.curve_of(dimensions) or UNPRICED
        raise PriceError("a price of events has no curve of a quantity: give the events")

    @cached_property
    def _curve(self) -> QuantityPrice | None:
        """The one price of all groups, where there is one."""
        return self.price if isinstance(self.price, CurvePrice) else None

    def charged(self, quantity: int, included: int) -> int:
        """What of Q is priced: converted, less what is included, never negative."""
        q = (quantity if self.convert is None else self.convert.apply(quantity)) - included
        return q if q > 0 else 0

    def discounted(self, amount: int) -> int:
        """Exact: a price has at most 30 fractional digits, a discount adds six."""
        return amount if not self.discount else amount * (_HUNDRED - self.discount) // _HUNDRED

    def total(self, quantity: int, included: int = 0, dimensions: Mapping[str, str] | None = None) -> int:
        """What a group costs: the order from `convert` to `discount_percent`. Raises `Overflow`."""
        return check_amount(
            self.discounted(self.curve(dimensions or {}).total(self.charged(quantity, included)))
        )

    def parts(
        self, quantity: int, included: int = 0, dimensions: Mapping[str, str] | None = None
    ) -> tuple[Part, ...]:
        """The same by tier; the parts sum to `total`."""
        return self._off(self.curve(dimensions or {}).parts(self.charged(quantity, included)))

    def event_parts(
        self, events: Sequence[PricedEvent], included: int = 0, dimensions: Mapping[str, str] | None = None
    ) -> tuple[Part, ...]:
        """What a group's events cost by tier, whatever the kind of price. `events` are sorted."""
        if isinstance(self.price, Matrix | CurvePrice):
            return self.parts(sum(event.value for event in events), included, dimensions)
        return self._off(self._event_parts(self.price, events))

    def figure(self, name: str) -> int | None:
        """A bound as it is written, in 10⁻¹²: `included`, `maximum`, `quantity` or `amount` (the committed ones)."""
        if name == "included":
            return self.included
        if name == "maximum":
            return None if self.maximum is None else self.maximum // _QTY_TO_AMOUNT
        return None if self.commitment is None else getattr(self.commitment, name)

    @cached_property
    def plain_bounds(self) -> Bounds:
        """The bounds of a whole period."""
        return self.bounds()

    @property
    def by_window(self) -> str | None:
        """The window in which the commitment takes each by itself."""
        return None if self.commitment is None else self.commitment.window

    def bounds(self, included: int | None = None, share: Share | None = None) -> Bounds:
        """The bounds over all groups. `share(name, figure)` prorates maximum and commitment; `included` is the allowance
        that a committed quantity is priced with. What is due at the close is all of it.
        """
        share = share or _whole
        allowance = self.included if included is None else included
        maximum = self.figure("maximum")
        if maximum is not None:
            maximum = share("maximum", maximum) * _QTY_TO_AMOUNT
        floor = self.floor(allowance, _all)
        if self.commitment is None:
            return Bounds(floor, None, ONE, maximum)
        committed = self._committed(self.commitment, share, allowance)
        return Bounds(floor, committed, self.commitment.overage, maximum)

    @property
    def floored(self) -> bool:
        """Whether something is due at the close whatever was used: a minimum, or a commitment with `true_up`."""
        return self.minimum is not None or (self.commitment is not None and self.commitment.true_up)

    def floor(self, included: int, held: Held) -> int | None:
        """What is due at the close for the time that `held` takes of a figure; `None` where nothing is."""
        if not self.floored:
            return None
        if self.commitment is not None:
            return self._committed(self.commitment, lambda name, figure: held(figure), included)
        assert self.minimum is not None, "what is due at the close is a minimum or a commitment"
        return held(self.minimum // _QTY_TO_AMOUNT) * _QTY_TO_AMOUNT

    def _committed(self, commitment: Commitment, share: Share, included: int) -> int:
        if commitment.amount is not None:
            return share("amount", commitment.amount) * _QTY_TO_AMOUNT
        assert commitment.quantity is not None, "a commitment has an amount or a quantity: rule_from checks"
        one = PricedEvent(0, "", share("quantity", commitment.quantity))
        return check_amount(sum(part.amount for part in self.event_parts([one], included)))

    def _event_parts(
        self, price: EntryPrice | Scheduled[EntryPrice], events: Sequence[PricedEvent]
    ) -> tuple[Part, ...]:
        if isinstance(price, Scheduled):
            # Each entry has a Q of its own, so `convert` acts on each.
            slots: list[list[PricedEvent]] = [[] for _ in price.prices]
            for event in events:
                slots[price.slot(event.time)].append(event)
            found = [self._event_parts(each, slot) for each, slot in zip(price.prices, slots, strict=True)]
            return merged(part for parts in found for part in parts)
        if isinstance(price, CurvePrice):
            return price.parts(self.charged(sum(event.value for event in events), 0))
        if self.convert is not None and not isinstance(price, Dynamic):
            events = [event._replace(value=self.convert.apply(event.value)) for event in events]
        return price.parts_of(events)

    def _off(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        if not self.discount:
            return tuple(parts)
        return tuple(part._replace(amount=self.discounted(part.amount)) for part in parts)


def _whole(name: str, figure: int) -> int:
    return figure


def _all(figure: int) -> int:
    return figure


def rule_from(doc: Doc, at: str = "charge") -> Rule:
    """The rule of a charge's document; `at` is where it stands, for errors. Raises `PriceError`."""
    price = price_of(document(doc.get("price"), f"{at}.price"), f"{at}.price")
    convert = (
        None
        if doc.get("convert") is None
        else _convert(document(doc["convert"], f"{at}.convert"), f"{at}.convert")
    )
    included = number(doc, "included", at, numbers.quantity, 0)
    if price.kind != "quantity" and included:
        raise PriceError(f"{at}.included is no modifier of a price of events: remove it")
    if isinstance(price, Dynamic) and convert is not None:
        raise PriceError(f"{at}.convert is no modifier of a dynamic price: remove it")
    discount = number(doc, "discount_percent", at, _discount, 0)
    if discount > _HUNDRED:
        raise PriceError(f"{at}.discount_percent is more than 100: give 100 or less")
    minimum = optional(doc, "minimum", at, numbers.amount)
    maximum = optional(doc, "maximum", at, numbers.amount)
    commitment = None if doc.get("commitment") is None else _commitment(doc, price, f"{at}.commitment")
    if commitment is not None and minimum is not None:
        raise PriceError(f"{at}.minimum stands beside commitment, which replaces it: keep one")
    dimensions = doc.get("dimensions") or (price.dimensions if isinstance(price, Matrix) else ())
    return Rule(price, convert, included, discount, minimum, maximum, commitment, tuple(dimensions))


def _convert(doc: Doc, at: str) -> Convert:
    multiply = number(doc, "multiply", at, numbers.quantity, QTY)
    divide = QTY if doc.get("divide") is None else positive(doc, "divide", at, numbers.quantity)
    return Convert(multiply, divide, choice(doc, "round", at, ("none", "up", "down", "half_up")))


def _commitment(doc: Doc, price: Price, at: str) -> Commitment:
    fields = document(doc["commitment"], at)
    quantity, amount = (
        optional(fields, "quantity", at, numbers.quantity),
        optional(fields, "amount", at, numbers.quantity),
    )
    if (quantity is None) == (amount is None):
        raise PriceError(f"{at} needs one of quantity and amount: give either")
    if quantity is not None and isinstance(price, Matrix | Dynamic | Scheduled):
        raise PriceError(
            f"{at}.quantity has no one price in a {doc['price']['model']} price: commit to an amount"
        )
    overage = number(fields, "overage_factor", at, _overage, ONE)
    true_up = fields.get("true_up", False)
    if not isinstance(true_up, bool):
        raise PriceError(f"{at}.true_up is {numbers.shown(true_up)}: write true or false")
    return Commitment(quantity, amount, overage, true_up, fields.get("window"))


def _discount(value: numbers.Number) -> int:
    return numbers.scaled(value, numbers.DISCOUNT_DIGITS)


def _overage(value: numbers.Number) -> int:
    return numbers.scaled(value, OVERAGE_DIGITS)
