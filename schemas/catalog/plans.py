"""Plans: fees, charges, entitlements, limits, grants, trials, and the overrides of all these."""

from __future__ import annotations

import typing
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, Field, create_model, model_validator

from rating import numbers
from schemas.catalog.base import Literal, Made, Model, wrong
from schemas.catalog.limits import Limit
from schemas.catalog.meters import Window
from schemas.catalog.prices import Price, unique
from schemas.catalog.scalars import (
    Amount,
    Boolean,
    Currency,
    Discount,
    Duration,
    Id,
    Key,
    OverageFactor,
    PositiveQuantity,
    PositiveRate,
    Quantity,
    Rate,
    Time,
    Unit,
    duration,
    integer,
    scalar,
    time,
)

Length = typing.Literal["day", "week", "month", "quarter", "year"]
Every = typing.Literal["period", "once", "day", "week", "month", "quarter", "year"]


class Fee(Model):
    """A fixed amount for each of its periods."""

    key: Key
    amount: Amount
    timing: typing.Literal["advance", "arrears"] = "advance"
    every: Every = "period"
    quantity: Quantity = "1"
    prorate: Boolean = True

    @model_validator(mode="after")
    def _exact(self) -> Self:
        if numbers.quantity(self.amount) * numbers.quantity(self.quantity) % numbers.QTY:
            raise wrong("has a quantity × amount of more than 12 fractional digits", "give fewer digits")
        return self


class Convert(Model):
    """From the meter's unit to the priced one."""

    multiply: Quantity = "1"
    divide: PositiveQuantity = "1"
    round: typing.Literal["none", "up", "down", "half_up"] = "none"


class Commitment(Model):
    """A promised amount, or what a promised quantity costs."""

    quantity: Quantity | None = None
    amount: Amount | None = None
    overage_factor: OverageFactor = "1"
    true_up: Boolean = False
    window: Window | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.quantity is None) == (self.amount is None):
            raise wrong("needs one of quantity and amount", "give either quantity or amount")
        return self


class Charge(Model):
    """Usage of a meter under a price, with its modifiers."""

    key: Key
    meter: Key
    dimensions: Annotated[list[Key], Field(max_length=20)] = []
    unit: Key | None = None
    prorate: Boolean = True
    price: Price
    convert: Convert | None = None
    included: Quantity = "0"
    discount_percent: Discount = "0"
    minimum: Amount | None = None
    maximum: Amount | None = None
    commitment: Commitment | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        unique(self.dimensions, "dimensions")
        by_event = self.price.model in ("percentage", "dynamic", "scheduled") or (
            getattr(self.price, "scope", "period") == "event"
        )
        if by_event and self.included != "0":
            raise wrong("is no modifier of a price by event", "remove included", ("included",))
        if self.price.model == "dynamic" and self.convert is not None:
            raise wrong("is no modifier of a dynamic price", "remove convert", ("convert",))
        if self.commitment is not None and self.minimum is not None:
            raise wrong(
                "stands beside commitment", "keep one: a commitment replaces the minimum", ("minimum",)
            )
        low, high = self.minimum, self.maximum
        if low is not None and high is not None and numbers.quantity(low) > numbers.quantity(high):
            raise wrong(f"is below the minimum {low}", "give a maximum of at least the minimum", ("maximum",))
        if self.price.model == "matrix" and self.dimensions:
            gone = [name for name in self.price.dimensions if name not in self.dimensions]
            if gone:
                raise wrong(f"has no {gone[0]}, which the matrix price needs",
                            f"add {gone[0]}, or leave dimensions out", ("dimensions",))  # fmt: skip
        if (
            self.price.model == "matrix"
            and self.commitment is not None
            and self.commitment.quantity is not None
        ):
            raise wrong("has no one price in a matrix", "commit to an amount", ("commitment", "quantity"))
        return self


def _value(value: object) -> Any:
    return value if isinstance(value, bool) else scalar(value)


class Entitlement(Model):
    """Access to a feature."""

    feature: Key
    value: Annotated[
        bool | str | None, BeforeValidator(lambda value: None if value is None else _value(value))
    ] = None
    included: Quantity | None = None
    overage: typing.Literal["allowed", "denied"] | None = None
    unit: Key | None = None
    prorate: Boolean = True

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if self.unit is not None and self.included is not None:
            raise wrong("stands beside unit", "keep one: with unit the balance is what is left of that unit",
                        ("included",))  # fmt: skip
        return self


class Rollover(Model):
    """What is left of a grant at its period's end."""

    min: Quantity = "0"
    max: Quantity | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max is not None and numbers.quantity(self.min) > numbers.quantity(self.max):
            raise wrong(f"is below min {self.min}", "give a max of at least min", ("max",))
        return self


class AppliesTo(Model):
    """The only charges (fees too, where named) and meters that a grant pays for."""

    charges: Annotated[list[Key], Field(max_length=200)] = []
    meters: Annotated[list[Key], Field(max_length=200)] = []


Priority = Annotated[int, BeforeValidator(integer(0, 1_000_000))]


def _expires_after(value: object) -> int | str:
    if value == "never":
        return "never"
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        return integer(1, 1000)(value)
    if isinstance(value, str) and not isinstance(value, Literal):
        return duration()(value)
    raise wrong("is no expiry", "write a number of periods, a duration like 14d, or never")


class Grant(Model):
    """Credits that a plan gives again and again."""

    key: Key
    unit: Unit
    amount: PositiveQuantity
    every: Every = "period"
    expires_after: Annotated[int | str, BeforeValidator(_expires_after)] = 1
    rollover: Rollover | None = None
    priority: Priority = 50
    prorate: Boolean = True
    applies_to: AppliesTo | None = None


class Trial(Model):
    """Time on another plan before this one."""

    plan: Key
    duration: Duration
    eligible: Key | None = None
    then: Key | None = None


Fees = Annotated[list[Fee], Field(max_length=50)]
Charges = Annotated[list[Charge], Field(max_length=200)]
Entitlements = Annotated[list[Entitlement], Field(max_length=200)]
Limits = Annotated[list[Limit], Field(max_length=50)]
Grants = Annotated[list[Grant], Field(max_length=50)]
Rates = Annotated[dict[Key, Rate], Field(max_length=50)]


class Part(Model):
    """A part of an override: only the fields that it names count, null takes one away."""


def _part(model: type[BaseModel], key: str) -> Made:
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kept: Any = field.annotation if not field.metadata else Annotated[(field.annotation, *field.metadata)]
        # `field.annotation` may be a union already; the key alone stays required.
        fields[name] = (kept, ...) if name == key else (kept | None, None)
    return Made(create_model(f"{model.__name__}Part", __base__=Part, **fields))


class Overrides(Part):
    """Prices and terms in place of the plan's, for one subscription or for those that `when` picks."""

    currency: Currency | None = None
    grace: Duration | None = None
    fees: Annotated[list[Annotated[Any, _part(Fee, "key")]], Field(max_length=50)] = []
    charges: Annotated[list[Annotated[Any, _part(Charge, "key")]], Field(max_length=200)] = []
    entitlements: Annotated[list[Annotated[Any, _part(Entitlement, "feature")]], Field(max_length=200)] = []
    limits: Annotated[list[Annotated[Any, _part(Limit, "key")]], Field(max_length=50)] = []
    grants: Annotated[list[Annotated[Any, _part(Grant, "key")]], Field(max_length=50)] = []
    trial: Trial | None = None
    conversion_rates: Annotated[dict[Key, PositiveRate], Field(max_length=50)] = {}


class When(Model):
    """What a subscription must have for an override to hold."""

    storefront: Key | None = None
    region: Id | None = None
    channel: Id | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise wrong(
                "names nothing, so it would hold for all", "name a storefront, region, channel or currency"
            )
        return self


class PlanOverride(Overrides):
    """An override of a plan."""

    when: When


EXISTING = ("keep", "renewal")


def _existing(value: object) -> str:
    if isinstance(value, str) and (value in EXISTING or not value[:1].isdigit()):
        if value in EXISTING:
            return str(value)
        raise wrong(
            "is none of keep, renewal or a time", "write keep, renewal or a time like 2026-01-01T00:00:00Z"
        )
    return time(value)


class Plan(Model):
    """One version of a plan."""

    key: Key
    version: Annotated[int, BeforeValidator(integer(1, 1_000_000))]
    effective_from: Time
    currency: Currency
    period: Length
    grace: Annotated[str, BeforeValidator(duration(least=0, most=366 * 86_400_000_000))] = "1h"
    existing: Annotated[str, BeforeValidator(_existing)] = "keep"
    trial: Trial | None = None
    conversion_rates: Rates = {}
    fees: Fees = []
    charges: Charges = []
    entitlements: Entitlements = []
    limits: Limits = []
    grants: Grants = []
    overrides: Annotated[list[PlanOverride], Field(max_length=200)] = []
