"""The look at an account's rules: after each of its records, and on a full hour of the log's clock.

    facts ─> conditions ─> how long they have held ─> on, off

What time alone does (an hour leaves a window, a hold or a cool-down ends, an account grows old) is reckoned ahead, so an
account is looked at on those full hours alone on which that may change something, and an idle one on none.
"""

from __future__ import annotations

from collections.abc import Iterator

from rating.catalog.limits import FINE
from rating.catalog.rules import Condition, Node, Rule, Value
from rating.errors import NumberError
from rating.numbers import quantity
from rating.rules import signals, tallies
from rating.rules.values import Account, Looked, kept_since
from rating.state import Standing
from rating.step import Step

NEXT = "look|rules"
"""The cell of an account that says on which full hour it is looked at though it has no record."""


def bucket(step: Step) -> tuple[str, ...]:
    """How the account's rules stand."""
    return ("rule", step.tenant, step.account)


def next_look(step: Step) -> int | None:
    """The full hour on which the account is looked at though it has no record."""
    found: int | None = step.cells.get(("account", step.tenant, step.account), NEXT)
    return found


def ask(step: Step) -> None:
    """Something of the account is another now, but by no record: it is looked at on the full hour."""
    _note(step, tallies.full_hour(step.now), next_look(step))


def _note(step: Step, *moments: int | None) -> None:
    coming = min((each for each in moments if each is not None), default=None)
    if coming != next_look(step):
        step.cells.put(("account", step.tenant, step.account), NEXT, coming)


def look(step: Step) -> None:
    """Look at every rule, and note when time changes something next."""
    rules = step.catalog.rules
    tallies.follow(step, new=False)
    tallies.advance(step)
    held: dict[str, Standing] = dict(step.cells.members(bucket(step)))
    for key, standing in held.items():
        if key not in rules.by_key:
            _gone(step, key, standing)
    account = Account(step)
    moments: list[int] = []
    for rule in rules.by_key.values():
        moments += _look_at(account, rule, held.get(rule.key))
    tallies.keep_periods(step, kept_since(account))
    _index(step)
    _note(step, *(tallies.full_hour(moment) for moment in moments if moment > step.now))


def is_on(step: Step, key: str) -> bool:
    """Whether the rule is on, looked at now."""
    rule = step.catalog.rules.by_key.get(key)
    if rule is None:
        return False
    tallies.advance(step)
    _look_at(Account(step), rule, step.cells.get(bucket(step), key))
    _index(step)
    standing: Standing | None = step.cells.get(bucket(step), key)
    return standing is not None and standing.on


def _look_at(account: Account, rule: Rule, before: Standing | None) -> Iterator[int]:
    """Turn the rule, and yield the moments at which time may turn it again."""
    step = account.step
    holds = _holds(account, rule.when)
    after = _turned(account, rule, before or Standing(rule.kind, rule.mark), holds)
    now = step.now
    cooling = after.turned >= 0 and now < after.turned + rule.cool_down
    step_value = after if after.on or after.since >= 0 or cooling else None
    if step_value != before:
        step.cells.put(bucket(step), rule.key, step_value)
    moments = list(_moments(account, rule.when))
    if holds and not after.on:
        moments += [max(after.since + rule.hold, after.turned + rule.cool_down if cooling else 0)]
    return iter(moments)


def _turned(account: Account, rule: Rule, standing: Standing, holds: bool) -> Standing:
    step = account.step
    now = step.now
    if standing.kind != rule.kind:
        _off(step, rule.key, standing)
        standing = Standing(rule.kind, rule.mark, turned=standing.turned)
    if standing.mark != rule.mark:
        # Other conditions have held for no time yet.
        standing = standing._replace(mark=rule.mark, since=standing.since if standing.on else -1)
    if not holds:
        if standing.on:
            signals.write(step, rule.key, rule.kind, signals.OFF, _facts(account, rule), rule.data)
        return standing._replace(since=-1, on=False)
    if standing.since < 0:
        standing = standing._replace(since=now)
    cool = standing.turned < 0 or now >= standing.turned + rule.cool_down
    if not standing.on and cool and now >= standing.since + rule.hold:
        signals.write(step, rule.key, rule.kind, signals.ON, _facts(account, rule), rule.data)
        standing = standing._replace(on=True, turned=now)
    return standing


def _off(step: Step, key: str, standing: Standing) -> None:
    """Off though no condition says so: there is no such rule any more."""
    if standing.on:
        signals.write(step, key, standing.kind, signals.OFF, {}, {})


def _gone(step: Step, key: str, standing: Standing) -> None:
    _off(step, key, standing)
    step.cells.put(bucket(step), key, None)


def _index(step: Step) -> None:
    """Note whether some rule stands for the account: a catalog without the rule must find it."""
    place = ("ruled", step.tenant)
    stands = next(iter(step.cells.members(bucket(step))), None) is not None or None
    if stands != step.cells.get(place, step.account):
        step.cells.put(place, step.account, stands)


def _facts(account: Account, rule: Rule) -> dict[str, str | None]:
    """The values looked at, by the fact's name; the second of one name as `name_2`."""
    found: dict[str, str | None] = {}
    seen: dict[str, int] = {}
    for fact in rule.facts:
        number = seen[fact.name] = seen.get(fact.name, 0) + 1
        name = fact.name if number == 1 else f"{fact.name}_{number}"
        found[name] = signals.shown(fact, account.look(fact).value)
    return found


def _holds(account: Account, node: Node | Condition) -> bool:
    if isinstance(node, Condition):
        value = account.look(node.fact).value
        return value is not None and all(_passes(value, how, bounds) for how, bounds in node.tests)
    found = (_holds(account, part) for part in node.parts)
    return all(found) if node.how == "all" else any(found) if node.how == "any" else not any(found)


def _passes(value: Value, how: str, bounds: tuple[Value, ...]) -> bool:
    if how in ("eq", "in"):
        return value in bounds
    if isinstance(value, str):
        # Of metadata: a text that is no number is neither more nor less than one.
        try:
            value = quantity(value) * FINE
        except NumberError:
            return False
    (bound,) = bounds
    assert isinstance(bound, int), "what is compared by size was read as a number"
    if how in ("gt", "lte"):
        return (value > bound) == (how == "gt")
    return (value < bound) == (how == "lt")


def _moments(account: Account, node: Node | Condition) -> Iterator[int]:
    """When time alone moves what the conditions look at."""
    if isinstance(node, Node):
        for part in node.parts:
            yield from _moments(account, part)
        return
    found: Looked = account.look(node.fact)
    yield from found.moments
    if found.sign:
        for _, bounds in node.tests:
            for bound in bounds:
                assert isinstance(bound, int), "a time is compared with times"
                yield found.begun + found.sign * bound
                yield found.begun + found.sign * bound + 1
