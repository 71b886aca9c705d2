"""What stands of hard limits that no entitlement shows, for gateways: records of `rating.limits.v1`, internal.

    tenant/account/limit           a limit of an account in a tree; of a limit that holds each subject by itself, what it
                                   is, with nothing used
    tenant/account/limit/subject   what one subject has used of it

An entitlement shows the limits of its own account, and a subject's once it is held. An account may use what one above it
has, and be held by limits of its own: whoever grants a reservation needs these too, before they are reached.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rating import tree
from rating.access.blocks import until
from rating.effects import Effect
from rating.facts import Facts
from rating.limits.crossings import Seen
from rating.limits.state import Gauge
from rating.numbers import amount_text
from rating.state import NEVER
from rating.step import Step
from rating.times import format_time

LIMITS = "rating.limits.v1"
SUBJECT = "subject"


def show(step: Step, facts: Facts) -> None:
    """Write what stands otherwise than it was told; a tombstone for what stands no more."""
    place = ("shown", step.tenant, step.account)
    told = dict(step.cells.members(place))
    wanted = dict(_standing(step, facts))
    for name, record in wanted.items():
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        if told.get(name) != text:
            step.cells.put(place, name, text)
            step.effects.append(Effect(LIMITS, f"{step.key}/{name}", record))
    for name in told:
        if name not in wanted:
            step.cells.put(place, name, None)
            step.effects.append(Effect(LIMITS, f"{step.key}/{name}", None))


def _standing(step: Step, facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for held in facts.holds:
        if held.limit.hard and held.limit.scope == SUBJECT:
            yield held.limit.key, _record(step, Seen(held, Gauge("", 0, NEVER), 0))
    for each in facts.seen:
        limit, subject = each.held.limit, each.gauge.subject
        if limit.hard and (
            subject
            or (
                limit.scope == "account"
                and not limit.falls
                and tree.is_in_one(step.cells, step.tenant, step.account)
            )
        ):
            yield f"{limit.key}/{subject}" if subject else limit.key, _record(step, each)


def _record(step: Step, seen: Seen) -> Mapping[str, Any]:
    limit, subject = seen.held.limit, seen.gauge.subject
    returns = NEVER if seen.gauge.end == NEVER and not subject else until(step, seen)
    return {
        "tenant": step.tenant, "account": step.account, "limit": limit.key, "subject": subject or None,
        "doc": None if subject else limit.doc, "value": amount_text(seen.value), "amount": amount_text(limit.amount),
        "resets_at": None if returns == NEVER else format_time(returns),
    }  # fmt: skip
