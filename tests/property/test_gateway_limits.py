"""What the gateway says is available is the least of what each hard limit leaves, of accounts in a tree and of their subjects.

A model counts the usage itself: who used, as which subject, in whose subscription. The gateway reads what the engine tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.reservations import Book
from schemas import topics
from schemas.catalog import check_catalog
from streams import simulate
from streams.gateway.desk import Desk
from streams.gateway.world import World
from tests.unit.rating.lives import TOKENS, charge, plan
from tests.unit.rating.trees import Tree
from tests.unit.streams.gateway.gate import Record

CASES = 150
PARENTS = {"dept": "org", "team": "dept", "lone": "org"}
ACCOUNTS = ("org", *PARENTS)
SUBJECTS = ("ann", "bob")
FEATURES: list[dict[str, Any]] = [{"key": "chat", "kind": "metered", "meter": "tokens"}]
PLANS = [plan("own", charges=[charge()], entitlements=[{"feature": "chat"}])]
SHOWN = simulate.SHOWN | {topics.LIMITS.name}


class Use(NamedTuple):
    """What was used."""

    account: str
    subject: str
    quantity: int


class Limit(NamedTuple):
    """A limit of a day that is set for an account, in place of what it had of the same scope."""

    account: str
    scope: str
    amount: int


USES = st.builds(Use, st.sampled_from(ACCOUNTS), st.sampled_from(SUBJECTS), st.integers(1, 9))
LIMITS = st.builds(
    Limit, st.sampled_from(ACCOUNTS), st.sampled_from(("account", "subject")), st.integers(1, 30)
)


def path(account: str) -> Iterator[str]:
    """The account, and those above it."""
    yield account
    while account in PARENTS:
        account = PARENTS[account]
        yield account


class Model:
    """See the module. `subscribed` have a subscription of their own, the root always."""

    def __init__(self, subscribed: frozenset[str]) -> None:
        self.subscribed = subscribed
        self.used: list[Use] = []
        self.limits: dict[tuple[str, str], int] = {}

    def payer(self, account: str) -> str:
        return next(each for each in path(account) if each in self.subscribed)

    def available(self, account: str, subject: str | None) -> str | None:
        rests = [max(rest, 0) for rest in self._rests(account, subject)]
        return str(min(rests)) if rests else None

    def _rests(self, account: str, subject: str | None) -> Iterator[int]:
        for (owner, scope), amount in self.limits.items():
            if scope == "account" and owner in path(account):
                yield amount - sum(each.quantity for each in self.used if owner in path(each.account))
            elif scope == "subject" and subject is not None and owner in (account, self.payer(account)):
                mine = [
                    each
                    for each in self.used
                    if each.subject == subject and owner in (each.account, self.payer(each.account))
                ]
                yield amount - sum(each.quantity for each in mine)


class Watched:
    """The engine's life of the tree, and a gateway that follows it."""

    def __init__(self, subscribed: frozenset[str]) -> None:
        self.tree = Tree(PLANS, features=FEATURES)
        self.world = World(1)
        doc = check_catalog({"meters": [TOKENS], "plans": PLANS, "features": FEATURES}).doc
        self.world.put_directory(
            Record("acme/catalog", {"revision": 1, "time": 0, "commands": ["c"], "doc": doc})
        )
        for account, parent in PARENTS.items():
            self.world.put_directory(
                Record(f"acme/account/{account}", {"root": "org", "parent": parent, "command": "c"})
            )
        for account in sorted(subscribed):
            self.tree.sub(account, "own", "2026-03-01")
        self._read = 0

    def act(self, number: int, act: Use | Limit) -> None:
        """Something at a minute of its own."""
        time = f"2026-03-02T10:{number:02d}"
        if isinstance(act, Use):
            self.tree.use(act.quantity, time, account=act.account, subject=act.subject)
        else:
            limit = {"key": act.scope, "metric": "usage", "meter": "tokens", "window": "day", "hard": True,
                     "amount": str(act.amount), "scope": act.scope}  # fmt: skip
            self.tree.command("set_limit", time, account=act.account, limit=limit)
        self.tree.until(f"{time}:30")

    def available(self, account: str, subject: str | None) -> str | None:
        """What a gateway says that has read all."""
        for each in self.tree.shown[self._read :]:
            record = Record(each.key or "", None if each.value is None else json.loads(each.value))
            if each.topic == topics.ENTITLEMENTS.name:
                self.world.put_entitlement(record)
            elif each.topic == topics.LIMITS.name:
                self.world.put_limit(record)
        self._read = len(self.tree.shown)
        found: str | None = Desk(self.world, Book()).access("acme", account, "chat", subject, 0)["available"]
        return found


@settings(max_examples=CASES)
@given(
    st.frozensets(st.sampled_from(tuple(PARENTS))), st.lists(st.one_of(USES, LIMITS), min_size=1, max_size=12)
)
def test_the_least_of_each_limits_rest(below: frozenset[str], acts: list[Use | Limit]) -> None:
    with mock.patch.object(simulate, "SHOWN", SHOWN):
        model, watched = Model(below | {"org"}), Watched(below | {"org"})
        for number, act in enumerate(acts):
            watched.act(number, act)
            if isinstance(act, Use):
                model.used.append(act)
            else:
                model.limits[act.account, act.scope] = act.amount
            for account in ACCOUNTS:
                for subject in (None, *SUBJECTS):
                    said = watched.available(account, subject)
                    assert said == model.available(account, subject), (account, subject)
