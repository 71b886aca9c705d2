"""Meters: which events are read, and what of them is aggregated."""

from __future__ import annotations

import typing
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from schemas.catalog.base import Model, choice, wrong
from schemas.catalog.scalars import Duration, Key, Path, PositiveQuantity, Property, Scalars, Text

Aggregation = typing.Literal["sum", "count", "min", "max", "avg", "unique", "latest", "time_weighted_sum"]
Window = typing.Literal["1m", "1h", "1d"]
GroupBy = Annotated[dict[Key, Path], Field(max_length=20)]
Filter = Annotated[dict[Property, Scalars], Field(max_length=20)]


class Units(Model):
    """The event's own unit, and the exact factor of each into the meter's."""

    path: Path
    factors: Annotated[dict[Text, PositiveQuantity], Field(min_length=1, max_length=100)]


class Source(Model):
    """One event type of a meter, with its own paths and its factor into the meter's unit."""

    event_type: Text
    value: Path | None = None
    group_by: GroupBy = {}
    filter: Filter = {}
    multiply: PositiveQuantity = "1"
    units: Units | None = None

    @model_validator(mode="after")
    def _one_factor(self) -> Self:
        if self.units is not None and self.multiply != "1":
            raise wrong(
                "has both multiply and units", "keep one: units already brings a factor for each unit"
            )
        return self


class Match(Model):
    """Where the value stands that both events share, where the paths differ."""

    usage: Path
    outcome: Path


class Outcome(Model):
    """The event that decides whether an event of the meter counts."""

    event_type: Text
    match: Annotated[Any, choice(Path, Match)]
    when: Annotated[dict[Property, Scalars], Field(max_length=20)] = {}
    within: Duration


class Meter(Model):
    """A meter. `sources` stands for `event_type` and `value`."""

    key: Key
    event_type: Text | None = None
    aggregation: Aggregation
    value: Path | None = None
    unit: Text | None = None
    group_by: GroupBy = {}
    filter: Filter = {}
    window: Window = "1h"
    bucket: Window | None = None
    rollup: typing.Literal["sum", "max", "avg"] | None = None
    sources: Annotated[list[Source], Field(max_length=50)] = []
    value_is: typing.Literal["change", "level"] = "change"
    per: typing.Literal["period", "hour", "second"] = "period"
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.event_type is None) == (not self.sources):
            problem = "stands beside sources" if self.sources else "is missing"
            raise wrong(problem, "give either event_type, or sources with one each", ("event_type",))
        if self.sources and self.value is not None:
            raise wrong("stands beside sources", "give each source its own value", ("value",))
        for at, value in self._values():
            if self.aggregation == "count" and value is not None:
                raise wrong("is not read by count", "remove value, or use aggregation: sum", at)
            if self.aggregation != "count" and value is None:
                raise wrong(
                    "is missing", f"add a path like value: $.tokens, which {self.aggregation} needs", at
                )
        if (self.bucket is None) != (self.rollup is None):
            missing = "rollup" if self.rollup is None else "bucket"
            raise wrong("is missing", "give bucket and rollup together, or neither", (missing,))
        self._sources()
        self._level()
        return self

    def _values(self) -> list[tuple[tuple[str | int, ...], str | None]]:
        if self.sources:
            return [(("sources", index, "value"), source.value) for index, source in enumerate(self.sources)]
        return [(("value",), self.value)]

    def _sources(self) -> None:
        seen: set[str] = set()
        names = set(self.dimension_names())
        for index, source in enumerate(self.sources):
            if source.event_type in seen:
                raise wrong("is read by another source already", "give each event type one source",
                            ("sources", index, "event_type"))  # fmt: skip
            seen.add(source.event_type)
            if set(source.group_by or self.group_by) != names:
                raise wrong(
                    f"has other names than the meter's: {', '.join(sorted(names)) or 'none'}",
                    "give every source the same names, each with its own path",
                    ("sources", index, "group_by"),
                )
            if self.aggregation in ("count", "unique") and (
                source.multiply != "1" or source.units is not None
            ):
                raise wrong(f"has a factor, and {self.aggregation} has no number to convert",
                            "remove multiply and units", ("sources", index))  # fmt: skip

    def _level(self) -> None:
        if self.aggregation != "time_weighted_sum":
            for name in ("value_is", "per"):
                if name in self.model_fields_set:
                    raise wrong("is a field of time_weighted_sum only", f"remove {name}", (name,))

    def dimension_names(self) -> list[str]:
        """The names that its usage is grouped by."""
        return sorted(self.group_by or (self.sources[0].group_by if self.sources else {}))
