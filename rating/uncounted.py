"""What analysts' view of usage must leave out, or take out again: records of `rating.uncounted.v1`, internal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rating.effects import Effect
from rating.records import Position
from rating.state import Waiting
from rating.step import Step
from rating.times import format_time

UNCOUNTED = "rating.uncounted.v1"


def uncounted(at: Position, indexes: Sequence[int], rows: Sequence[dict[str, Any]] = ()) -> Effect:
    """The pack at this position without the events of these indexes; `rows` are added, each with its sign."""
    value = {"partition": at.partition, "offset": at.offset, "uncounted": list(indexes), "rows": list(rows)}
    return Effect(UNCOUNTED, "", value)


def rows_of(step: Step, events: Iterable[tuple[Waiting, int]]) -> list[dict[str, Any]]:
    """A row an event and meter, with the event's sign."""
    return [row for event, sign in events for row in _rows(step, event, sign)]


def _rows(step: Step, event: Waiting, sign: int) -> list[dict[str, Any]]:
    shared = {
        "tenant": step.tenant, "account": step.account, "subject": event.subject, "source": event.source,
        "id": event.id, "type": event.type, "time": format_time(event.time), "data": event.data.decode(), "sign": sign,
    }  # fmt: skip
    if not event.readings:
        return [shared | {"meter": "", "value": "0", "dimensions": {}}]
    meters = step.catalog.meters
    return [
        shared
        | {
            "meter": meter,
            "value": str(value),
            "dimensions": dict(zip(meters[meter].dimensions, dims, strict=True)),
        }
        for meter, value, dims in event.readings
    ]
