"""Which account's subscriptions rate usage: the account's own where some has a charge on the meter at the event's time, else
the nearest ancestor's, whose tiers, allowances and credits are then pooled by the accounts below it.

A reading visits the account that used it and those above it, up to the first that charges it. Where it is visited without
being charged it is noted, since a change that is dated back may bring a charge. What moves when such a change comes is
the difference of two such visits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rating.bunch import Bunch
from rating.facts import Used
from rating.step import Step
from rating.timeline import Timeline, timeline
from rating.times import MINUTE

Moves = Sequence[tuple[Sequence[Bunch], int]]
"""Bunches, each with its sign."""


def timelines(step: Step) -> list[Timeline]:
    """Those of the account's own subscriptions."""
    return [timeline(step, sub) for sub in step.subscriptions()]


def pass_on(step: Step, own: Sequence[Timeline], moves: Moves, kind: str) -> None:
    """Let the accounts above rate what the account's own subscriptions do not charge."""
    above = step.above()
    if above is not None:
        rest = _note(step, [(_pick(step, own, bunches, False), sign) for bunches, sign in moves])
        take_above(above, step.account, rest, kind)


def take_above(step: Step, user: str, moves: Moves, kind: str) -> None:
    """Rate usage of an account below, which no account up to here has charged."""
    from rating.rate import rate_in

    family = step.family
    assert family is not None, "an account below made this part"
    acting = family.acting
    for here in step.path():
        if not any(bunches for bunches, _ in moves):
            break
        family.acting, here.sub_account = here.account, user
        known = timelines(here)
        for each in known:
            rate_in(here, each, moves, kind)
        moves = _note(here, [(_pick(here, known, bunches, False), sign) for bunches, sign in moves])
        here.sub_account = None
    family.acting = acting


def leave(user: Step, at: Step, old: Timeline | None, new: Timeline, bunches: Sequence[Bunch]) -> None:
    """Take an account's usage out where a subscription of the account `at`, its own or one above it, will have another
    timeline; `old` is `None` where there was no such subscription. What it charges from now on was rated above."""
    reached = reaching(user, at, bunches)
    _others(user, at, new, reached, -1)
    if old is not None:
        _rate_in(user, at, old, reached, -1)
    before, after = _both(at, old, new)
    _above(user, at, _pick(at, after, _pick(at, before, reached, False), True), -1)


def come(user: Step, at: Step, old: Timeline | None, new: Timeline, bunches: Sequence[Bunch]) -> None:
    """Put it in where the new timeline has it: what the subscription does not charge any more is rated above."""
    reached = reaching(user, at, bunches)
    _others(user, at, new, reached, 1)
    _rate_in(user, at, new, reached, 1)
    before, after = _both(at, old, new)
    _above(user, at, _pick(at, before, _pick(at, after, reached, False), True), 1)


def _others(user: Step, at: Step, new: Timeline, bunches: Sequence[Bunch], sign: int) -> None:
    """Note what the other subscriptions have of it, before and after: nothing moves there, but the account has usage as long
    as one of them does."""
    for here in user.path():
        if here.facts is not None:
            here.facts.used += [
                Used(known, bunch, sign, user.account)
                for known in timelines(here)
                if here.account != at.account or known.sub.id != new.sub.id
                for bunch in bunches
                if bunch.subscription in (None, known.sub.id)
            ]
        if here.account == at.account:
            return


def _both(at: Step, old: Timeline | None, new: Timeline) -> tuple[list[Timeline], list[Timeline]]:
    others = [each for each in timelines(at) if each.sub.id != new.sub.id]
    return [*others, *([] if old is None else [old])], [*others, new]


def _rate_in(user: Step, at: Step, known: Timeline, bunches: Sequence[Bunch], sign: int) -> None:
    from rating.rate import rate_in

    at.sub_account = None if user.account == at.account else user.account
    rate_in(at, known, [(bunches, sign)])
    at.sub_account = None


def _above(user: Step, at: Step, bunches: Sequence[Bunch], sign: int) -> None:
    above = at.above()
    if above is not None:
        take_above(above, user.account, _note(at, [(bunches, sign)]), "usage")


def charges(step: Step, known: Timeline, bunch: Bunch, time: int) -> bool:
    """Whether the subscription has a charge on the bunch's meter at a moment."""
    return (
        bunch.subscription in (None, known.sub.id)
        and known.runs_at(time)
        and bunch.meter in step.plan(known.sub, known.terms[known.at(time)]).charges_by_meter
    )


def reaching(user: Step, at: Step, bunches: Sequence[Bunch]) -> Sequence[Bunch]:
    """What of an account's usage no account below `at` charges."""
    for here in user.path():
        if here.account == at.account:
            break
        bunches = _pick(here, timelines(here), bunches, False)
    return bunches


def passed(step: Step) -> int | None:
    """To the minute, the time of the latest usage that came by here without being charged, where the account is in a tree."""
    found: int | None = step.cells.get(_bucket(step), "")
    return found


def _pick(step: Step, known: Sequence[Timeline], bunches: Iterable[Bunch], charged: bool) -> list[Bunch]:
    """The readings that some of the subscriptions charge, or that none does."""
    if not known:
        return [] if charged else list(bunches)
    found = []
    for bunch in bunches:
        kept = [
            number
            for number, time in enumerate(bunch.times)
            if any(charges(step, each, bunch, time) for each in known) is charged
        ]
        if len(kept) == len(bunch.times):
            found.append(bunch)
        elif kept:
            found.append(
                bunch._replace(
                    times=[bunch.times[number] for number in kept],
                    events=[bunch.events[number] for number in kept],
                    values=[bunch.values[number] for number in kept],
                )
            )
    return found


def _note(step: Step, moves: Moves) -> Moves:
    newest = max((max(bunch.times) for bunches, _ in moves for bunch in bunches), default=None)
    if newest is not None:
        until = newest - newest % MINUTE + MINUTE
        if until > (step.cells.get(_bucket(step), "") or 0):
            step.cells.put(_bucket(step), "", until)
    return moves


def _bucket(step: Step) -> tuple[str, ...]:
    return ("unpriced", step.tenant, step.account)
