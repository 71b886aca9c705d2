"""The demo's world: accounts with their plans and API keys, and the usage that they send, from a seed.

Usage comes in bursts: each account has quiet and busy spells, a few accounts are much larger than the rest. Among the
good events are duplicates, late ones, and ones that cannot be used, as real producers send them.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from rating.times import DAY, HOUR, MINUTE, format_time

TENANT = "default"
MODELS = ("large", "small")
REGIONS = ("eu", "us")
NAMES = (
    "acme-robotics", "birch-health", "cobalt-legal", "delta-games", "ember-media", "fjord-bank", "garnet-retail",
    "harbor-freight", "indigo-travel", "juniper-ed", "kelp-foods", "lumen-energy", "maple-insure", "nimbus-cloud",
    "orchid-bio", "pepper-news", "quartz-labs", "rowan-homes", "saffron-pay", "tundra-maps", "umber-arts",
    "violet-care", "willow-hr", "xenon-motors",
)  # fmt: skip
PLANS = ("starter", "starter", "starter", "pro", "pro", "scale")


class Kind(StrEnum):
    """What an event of the demo is."""

    GOOD = "good"
    DUPLICATE = "duplicate"
    LATE = "late"
    BAD = "bad"


KINDS = (Kind.GOOD, Kind.DUPLICATE, Kind.LATE, Kind.BAD)
SHARES = (95, 2, 2, 1)
"""Percent of the events that are of each kind."""


class Account(NamedTuple):
    """A customer of the platform."""

    name: str
    plan: str
    keys: tuple[str, ...]
    weight: int


class Sent(NamedTuple):
    """One record to publish. `quantities` is what it adds per meter and model (what is charged), empty where nothing."""

    kind: Kind
    account: str
    key: bytes
    value: bytes
    quantities: tuple[tuple[str, str, int], ...]


def accounts() -> list[Account]:
    """The sample accounts: the same in every run, so that a second run adds to the first."""
    return [
        Account(
            name,
            PLANS[i % len(PLANS)],
            (f"key-{name}-web", f"key-{name}-batch"),
            12 if i % 8 == 5 else 1 + i % 4,
        )
        for i, name in enumerate(NAMES)
    ]


def commands(month_start: int, now: int) -> Iterator[dict[str, Any]]:
    """What subscribes the accounts, and a grant of credits. Ids are fixed: a second run changes nothing."""
    for account in accounts():
        yield {
            "id": f"demo-subscribe-{account.name}", "tenant": TENANT, "account": account.name, "type": "subscribe",
            "time": format_time(now), "subscription": account.plan, "plan": account.plan,
            "start": format_time(month_start), "subjects": list(account.keys),
        }  # fmt: skip
    yield {
        "id": "demo-grant-acme-robotics", "tenant": TENANT, "account": "acme-robotics", "type": "grant_credits",
        "time": format_time(now), "grant": "welcome", "amount": "5", "unit": "USD",
    }  # fmt: skip


class Usage:
    """An endless stream of usage. `run` makes the ids of this run its own, `seed` decides everything else; none is
    timed before `earliest`, microseconds."""

    def __init__(self, seed: int, run: str, earliest: int) -> None:
        self._random = random.Random(seed)
        self._run = run
        self._earliest = earliest
        self._count = 0
        self._accounts = accounts()
        self._weights = [account.weight for account in self._accounts]
        self._recent: deque[Sent] = deque(maxlen=200)

    def burst(self) -> list[int]:
        """How busy each account is now: a new mood of the world, to be drawn every second or so."""
        self._weights = [
            account.weight * (20 if self._random.random() < 0.06 else 1) for account in self._accounts
        ]
        return self._weights

    def next(self, now: int) -> Sent:
        """The next record, as of a time in microseconds."""
        self._count += 1
        kind = self._random.choices(KINDS, SHARES)[0]
        if kind is Kind.DUPLICATE and self._recent:
            return self._random.choice(self._recent)._replace(kind=kind, quantities=())
        if kind is Kind.DUPLICATE:  # nothing to repeat yet
            kind = Kind.GOOD
        account = self._random.choices(self._accounts, self._weights)[0]
        if kind is Kind.BAD:
            return self._bad(account, now)
        sent = self._good(account, now, kind)
        self._recent.append(sent)
        return sent

    def _good(self, account: Account, now: int, kind: Kind) -> Sent:
        ago = self._random.randrange(2 * MINUTE, 20 * HOUR) if kind is Kind.LATE else 0
        moment = max(now - ago, self._earliest)
        region = self._random.choice(REGIONS)
        if self._random.random() < 0.1:
            ms = int(self._random.lognormvariate(8, 1)) + 1
            event = self._event(account, moment, "gpu.job", {"region": region, "ms": ms})
            return self._sent(kind, account, event, ())
        model = self._random.choices(MODELS, (1, 4))[0]
        tokens = {
            "input_tokens": int(self._random.lognormvariate(6.5, 1.1)) + 1,
            "output_tokens": int(self._random.lognormvariate(5.0, 1.0)) + 1,
        }
        event = self._event(account, moment, "llm.completion", {"model": model, "region": region, **tokens})
        return self._sent(kind, account, event, (("input", model, tokens["input_tokens"]),))

    def _bad(self, account: Account, now: int) -> Sent:
        """An event that cannot be used, in one of the ways that real ones cannot."""
        data = {"model": "small", "region": "eu", "input_tokens": 10, "output_tokens": 5}
        event = self._event(account, now, "llm.completion", data)
        way = self._random.randrange(5)
        if way == 0:
            return self._sent(Kind.BAD, account, event, ())._replace(value=json.dumps(event).encode()[:-20])
        if way == 1:
            del event["source"]
        elif way == 2:
            event["data"] = {**data, "input_tokens": "a lot"}
        elif way == 3:
            event["time"] = format_time(now - 60 * DAY)
        else:
            event["time"] = format_time(now + 2 * DAY)
        return self._sent(Kind.BAD, account, event, ())

    def _event(self, account: Account, moment: int, type_: str, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": f"{self._run}-{self._count}",
            "source": f"gateway-{data['region']}-1",
            "type": type_,
            "subject": self._random.choice(account.keys),
            "time": format_time(moment),
            "data": data,
        }

    def _sent(
        self,
        kind: Kind,
        account: Account,
        event: dict[str, Any],
        quantities: tuple[tuple[str, str, int], ...],
    ) -> Sent:
        return Sent(kind, account.name, account.name.encode(), json.dumps(event).encode(), quantities)
