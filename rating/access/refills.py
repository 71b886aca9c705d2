"""When a credit unit that is used up will have something to give again, as far as it is known."""

from __future__ import annotations

from collections.abc import Iterator

from rating import burndown
from rating.grants import ONCE, of_plan
from rating.limits.bounds import running
from rating.state import NEVER
from rating.step import Step
from rating.timeline import Timeline, length_at


def next_refill(step: Step, unit: str) -> int:
    """The first moment to come at which a grant of the unit begins to pay, or a plan issues one; `NEVER` where none is known."""
    begins = (
        grant.effective
        for _, grant in burndown.grants(step)
        if grant.unit == unit and grant.balance > 0 and not grant.ended and step.now < grant.effective < grant.expires
    )  # fmt: skip
    issued = (at for known in running(step) for at in _issues(step, known, unit))
    return min((*begins, *issued), default=NEVER)


def _issues(step: Step, known: Timeline, unit: str) -> Iterator[int]:
    """When the next periods of the plan's recurring grants of the unit begin, for those that it has then, too. In a pause none
    is issued."""
    if any(low <= step.now < high for low, high in known.sub.pauses):
        return
    now = of_plan(step.plan(known.sub, known.holding(step.now)))
    for issue in now.values():
        at = length_at(step.catalog, known, step.now, issue.length).stop
        if at < known.end:
            then = of_plan(step.plan(known.sub, known.holding(at))).get(issue.grant.key)
            if then is not None and then.grant.unit == unit and then.grant.every != ONCE:
                yield at
