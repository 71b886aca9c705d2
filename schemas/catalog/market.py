"""What surrounds the plans: features, the tenant's settings, storefronts, costs and exchange rates."""

from __future__ import annotations

import typing
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.catalog.base import Model, wrong
from schemas.catalog.scalars import Currency, Id, Key, PositiveRate, Scalars, Time, Timezone, UnitAmount


class Feature(Model):
    """Something that plans give access to."""

    key: Key
    kind: typing.Literal["boolean", "static", "metered"]
    meter: Key | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if self.kind != "metered" and self.meter is not None:
            raise wrong(f"is {self.kind} with a meter", "use kind: metered, or remove meter")
        return self


class TenantSettings(Model):
    """Of the tenant."""

    timezone: Timezone = "UTC"
    base_currency: Currency | None = None


class Storefront(Model):
    """Where plans are sold, and what a subscription takes from there unless it says so itself."""

    key: Key
    channel: Id | None = None
    region: Id | None = None
    currency: Currency | None = None
    timezone: Timezone | None = None
    plans: Annotated[list[Key], Field(max_length=500)] = []


class Cost(Model):
    """What a unit of a meter costs us."""

    meter: Key
    when: Annotated[dict[Key, Scalars], Field(max_length=20)] = {}
    unit_cost: UnitAmount
    effective_from: Time


class Fx(Model):
    """An exchange rate, for reports alone."""

    from_: Currency = Field(alias="from")
    to: Currency
    rate: PositiveRate
    effective_from: Time

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.from_ == self.to:
            raise wrong(f"goes from {self.to} to itself", "name two currencies")
        return self
