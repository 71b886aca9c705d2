"""`retract_usage` and `amend_usage`: the event as it was is taken back, and rated as it should have been."""

from __future__ import annotations

from typing import Any

from rating import amended, outcomes, rate, usage, waiting
from rating.effects import Effect
from rating.errors import Refused
from rating.history import whole
from rating.records import Command, WasEvent
from rating.state import Waiting
from rating.step import Step
from rating.timeline import timeline
from rating.times import format_time

UNCOUNTED = "rating.uncounted.v1"


def correct(step: Step, command: Command, accept_past: int, metering: Any) -> None:
    """Apply the correction. Raises `Refused`."""
    was, now = command.was, command.now
    assert was is not None
    if was.time is not None and was.time < step.now - accept_past:
        raise Refused(f"event {was.id} is older than accept_past: correct it offline")
    entry = amended.entry_of(step.cells, step.ids, step.tenant, step.account, was.uid)
    if entry is None or entry.retracted:
        raise Refused(
            f"event {was.id} of {was.source} was not accepted for this account, or is taken back already"
        )
    if entry.digest != was.digest or (was.time is not None and entry.time != was.time):
        raise Refused(f"was is not event {was.id} of {was.source} as it was accepted")
    if entry.time < step.now - accept_past:
        raise Refused(f"event {was.id} is older than accept_past: correct it offline")
    before = _waiting(step, was, entry.time, entry.revision, command, metering)
    after = None
    if now is not None:
        time = entry.time if now.time is None else now.time
        if time < step.now - accept_past:
            raise Refused("now.time is older than accept_past")
        after = _waiting(step, now, time, step.catalog.revision, command, metering)
    _apply(step, before, after)
    if after is not None:
        new = entry._replace(digest=now.digest, time=after.time, revision=after.revision)  # type: ignore[union-attr]
        amended.put(step, was.uid, new)
    else:
        amended.put(step, was.uid, entry._replace(retracted=True))
    rows = [
        row
        for event, sign in ((before, -1), (after, 1))
        if event is not None
        for row in _rows(step, event, sign)
    ]
    value = {"partition": step.source.partition, "offset": step.source.offset, "uncounted": [], "rows": rows}
    step.effects.append(Effect(UNCOUNTED, "", value))


def _apply(step: Step, before: Waiting, after: Waiting | None) -> None:
    """Take the event back and rate it as it should have been: in one group and window that is one line."""
    moves = [(before, -1), *([] if after is None else [(after, 1)])]
    rated = []
    for event, sign in moves:
        if outcomes.touches(step, event):
            outcomes.take(step, event, sign)
        if waiting.runs(step, event.subscription, event.time):
            rated.append((usage.ready(step, [event]), sign))
        elif sign > 0:
            waiting.keep(step, waiting.uid_of(event), event)
        else:
            waiting.forget(step, waiting.uid_of(event))
    for sub in step.subscriptions():
        rate.rate_in(step, timeline(step, sub), rated, "correction")


def _waiting(
    step: Step, event: WasEvent, time: int, revision: int, command: Command, metering: Any
) -> Waiting:
    try:
        return whole(event, time, revision, command.received, command.origin, metering(step.tenant, revision))
    except ValueError as error:
        raise Refused(str(error)) from None


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
