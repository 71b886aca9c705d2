"""Price models: one class each, told apart by `model`."""

from __future__ import annotations

import re
import typing
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from rating import numbers
from schemas.catalog.base import Model, wrong
from schemas.catalog.scalars import (
    Amount,
    Key,
    Path,
    PositiveQuantity,
    Quantity,
    Rate,
    Scalars,
    Timezone,
    UnitAmount,
    WholeNumber,
)

TIERS_MAX = 100
CELLS_MAX = 2000


class Flat(Model):
    """`amount`, once a period."""

    model: typing.Literal["flat"]
    amount: Amount


class PerUnit(Model):
    """`Q × unit_amount`."""

    model: typing.Literal["per_unit"]
    unit_amount: UnitAmount


class Tier(Model):
    """A part of the quantity up to and with `up_to`; null has no end."""

    up_to: Quantity | None
    unit_amount: UnitAmount = "0"
    flat_amount: Amount = "0"


class Step(Model):
    """A tier of `stairstep`."""

    up_to: Quantity | None
    flat_amount: Amount


class RateTier(Model):
    """A tier of `graduated_percentage`."""

    up_to: Quantity | None
    rate: Rate = "0"
    flat_amount: Amount = "0"


def _rising(tiers: Any) -> Any:
    """Tiers rise, and the last one, and only that, has no end."""
    before = -1
    for index, tier in enumerate(tiers):
        last = index == len(tiers) - 1
        if last and tier.up_to is not None:
            raise wrong("ends the last tier, so more than that has no price", "give the last tier up_to: null",
                        ("tiers", index, "up_to"))  # fmt: skip
        if not last and tier.up_to is None:
            raise wrong("is no bound, and the tier is not the last", "put the tier with up_to: null last",
                        ("tiers", index, "up_to"))  # fmt: skip
        if tier.up_to is not None:
            bound = numbers.quantity(tier.up_to)
            if bound <= before:
                raise wrong("is not more than the bound before it", "order the tiers by up_to",
                            ("tiers", index, "up_to"))  # fmt: skip
            before = bound
    return tiers


def _tiers() -> Any:
    return Field(min_length=1, max_length=TIERS_MAX)


ZeroUsage = typing.Literal["charge", "skip"]


class _Tiered(Model):
    tiers: Annotated[list[Tier], _tiers()]
    zero_usage: ZeroUsage = "charge"
    scope: typing.Literal["period", "event"] = "period"
    tier_value: Path | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        _rising(self.tiers)
        if self.tier_value is not None and self.scope != "event":
            raise wrong("is looked at with scope: event only", "add scope: event, or remove tier_value",
                        ("tier_value",))  # fmt: skip
        return self


class Graduated(_Tiered):
    """Each tier prices the part of `Q` in it."""

    model: typing.Literal["graduated"]


class Volume(_Tiered):
    """The tier that holds `Q` prices all of it."""

    model: typing.Literal["volume"]


class Stairstep(Model):
    """The flat amount of the tier that holds `Q`."""

    model: typing.Literal["stairstep"]
    tiers: Annotated[list[Step], _tiers()]
    zero_usage: ZeroUsage = "charge"

    @model_validator(mode="after")
    def _checked(self) -> Self:
        _rising(self.tiers)
        return self


class Package(Model):
    """Packages of `package_size` units beyond `free_units`."""

    model: typing.Literal["package"]
    package_size: PositiveQuantity
    package_amount: Amount
    free_units: Quantity = "0"
    round: typing.Literal["up", "down"] = "up"


class Percentage(Model):
    """A share of each event's value."""

    model: typing.Literal["percentage"]
    rate: Rate
    fixed_amount: Amount = "0"
    free_events: WholeNumber | None = None
    free_amount: Amount | None = None
    event_min: Amount | None = None
    event_max: Amount | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        low, high = self.event_min, self.event_max
        if low is not None and high is not None and numbers.quantity(low) > numbers.quantity(high):
            raise wrong(
                f"is below event_min {low}", "give an event_max of at least event_min", ("event_max",)
            )
        return self


class GraduatedPercentage(Model):
    """As `graduated`, with `rate` percent of the part."""

    model: typing.Literal["graduated_percentage"]
    tiers: Annotated[list[RateTier], _tiers()]
    zero_usage: ZeroUsage = "charge"

    @model_validator(mode="after")
    def _checked(self) -> Self:
        _rising(self.tiers)
        return self


class Cell(Model):
    """A price for the groups that it holds."""

    when: Annotated[dict[Key, Scalars], Field(min_length=1, max_length=20)]
    unit_amount: UnitAmount


class Matrix(Model):
    """A price for each dimension group."""

    model: typing.Literal["matrix"]
    dimensions: Annotated[list[Key], Field(min_length=1, max_length=20)]
    cells: Annotated[list[Cell], Field(max_length=CELLS_MAX)]
    default: UnitAmount | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        unique(self.dimensions, "dimensions")
        for index, cell in enumerate(self.cells):
            for name in cell.when:
                if name not in self.dimensions:
                    raise wrong("is none of the price's dimensions",
                                f"use one of {', '.join(self.dimensions)}, or add {name} to dimensions",
                                ("cells", index, "when", name))  # fmt: skip
        return self


class Dynamic(Model):
    """The sum of the events' own amounts × `multiplier`."""

    model: typing.Literal["dynamic"]
    amount: Path
    multiplier: Rate = "1"


_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)


def _clock(value: object) -> str:
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return str(value)
    raise wrong("is not a local time", 'write it like "08:30"; "24:00" ends the day')


Clock = Annotated[str, BeforeValidator(_clock)]
Day = typing.Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Slot(Model):
    """Local times of some days, and their price."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = [
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
    ]
    from_: Clock = Field(alias="from", default="00:00")
    to: Clock = "24:00"
    price: UnscheduledPrice


class Scheduled(Model):
    """Each event by the first entry that its local time falls in."""

    model: typing.Literal["scheduled"]
    timezone: Timezone = "UTC"
    schedule: Annotated[list[Slot], Field(min_length=1, max_length=100)]
    default: UnscheduledPrice


Plain = Flat | PerUnit | Graduated | Volume | Stairstep | Package | Percentage | GraduatedPercentage | Dynamic
"""The models that a schedule may have too."""
UnscheduledPrice = Annotated[Plain, Field(discriminator="model")]
Price = Annotated[Plain | Matrix | Scheduled, Field(discriminator="model")]
Slot.model_rebuild()
Scheduled.model_rebuild()


def unique(names: list[str], what: str) -> None:
    """Raises `wrong` where a name comes twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise wrong(f"has {twice[0]} twice", "name it once", (what,))
