"""Meters as policies: which events they read, what they aggregate, and in which grain their lines come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rating import numbers
from rating.times import parse_duration

Doc = Mapping[str, Any]
Filter = tuple[tuple[str, tuple[str, ...]], ...]
"""Paths and the texts allowed there, ordered by path."""


class Outcome(NamedTuple):
    """An event of `event_type` with the same value at its path decides whether an event of the meter counts."""

    event_type: str
    usage_path: str
    outcome_path: str
    when: Filter
    within: int


@dataclass(frozen=True, slots=True)
class Meter:
    """`dimensions` are the names of `group_by` in order; values of a reading stand in it. `window` is `1m`, `1h`, `1d`.

    A `retired` meter was left out of a later catalog: it measures on for the plans that have it.
    """

    key: str
    aggregation: str
    unit: str | None
    dimensions: tuple[str, ...]
    window: str
    bucket: str | None = None
    rollup: str | None = None
    value_is: str = "change"
    per: str = "period"
    outcome: Outcome | None = None
    retired: bool = False
    sources: tuple[MeterSource, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MeterSource:
    """One event type of a meter. `group_by` is (name, path) in the order of the meter's dimensions; `value` is absent
    for `count`; `multiply` is the exact factor into the meter's unit in 10⁻¹², `units` (path, ((unit, factor), …))."""

    meter: Meter
    event_type: str
    value: str | None
    group_by: tuple[tuple[str, str], ...]
    filter: Filter
    multiply: int = numbers.QTY
    units: tuple[str, tuple[tuple[str, int], ...]] | None = None


def meter_from(doc: Doc, retired: bool = False) -> Meter:
    """The meter of a canonical document."""
    sources = doc.get("sources") or (doc,)
    meter = Meter(
        key=doc["key"],
        aggregation=doc["aggregation"],
        unit=doc.get("unit"),
        dimensions=tuple(sorted(_of(doc, sources[0], "group_by"))),
        window=doc.get("window", "1h"),
        bucket=doc.get("bucket"),
        rollup=doc.get("rollup"),
        value_is=doc.get("value_is", "change"),
        per=doc.get("per", "period"),
        outcome=_outcome(doc["outcome"]) if doc.get("outcome") else None,
        retired=retired,
    )
    object.__setattr__(meter, "sources", tuple(_source(meter, doc, source) for source in sources))
    return meter


def _of(meter: Doc, source: Doc, field_: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = source.get(field_) or meter.get(field_) or {}
    return found


def _source(meter: Meter, doc: Doc, source: Doc) -> MeterSource:
    group_by = _of(doc, source, "group_by")
    units = source.get("units")
    return MeterSource(
        meter=meter,
        event_type=source["event_type"],
        value=source.get("value"),
        group_by=tuple((name, group_by[name]) for name in meter.dimensions),
        filter=filter_from(_of(doc, source, "filter")),
        multiply=numbers.quantity(source.get("multiply", "1")),
        units=None if units is None else (units["path"], _factors(units["factors"])),
    )


def _factors(doc: Doc) -> tuple[tuple[str, int], ...]:
    return tuple((unit, numbers.quantity(factor)) for unit, factor in sorted(doc.items()))


def filter_from(doc: Mapping[str, Any]) -> Filter:
    """Properties of `data`, by name or as a path, and the texts allowed there."""
    paths = {
        name if name.startswith("$") else f"$.{name}": tuple(sorted(allowed)) for name, allowed in doc.items()
    }
    return tuple(sorted(paths.items()))


def _outcome(doc: Doc) -> Outcome:
    match = doc["match"]
    usage, outcome = (match, match) if isinstance(match, str) else (match["usage"], match["outcome"])
    return Outcome(
        doc["event_type"], usage, outcome, filter_from(doc.get("when", {})), parse_duration(doc["within"])
    )
