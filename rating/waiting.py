"""Usage that waits: kept while no subscription runs at its time, rated when one comes, rejected when it is too old.

It waits in the account that used it. Those above it know that it does (`below`), since their subscriptions may rate it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from rating import logclock
from rating.cells import Cells
from rating.effects import Effect
from rating.ids import event_uid
from rating.state import NEVER, Waiting
from rating.step import Step
from rating.timeline import timeline
from rating.times import format_time
from rating.uncounted import rows_of, uncounted

REJECTED = "usage.rejected.v1"
EVENTS = "usage.events.v1"


def bucket(step: Step) -> tuple[str, ...]:
    """Where an account's usage waits."""
    return ("wait", step.tenant, step.account)


def keep(step: Step, uid: bytes, event: Waiting) -> None:
    """Let an event wait."""
    step.cells.put(bucket(step), f"{event.received:020d}|{uid.hex()}", event)
    _tell_above(step)


def runs(step: Step, subscription: str | None, time: int) -> bool:
    """Whether some subscription that an event may rate in runs at its time, the account's own or of one above it."""
    return any(
        timeline(each, sub).runs_at(time)
        for each in step.path()
        for sub in each.subscriptions()
        if subscription in (None, sub.id)
    )


def rate_waiting(step: Step) -> None:
    """Rate what the subscriptions now there run for, here and in the accounts below."""
    _rate_ready(step, step.now - NEVER)
    # What an account below has kept for too long is rejected by its own timer, whichever fires first.
    kept = step.now - logclock.accept_past(step.cells)
    for account in below(step.cells, step.tenant, step.account):
        _rate_ready(step.of(account), kept)


def _rate_ready(step: Step, kept: int) -> None:
    from rating import usage

    ready: list[Waiting] = []
    for member, event in list(step.cells.members(bucket(step))):
        if event.received >= kept and runs(step, event.subscription, event.time):
            ready.append(event)
            step.cells.put(bucket(step), member, None)
    usage.rate_events(step, ready)
    _tell_above(step)


def below(cells: Cells, tenant: str, account: str) -> list[str]:
    """The accounts below that have usage that waits."""
    return [each for each, _ in cells.members(("below", tenant, account))]


def _tell_above(step: Step) -> None:
    """Let the accounts above know whether usage waits here."""
    above = step.above()
    if above is not None:
        waits = True if oldest(step) is not None else None
        for each in above.path():
            place = ("below", step.tenant, each.account)
            if step.cells.get(place, step.account) is not waits:
                step.cells.put(place, step.account, waits)


def expire(step: Step, before: int) -> None:
    """Reject what was received before the moment and still waits; what is before every start is only forgotten."""
    starts = [sub.start for each in step.path() for sub in each.subscriptions()]
    told: set[bytes] = set()
    for member, event in list(step.cells.members(bucket(step))):
        if event.received > before:
            break
        step.cells.put(bucket(step), member, None)
        late = not starts or event.time >= min(starts)
        if late and uid_of(event) not in told:
            told.add(uid_of(event))
            detail = "no active subscription came while the event was kept: subscribe the account from an earlier start"
            step.effects.append(rejected(step, event, "unrated", detail))
    _tell_above(step)


def oldest(step: Step) -> int | None:
    """When the one that waits longest was received."""
    first = next(iter(step.cells.members(bucket(step))), None)
    return None if first is None else first[1].received


def rejected(step: Step, event: Waiting, code: str, detail: str) -> Effect:
    """A rejection from `rate`: the value is the event as it was normalized."""
    headers = (
        ("error", code), ("error_detail", detail), ("stage", "rate"), ("origin_topic", event.origin[0]),
        ("origin_partition", str(event.origin[1])), ("origin_offset", str(event.origin[2])),
    )  # fmt: skip
    return Effect(REJECTED, step.key, cloud_event(step.tenant, step.account, event), headers)


def release(step: Step, account: str) -> None:
    """Publish again what waits here, with `account` set: the name belongs to another account, or to a tree. What an
    outcome made count is found again there."""
    gone = []
    for member, event in list(step.cells.members(bucket(step))):
        step.cells.put(bucket(step), member, None)
        if not event.counted:
            gone.append((event, -1))
            value = cloud_event(step.tenant, account, event)
            step.effects.append(Effect(EVENTS, f"{step.tenant}/{account}", value))
    _tell_above(step)
    if gone:
        step.effects.append(uncounted(step.source, (), rows_of(step, gone)))


def forget(step: Step, uid: bytes) -> None:
    """An event that waits is taken back."""
    for member, _ in list(step.cells.members(bucket(step))):
        if member.endswith(uid.hex()):
            step.cells.put(bucket(step), member, None)
    _tell_above(step)


def uid_of(event: Waiting) -> bytes:
    """What stands for an event's source and id."""
    return event_uid(event.source, event.id)


def cloud_event(tenant: str, account: str, event: Waiting) -> dict[str, Any]:
    """The event as a structured CloudEvent with `account` and `time` filled in."""
    value: dict[str, Any] = {
        "specversion": "1.0", "id": event.id, "source": event.source, "type": event.type, "tenant": tenant,
        "subject": event.subject, "account": account, "time": format_time(event.time),
    }  # fmt: skip
    if event.subscription is not None:
        value["subscription"] = event.subscription
    if event.backfill is not None:
        value["backfill"] = event.backfill
    value["data"] = json.loads(event.data, parse_float=Decimal)
    return value
