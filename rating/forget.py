"""What is kept of a period goes once nothing of it is accepted any more: its end plus `accept_past` is over, and no
backfill that reaches it is open."""

from __future__ import annotations

from collections.abc import Callable

from rating import amended, backfills, levels
from rating.aggregations import LEVEL
from rating.step import Step
from rating.timeline import Timeline, spell_at
from rating.times import HOUR

_KINDS = ("group", "window", "windowed")


def next_due(step: Step, known: Timeline, accept_past: int) -> int | None:
    """When the oldest period that is still kept can be forgotten."""
    sub = known.sub
    if sub.cleaned >= sub.end:
        return None
    if backfills.reaches(step, sub.cleaned):
        return None
    return spell_at(step.catalog, known, sub.cleaned).stop + accept_past + HOUR


def clean(known: Timeline) -> Callable[[Step], None]:
    """Forget the oldest period that is still kept."""

    def fire(step: Step) -> None:
        sub = known.sub
        end = spell_at(step.catalog, known, sub.cleaned).stop
        bucket = ("charge", step.tenant, step.account, sub.id)
        for member, held in list(step.cells.members(bucket)):
            charge, _, start = member.rpartition("|")
            if int(start) < end and held.closed:
                _forget(step, sub.id, charge, start)
                step.cells.put(bucket, member, None)
                for fee, _ in list(step.cells.members(("fee", *bucket[1:]))):
                    if fee.startswith(f"{member}|"):
                        step.cells.put(("fee", *bucket[1:]), fee, None)
        meters = [meter for meter in step.catalog.meters.values() if meter.aggregation == LEVEL]
        levels.forget(step, sub, meters, spell_at(step.catalog, known, sub.cleaned).start, end)
        amended.forget(step)
        step.save(sub._replace(cleaned=end))

    return fire


def _forget(step: Step, sub: str, charge: str, start: str) -> None:
    for kind in _KINDS:
        bucket = (kind, step.tenant, step.account, sub, charge, start)
        for member, _ in list(step.cells.members(bucket)):
            if kind == "group":
                _empty(step, ("value", *bucket[1:], member))
            elif kind == "window":
                window, _, values = member.partition("|")
                _empty(step, ("value", *bucket[1:5], f"{start}@{window}", values))
            step.cells.put(bucket, member, None)


def _empty(step: Step, bucket: tuple[str, ...]) -> None:
    for member, _ in list(step.cells.members(bucket)):
        step.cells.put(bucket, member, None)
