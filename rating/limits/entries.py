"""What counts for a limit: of a step's usage, and of what the account used before where the limit begins to hold.

What was used before is read again where there is any. What it cost event by event is not in state, so a spend limit other
than of the whole period counts from when it is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rating import pooled, tree
from rating.bunch import Bunch, bunches_of
from rating.catalog import Limit
from rating.facts import Facts, Used, rows
from rating.limits.bounds import Held, running
from rating.limits.gauges import Entry, is_sum
from rating.limits.tenant import of_limit
from rating.recut import counted_since, newest
from rating.state import TENANT_ACCOUNT
from rating.step import Step


def entries(step: Step, held: Held, facts: Facts) -> Iterator[Entry]:
    """What of a step's usage counts."""
    limit = held.limit
    if step.account == TENANT_ACCOUNT:
        return _told(step, held, facts)
    if limit.falls or limit.of_period:
        return iter(())
    found = [facts] if held.only is not None else list(_of_account(step, limit))
    return _spend(step, held, found) if limit.metric == "spend" else _usage(step, held, found)


def _of_account(step: Step, limit: Limit) -> Iterator[Facts]:
    """What the account used, wherever it was rated, with all below it where the limit says so, and what was rated in it."""
    for part in step.parts():
        if part.facts is None:
            continue
        if part.account == step.account and limit.scope != "account":
            yield part.facts
            continue
        users = {used.user for used in part.facts.used} | {spent.user for spent in part.facts.spent}
        if limit.scope == "account":
            users = {user for user in users if tree.is_within(step.cells, step.tenant, user, step.account)}
        else:
            users &= {step.account}
        if users:
            yield part.facts.by(users)


def _told(step: Step, held: Held, facts: Facts) -> Iterator[Entry]:
    meter = held.meter(step)
    for figure, amount in of_limit(step, held.limit, meter, facts.told):
        sign = 1 if amount > 0 else -1
        if is_sum(step, held):
            yield Entry(figure.time, figure.key, "", amount, sign)
        else:
            yield from [Entry(figure.time, figure.key, "", figure.value, sign)] * abs(amount)


def _usage(step: Step, held: Held, facts: Iterable[Facts]) -> Iterator[Entry]:
    meter = held.meter(step) or ""
    names = step.catalog.meters[meter].dimensions
    for row in rows(facts, meter, held.only):
        if _matches(held.limit, names, row.dims):
            yield Entry(row.time, row.key, row.subject, row.value, row.sign)


def _spend(step: Step, held: Held, facts: Iterable[Facts]) -> Iterator[Entry]:
    meter = held.meter(step)
    for found in facts:
        dimensions = found.dimensions()
        for each in found.spent:
            if meter in (None, each.meter) and held.only in (None, each.subscription):
                names = step.catalog.meters[each.meter].dimensions
                dims = dimensions.get((id(each.origin), each.event, each.meter), ())
                if _matches(held.limit, names, dims):
                    origin = each.origin
                    yield Entry(each.time, origin.key(each.event), origin.subject(each.event), each.amount, 1)


def _matches(limit: Limit, names: tuple[str, ...], dims: tuple[str, ...]) -> bool:
    return all(name in names and dims[names.index(name)] in allowed for name, allowed in limit.filter)


def before(step: Step, held: Held) -> Iterable[Entry]:
    """What was used in the windows that are not over when a limit begins to hold, this step included."""
    limit = held.limit
    if step.account == TENANT_ACCOUNT:
        # What was used before lies on all partitions.
        return () if step.facts is None else entries(step, held, step.facts)
    if limit.falls or limit.metric == "spend":
        return ()
    since = step.now - limit.length if limit.length else held.window(step, step.now)[0]
    if held.only is None:
        return _before_in_account(step, held, since)
    known = next(each for each in running(step) if each.sub.id == held.only)
    until = newest(step, known.sub, since)
    if until < since:
        return ()
    facts = Facts(False)
    for user, events in counted_since(step, since, until + 1):
        for bunch in pooled.reaching(user, step, bunches_of(events)):
            if bunch.subscription in (None, known.sub.id):
                facts.used.append(Used(known, bunch, 1, user.account))
    return _usage(step, held, [facts])


def _before_in_account(step: Step, held: Held, since: int) -> Iterable[Entry]:
    """The same for a limit of an account: wherever its usage was rated, and where it says so that of accounts below, else what
    of theirs came up to it."""
    last = [newest(step, each, since) for each in step.subscriptions()]
    last += [
        pooled.passed(step) or since - 1,
        step.now if tree.has_below(step.cells, step.tenant, step.account) else 0,
    ]
    until = max(last)
    if until < since:
        return ()
    facts = Facts(False)
    for user, events in counted_since(step, since, until + 1):
        bunches: Sequence[Bunch] = bunches_of(events)
        if user.account == step.account or held.limit.scope == "account":
            places = list(user.path())
        else:
            places, bunches = [step], pooled.reaching(user, step, bunches)
        timelines = [known for here in places for known in pooled.timelines(here)]
        for bunch in bunches:
            facts.used += [
                Used(known, bunch, 1, user.account)
                for known in timelines
                if bunch.subscription in (None, known.sub.id)
            ]
    return _usage(step, held, [facts])
