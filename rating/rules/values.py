"""The facts of an account as of now, and when time alone changes them.

What is of a plan or a period is that of the account's oldest subscription that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rating import accounts
from rating.access import allowances
from rating.access.metered import metered
from rating.catalog.limits import FINE
from rating.catalog.rules import METADATA, PERIOD, Fact, Value
from rating.limits import standing
from rating.limits.bounds import running
from rating.numbers import AMOUNT, AMOUNT_DIGITS, QTY, half_even, scaled
from rating.rules import tallies
from rating.state import NEVER
from rating.step import Step
from rating.timeline import Spell, Timeline, spell_at

_SCALES = {"usage": FINE, "spend": 1, "breaches": AMOUNT}
"""From what a series keeps to 10⁻³⁶."""
_INTEGERS = 40


class Looked(NamedTuple):
    """A fact's value, `None` where it has none. It changes next at `moments`; of a time, which always changes, it is
    `sign` × the time that passed since `begun`."""

    value: Value | None
    moments: tuple[int, ...] = ()
    begun: int = 0
    sign: int = 0


NOTHING = Looked(None)


class Account:
    """The account at a step: facts are read once."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.running = running(step)
        self._found: dict[Fact, Looked] = {}

    def look(self, fact: Fact) -> Looked:
        """The fact's value."""
        found = self._found.get(fact)
        if found is None:
            found = self._found[fact] = _read(self, fact)
        return found

    @property
    def oldest(self) -> Timeline | None:
        """The subscription that is asked for what is of one."""
        return self.running[0] if self.running else None

    def spell(self, known: Timeline) -> Spell:
        """Its billing period now."""
        return spell_at(self.step.catalog, known, self.step.now)


def _read(account: Account, fact: Fact) -> Looked:
    if fact.name.startswith(METADATA):
        return Looked(accounts.metadata(account.step).get(fact.name.removeprefix(METADATA)))
    if fact.series:
        return _of_period(account, fact) if fact.over == PERIOD else _of_window(account, fact)
    return _READERS[fact.name](account, fact)


def _of_window(account: Account, fact: Fact) -> Looked:
    step = account.step
    kind = step.catalog.rules.series[fact.series].kind
    value, moments = tallies.total(step, fact.series, fact.over)
    if fact.name != "growth":
        return Looked(None if value is None else value * _SCALES[kind], tuple(moments))
    both, more = tallies.total(step, fact.series, 2 * fact.over)
    before = None if both is None or value is None else both - value
    return Looked(_ratio(value, before), (*moments, *more))


def _of_period(account: Account, fact: Fact) -> Looked:
    step, known = account.step, account.oldest
    if known is None:
        return NOTHING
    spell = account.spell(known)
    value = tallies.of_period(step, fact.series, known.sub, spell.start)
    if fact.name != "growth":
        return Looked(None if value is None else value * _SCALES[step.catalog.rules.series[fact.series].kind])
    start = _previous(account, known)
    before = None if start is None else tallies.of_period(step, fact.series, known.sub, start)
    return Looked(_ratio(value, before))


def _previous(account: Account, known: Timeline) -> int | None:
    """When the billing period before this one began; `None` in the first."""
    start = account.spell(known).start
    return spell_at(account.step.catalog, known, start - 1).start if start > known.sub.start else None


def kept_since(account: Account) -> dict[str, int]:
    """By subscription that has not ended, the start of the first billing period that is looked at: the one before this."""
    if not any(series.period for series in account.step.catalog.rules.series.values()):
        return {}
    found = {sub.id: 0 for sub in account.step.subscriptions() if sub.end == NEVER}
    for known in account.running:
        start = _previous(account, known)
        found[known.sub.id] = account.spell(known).start if start is None else start
    return found


def _ratio(value: int | None, before: int | None) -> int | None:
    """How often one goes into the other, to 12 digits; none where that is 0."""
    if value is None or not before:
        return None
    sign = 1 if before > 0 else -1
    return half_even(sign * value * QTY, sign * before) * FINE


def _feature(account: Account, fact: Fact) -> tuple[Timeline, str] | None:
    for known in account.running:
        plan = account.step.plan(known.sub, known.holding(account.step.now))
        if plan.entitlement(fact.of or "") is not None:
            return known, fact.of or ""
    return None


def _included_percent(account: Account, fact: Fact) -> Looked:
    found = _feature(account, fact)
    if found is None:
        return NOTHING
    step, (known, feature) = account.step, found
    spell = account.spell(known)
    meter = step.catalog.features[feature].meter
    chain = allowances.segments(step, known, feature, spell, step.now)
    included = allowances.included(chain, spell)
    if meter is None or not included:
        return NOTHING
    used = allowances.used(step, known, step.catalog.meters[meter], chain[0].start, spell)
    return Looked(half_even(used * 100 * QTY, included) * FINE)


def _overage(account: Account, fact: Fact) -> Looked:
    found = _feature(account, fact)
    if found is None or account.step.catalog.features[found[1]].meter is None:
        return NOTHING
    step, (known, feature) = account.step, found
    plan = step.plan(known.sub, known.holding(step.now))
    entitlement = plan.entitlement(feature)
    assert entitlement is not None, "it was found by it"
    return Looked(scaled(metered(step, known, plan, entitlement).overage, AMOUNT_DIGITS, _INTEGERS))


def _balance(account: Account, fact: Fact) -> Looked:
    step = account.step
    return Looked(standing.balance(step, fact.of or ""), tuple(standing.moments(step)))


def _idle(account: Account, fact: Fact) -> Looked:
    last = tallies.idle_since(account.step)
    return NOTHING if last is None else Looked(max(account.step.now - last, 0), (), last, 1)


def _age(account: Account, fact: Fact) -> Looked:
    started = min((sub.start for sub in account.step.subscriptions()), default=NEVER)
    if started > account.step.now:
        return NOTHING
    return Looked(account.step.now - started, (), started, 1)


def _trial_left(account: Account, fact: Fact) -> Looked:
    now = account.step.now
    ends = [
        change.at
        for known in account.running
        if known.holding(now).trial
        for change in known.sub.planned
        if not change.waits and change.at > now
    ]
    return Looked(min(ends) - now, (), min(ends), -1) if ends else NOTHING


def _trials(account: Account, fact: Fact) -> Looked:
    step = account.step
    place = ("account", step.tenant, step.account)
    plans: Iterable[str] = [fact.of] if fact.of else {key: None for key, _ in step.catalog.plans}
    return Looked(AMOUNT * sum(1 for key in plans if step.cells.get(place, f"trial|{key}") is not None))


def _plan(account: Account, fact: Fact) -> Looked:
    known = account.oldest
    return NOTHING if known is None else Looked(known.holding(account.step.now).plan)


def _status(account: Account, fact: Fact) -> Looked:
    """`trialing`, `active` or `paused`; without a subscription that runs, `scheduled` or `canceled`; none without any."""
    now, known = account.step.now, account.oldest
    if known is not None:
        if any(start <= now < end for start, end in known.sub.pauses):
            return Looked("paused")
        return Looked("trialing" if known.holding(now).trial else "active")
    subs = account.step.subscriptions()
    if not subs:
        return NOTHING
    return Looked("scheduled" if any(sub.start > now for sub in subs) else "canceled")


def _selector(account: Account, fact: Fact) -> Looked:
    known = account.oldest
    if known is None:
        return NOTHING
    terms = known.holding(account.step.now)
    found: dict[str, str | None] = {
        "storefront": terms.storefront,
        "region": terms.region,
        "channel": terms.channel,
    }
    return Looked(found[fact.name])


_READERS: dict[str, Callable[[Account, Fact], Looked]] = {
    "included_percent": _included_percent, "overage": _overage, "balance": _balance, "idle": _idle, "age": _age,
    "trial_left": _trial_left, "trials": _trials, "plan": _plan, "status": _status, "storefront": _selector,
    "region": _selector, "channel": _selector,
}  # fmt: skip
