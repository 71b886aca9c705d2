"""What limits do to access: which of them bear on a feature, and what they say of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from rating.catalog import Feature, Limit
from rating.catalog.limits import SLIDING
from rating.limits.crossings import Seen
from rating.limits.gauges import falls_below
from rating.numbers import amount_text
from rating.state import NEVER
from rating.step import Step
from rating.times import format_time

RANKS = ("paused", "suspended", "hard_limit", "not_in_plan", "exhausted", "throttled")
"""Reasons, the gravest first."""
_REASONS = {"block": "hard_limit", "suspend": "suspended", "throttle": "throttled"}


class Block(NamedTuple):
    """A reason against a feature, and until when if nothing is used (`NEVER`: not known); `throttle` where it only slows."""

    reason: str
    until: int
    throttle: Any = None

    @property
    def rank(self) -> int:
        """How grave it is: the smallest is told."""
        return RANKS.index(self.reason)


def blocks_of(step: Step, feature: Feature, seen: list[Seen]) -> list[Block]:
    """What the limits that have reached their amount say of a feature."""
    return [
        Block(_REASONS[each.held.limit.action], until(step, each), each.held.limit.throttle)
        for each in seen
        if each.gauge.acting and _bears(step, each, feature)
    ]


def limits_of(step: Step, feature: Feature, seen: list[Seen], subject: str = "") -> list[dict[str, Any]]:
    """The limits that bear on a feature, the account's or a subject's own, as its record shows them."""
    found = []
    for each in seen:
        if _bears(step, each, feature) and each.gauge.subject == subject:
            returns = until(step, each)
            found.append({
                "limit": each.held.limit.key, "value": amount_text(each.value),
                "amount": amount_text(each.held.limit.amount),
                "resets_at": None if returns == NEVER else format_time(returns),
            })  # fmt: skip
    return found


def _bears(step: Step, seen: Seen, feature: Feature) -> bool:
    limit = seen.held.limit
    if limit.action == "suspend":
        return True
    if limit.action not in _REASONS:
        return False
    return feature.key in _features(step, limit, seen.held.meter(step))


def _features(step: Step, limit: Limit, meter: str | None) -> list[str]:
    """The features that a limit blocks: those it names, else those of its meter, else all metered ones."""
    if limit.features:
        return list(limit.features)
    return [
        each.key
        for each in step.catalog.features.values()
        if each.kind == "metered" and meter in (None, each.meter)
    ]


def until(step: Step, seen: Seen) -> int:
    """When the window is over if nothing is used, `NEVER` where no time ends it."""
    if seen.held.limit.window == SLIDING:
        return falls_below(step, seen.held, seen.gauge)
    return seen.gauge.end
