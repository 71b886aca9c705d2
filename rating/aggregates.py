"""What a meter's aggregation keeps of a group, so that it can be added to and taken from.

`sum` and `count` keep a number; `max`, `min`, `unique` and `latest` keep every value with its count in cells of their
own, and the answer beside them, so that adding never reads more than one cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rating.cells import Bucket, Cells
from rating.errors import Refused
from rating.numbers import QTY, half_even, quantity

SUPPORTED = ("sum", "count", "max", "min", "unique", "avg", "latest")


def total(values: Sequence[int | str]) -> int:
    """The exact sum of readings, in 10⁻¹²."""
    try:
        return sum(values) * QTY  # type: ignore[arg-type]
    except TypeError:
        return sum(quantity(value) for value in values)


def updated(
    aggregation: str,
    aggregate: Any,
    values: Sequence[int | str],
    keys: Sequence[tuple[int, str]],
    sign: int,
    cells: Cells,
    bucket: Bucket,
) -> tuple[Any, int]:
    """The aggregate and its quantity (10⁻¹²) after `values` were added (`sign` 1) or taken (−1)."""
    if aggregation == "sum":
        result = (aggregate or 0) + sign * total(values)
        return result, result
    if aggregation == "count":
        result = (aggregate or 0) + sign * len(values) * QTY
        return result, result
    if aggregation == "avg":
        before: tuple[int, int] = aggregate or (0, 0)
        added, counted = before[0] + sign * total(values), before[1] + sign * len(values)
        return (added, counted), half_even(added, counted) if counted else 0
    if aggregation == "unique":
        return _unique(aggregate, values, sign, cells, bucket)
    if aggregation in ("max", "min"):
        return _extreme(aggregation, aggregate, values, sign, cells, bucket)
    if aggregation == "latest":
        return _latest(values, keys, sign, cells, bucket)
    raise Refused(f"aggregation {aggregation} is not rated yet")


def _unique(
    aggregate: Any, values: Sequence[int | str], sign: int, cells: Cells, bucket: Bucket
) -> tuple[Any, int]:
    held = int(aggregate or 0)
    for value in values:
        held += _counted(cells, bucket, str(value), sign)
    return held, held * QTY


def _counted(cells: Cells, bucket: Bucket, member: str, sign: int) -> int:
    before = cells.get(bucket, member) or 0
    after = before + sign
    cells.put(bucket, member, after or None)
    return (after != 0) - (before != 0)


def _extreme(
    aggregation: str, aggregate: Any, values: Sequence[int | str], sign: int, cells: Cells, bucket: Bucket
) -> tuple[Any, int]:
    best = aggregate if isinstance(aggregate, int) else None
    choose = max if aggregation == "max" else min
    stale = False
    for each in values:
        value = quantity(each)
        changed = _counted(cells, bucket, str(value), sign)
        if sign > 0:
            best = value if best is None else choose(best, value)
        elif changed and value == best:
            stale = True
    if stale:
        best = choose((int(member) for member, _ in cells.members(bucket)), default=None)
    return best, best or 0


def _latest(
    values: Sequence[int | str], keys: Sequence[tuple[int, str]], sign: int, cells: Cells, bucket: Bucket
) -> tuple[Any, int]:
    for (time, key), each in zip(keys, values, strict=True):
        cells.put(bucket, f"{time:020d}|{key}", str(quantity(each)) if sign > 0 else None)
    newest = max(cells.members(bucket), default=None)
    return None, 0 if newest is None else int(newest[1])
