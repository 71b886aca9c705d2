"""`retract_usage` and `amend_usage`: the event as it was is taken back, and rated as it should have been."""

from __future__ import annotations

from typing import Any

from rating import amended, outcomes, rate, tree, usage, waiting
from rating.errors import Refused
from rating.history import whole
from rating.records import Command, WasEvent
from rating.state import Waiting
from rating.step import Step
from rating.uncounted import rows_of, uncounted


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
    if entry.user != tree.user(step.cells, step.tenant, step.account):
        raise Refused(
            f"event {was.id} of {was.source} is of another account of the tree: name the one that used it"
        )
    if entry.digest != was.digest or (was.time is not None and entry.time != was.time):
        if amended.touched(step.cells, step.tenant, step.account, was.uid):
            raise Refused(
                f"event {was.id} of {was.source} was amended since: was must be the event as it is now"
            )
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
    # Noted first: a segment that begins to be used asks the history for what was used before it.
    if now is not None and after is not None:
        entry = entry._replace(digest=now.digest, time=after.time, revision=after.revision)
    else:
        entry = entry._replace(retracted=True)
    amended.put(step, was.uid, entry)
    _apply(step, before, after)
    moves = [(before, -1), *([] if after is None else [(after, 1)])]
    step.effects.append(uncounted(step.source, (), rows_of(step, moves)))


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
    rate.rate(step, rated, "correction")


def _waiting(
    step: Step, event: WasEvent, time: int, revision: int, command: Command, metering: Any
) -> Waiting:
    try:
        return whole(event, time, revision, command.received, command.origin, metering(step.tenant, revision))
    except ValueError as error:
        raise Refused(str(error)) from None
