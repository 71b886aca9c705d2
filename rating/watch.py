"""What ends each step of an account that limits or entitlements watch: limits, waived overshoot, late closes, access.

An account is watched where the catalog has limits or entitlements in some plan, or a command or a subscription's own
overrides gave it some. All others pay one look-up a step.
"""

from __future__ import annotations

from rating.access.entitlements import tell
from rating.close import tell_late
from rating.facts import WATCHED, Facts
from rating.limits.look import look, next_look, wants_events
from rating.limits.waive import waive
from rating.step import Step


def begin(step: Step) -> None:
    """Note the step's usage where something watches the account."""
    if step.catalog.watched or step.cells.get(("account", step.tenant, step.account), WATCHED):
        step.facts = Facts(wants_events(step))


def finish(step: Step) -> bool:
    """What follows from the step in each account that it touched; whether it moved their timers."""
    moved, done = False, 0
    while done < len(parts := step.parts()):
        if step.family is not None:
            step.family.acting = parts[done].account
        moved = _finish(parts[done]) or moved
        done += 1
    if step.family is not None:
        step.family.acting = step.account
    return moved


def _finish(step: Step) -> bool:
    facts = step.facts
    if facts is None:
        tell_late(step)
        return False
    before, subs = next_look(step), step.subscriptions()
    facts.seen = look(step, facts)
    waive(step)
    tell_late(step)
    return next_look(step) != before or step.subscriptions() != subs


def access(step: Step) -> None:
    """Tell the entitlements that are others now, once a moment."""
    if step.facts is not None:
        tell(step, step.facts)
