"""What ends each step of an account that something watches: limits, waived overshoot, late closes, access, rules.

An account is watched where the catalog has rules, or limits or entitlements in some plan, or a command or a subscription's
own overrides gave it some. All others pay one look-up a step.
"""

from __future__ import annotations

from rating import tree
from rating.access.allowances import count
from rating.access.entitlements import tell
from rating.close import tell_late
from rating.facts import WATCHED, Facts
from rating.limits.look import look, next_look, wants_events
from rating.limits.shown import show
from rating.limits.waive import waive
from rating.rules import look as rules
from rating.rules import tallies
from rating.state import TENANT_ACCOUNT
from rating.step import Step


def begin(step: Step) -> None:
    """Note the step's usage where something watches the account, one above it, or one that the step came from."""
    if step.account == TENANT_ACCOUNT:
        step.facts = Facts(False)
        return
    # Rules and limits of the whole tenant need what was used, and no look at the account.
    ruled = bool(step.catalog.rules.mark or step.catalog.tenant.meters)
    watched = step.catalog.watched or _is_watched(step, step.account)
    if not watched and step.family is None and tree.parent(step.cells, step.tenant, step.account) is None:
        if ruled:
            step.facts = Facts(False, limited=False, new=_is_new(step))
        return
    above = list(tree.ancestors(step.cells, step.tenant, step.account))
    watched = watched or any(_is_watched(step, each) for each in above)
    limited = watched or any(part.facts is not None and part.facts.limited for part in step.parts())
    if limited or ruled:
        step.facts = Facts(limited and wants_events(step), limited=limited, new=_is_new(step))
        # What an account spends counts above it too.
        step.facts.by_event |= any(part.by_event for part in step.path()) if above else False


def _is_new(step: Step) -> bool:
    return step.cells.get(("account", step.tenant, step.account), "subscriptions") is None


def _is_watched(step: Step, account: str) -> bool:
    return bool(step.cells.get(("account", step.tenant, account), WATCHED))


def finish(step: Step) -> bool:
    """What follows from the step in each account that it touched, and in those above whoever used anything; whether it moved
    their timers."""
    if step.account == TENANT_ACCOUNT:
        return _look(step, step.facts or Facts(False))
    moved, done = False, 0
    for user in {
        used.user: None for part in step.parts() if part.facts is not None for used in part.facts.used
    }:
        for above in tree.ancestors(step.cells, step.tenant, user):
            step.of(above)
    while done < len(parts := step.parts()):
        if step.family is not None:
            step.family.acting = parts[done].account
        moved = _finish(parts[done]) or moved
        done += 1
    for part in parts if step.catalog.rules.mark else ():
        if part.facts is not None:
            tallies.count(part, part.facts)
    if step.family is not None:
        step.family.acting = step.account
    return moved


def _finish(step: Step) -> bool:
    facts = step.facts
    if facts is None or not facts.limited:
        if not _is_watched(step, step.account):
            tell_late(step)
            return False
        # The step itself has given the account what watches it.
        facts = step.facts = facts or Facts(False)
        facts.limited = True
    subs = step.subscriptions()
    moved = _look(step, facts)
    waive(step)
    tell_late(step)
    count(step, facts)
    return moved or step.subscriptions() != subs


def _look(step: Step, facts: Facts) -> bool:
    before = next_look(step)
    facts.seen, facts.holds = look(step, facts)
    return next_look(step) != before


def access(step: Step) -> None:
    """Tell the entitlements that are others now, once a moment."""
    if step.facts is not None and step.facts.limited and step.account != TENANT_ACCOUNT:
        tell(step, step.facts)
        show(step, step.facts)


def decide(step: Step) -> bool:
    """Look at the rules after a record, whose step and timers have ended; whether that moved the next look."""
    if step.account == TENANT_ACCOUNT:
        return False
    before = rules.next_look(step)
    rules.look(step)
    return rules.next_look(step) != before


def ask(step: Step) -> None:
    """A timer has changed something: the rules are looked at on the full hour."""
    if step.catalog.rules.mark and step.account != TENANT_ACCOUNT:
        rules.ask(step)
