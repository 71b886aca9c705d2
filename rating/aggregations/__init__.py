"""The aggregations of meters: one file each, one registry. `README.md` shows how to add one."""

from __future__ import annotations

from functools import lru_cache

from rating.aggregations.buckets import Bucketed
from rating.aggregations.extremes import Extreme
from rating.aggregations.latest import Latest
from rating.aggregations.level import Changes, Levels
from rating.aggregations.protocol import Aggregation, Entries, Span, Values, total
from rating.aggregations.sums import Average, Count, Sum
from rating.aggregations.unique import Unique
from rating.catalog import Meter
from rating.periods import window

__all__ = [
    "AGGREGATIONS", "LEVEL", "Aggregation", "Entries", "Span", "Values", "aggregation_of", "total",
]  # fmt: skip

AGGREGATIONS: dict[str, Aggregation] = {
    "sum": Sum(),
    "count": Count(),
    "avg": Average(),
    "max": Extreme(max),
    "min": Extreme(min),
    "unique": Unique(),
    "latest": Latest(),
}
LEVEL = "time_weighted_sum"


def aggregation_of(meter: Meter, timezone: str) -> Aggregation:
    """What aggregates a meter's usage for a subscription in a time zone."""
    if meter.bucket is None and meter.aggregation != LEVEL:
        return AGGREGATIONS[meter.aggregation]
    return _made(meter, timezone)


@lru_cache(maxsize=4096)
def _made(meter: Meter, timezone: str) -> Aggregation:
    if meter.aggregation == LEVEL:
        return Levels(meter.per) if meter.value_is == "level" else Changes(meter.per)
    inner = AGGREGATIONS[meter.aggregation]
    size = meter.bucket
    assert size is not None, "what has neither level nor bucket is made already"
    return Bucketed(inner, meter.rollup or "sum", lambda moment: window(moment, size, timezone)[0])
