"""Customers of a gateway: they reserve, commit, release, forget, use without asking, and write down what they were told.

    customers = Customers(gateways)
    with customers.living():           # one thread each, one account after the other, until nothing of it is left
        ...                            # kill what you like: an answer that did not come is asked for again

Every request has an id of its own and is made again until it is answered, so each outcome is known: that is the account by
which the deployment is judged.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.integration.asking import Client

TENANT = "acme"
START = "2026-01-01T00:00:00Z"
PRICE = Fraction(1, 2)
TOKENS = 100
"""What an account may use: by its feature's balance, or by a cap on what it spends."""
GRANT = 20
THRESHOLDS = (50, 80, 100)
LARGEST = 15
SHORT_TTL, LONG_TTL = "2s", "10m"
RETRY_S = 0.05
ANSWER_S = 90
AT_ONCE = 8
AWAY = (0, 503)
REFUSED = (402, 403, 429)
_CHARGE = {"key": "input", "meter": "tokens", "price": {"model": "per_unit", "unit_amount": "0.5"}}
_PLAN = {"version": 1, "effective_from": START, "currency": "USD", "period": "year", "charges": [_CHARGE]}
CATALOG = {
    "meters": [{"key": "tokens", "event_type": "llm", "aggregation": "sum", "value": "$.tokens"}],
    "features": [{"key": "chat", "kind": "metered", "meter": "tokens"}],
    "plans": [
        _PLAN | {
            "key": "quota",
            "entitlements": [{"feature": "chat", "included": str(TOKENS), "overage": "denied"}],
            "limits": [{"key": "told", "metric": "usage", "meter": "tokens", "amount": str(TOKENS),
                        "thresholds": list(THRESHOLDS)}],
        },
        _PLAN | {
            "key": "cap",
            "entitlements": [{"feature": "chat", "included": "0", "overage": "allowed"}],
            "limits": [{"key": "cap", "metric": "spend", "currency": "USD", "amount": str(TOKENS * PRICE), "hard": True,
                        "thresholds": list(THRESHOLDS)}],
        },
    ],
}  # fmt: skip


@dataclass(slots=True)
class Account:
    """One account, and what its customer was told: what each reservation was granted and how it ended, what was used."""

    name: str
    granted: dict[str, int] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    """Tokens of each event that was taken, by its id; a reservation's has the reservation's."""

    @property
    def plan(self) -> str:
        """Half of the accounts are bounded by a balance, half by a hard limit."""
        return "cap" if int(self.name.rpartition("-")[2]) % 2 else "quota"

    @property
    def asks_first(self) -> bool:
        """Whether it never uses without a reservation; of those that do, nothing bounds what they use."""
        return int(self.name.rpartition("-")[2]) % 4 < 2

    @property
    def total(self) -> int:
        """Tokens that were used."""
        return sum(self.used.values())

    def crossings(self) -> Iterator[tuple[str, str]]:
        """Each threshold that was reached: the account and its value."""
        unit = PRICE if self.plan == "cap" else Fraction(1)
        for percent in THRESHOLDS:
            if self.total * 100 >= TOKENS * percent:
                yield self.name, str(TOKENS * unit * percent / 100)

    def opening(self) -> list[dict[str, object]]:
        """The commands that make it."""
        common: dict[str, object] = {"tenant": TENANT, "account": self.name, "time": START}
        return [
            common | {"id": f"sub-{self.name}", "type": "subscribe", "subscription": "main", "plan": self.plan, "start": START},
            common | {"id": f"grant-{self.name}", "type": "grant_credits", "grant": "welcome", "amount": str(GRANT),
                      "unit": "USD"},
        ]  # fmt: skip


class Customers:
    """Whoever is idle takes the next account. `answered` counts what was answered, over all."""

    def __init__(self, gateways: Sequence[Client], accounts: Sequence[Account], seed: int) -> None:
        self._gateways = gateways
        self._waiting = iter(accounts)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._seed = seed
        self.answered = 0
        self.lived: list[Account] = []

    @contextmanager
    def living(self) -> Iterator[None]:
        """They live while the block runs, and end what they have begun."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = [pool.submit(self._live) for _ in range(AT_ONCE)]
            try:
                yield
            finally:
                self._over.set()
            for each in running:
                each.result()

    def empty(self) -> list[tuple[Account, int]]:
        """Buy what is left of every account that was lived on, and use it; how many tokens that was."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(zip(self.lived, pool.map(self._buy_the_rest, self.lived), strict=True))

    def ask(self, draw: random.Random, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The answer of any gateway, as soon as one has it."""
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            status, found = draw.choice(self._gateways).ask(method, path, body)
            if status not in AWAY:
                with self._lock:
                    self.answered += 1
                return status, found
            threading.Event().wait(RETRY_S)
        raise AssertionError(
            f"nobody answered {method} {path} within {ANSWER_S} s, last with {status} {found}"
        )

    def _live(self) -> None:
        while not self._over.is_set():
            with self._lock:
                account = next(self._waiting)
                self.lived.append(account)
            draw = random.Random(f"{self._seed} {account.name}")
            number = 0
            while not self._over.is_set() and self._step(account, draw, f"r{number}"):
                number += 1

    def _step(self, account: Account, draw: random.Random, name: str) -> bool:
        """One thing that a customer does; false where nothing is left."""
        if not account.asks_first and draw.random() < 0.2:
            self._use(account, draw, f"u{name}", draw.randint(1, LARGEST))
            return True
        end = draw.choices(("committed", "part", "released", "expired"), (60, 15, 15, 10))[0]
        granted = self._reserve(
            account, draw, name, draw.randint(1, LARGEST), SHORT_TTL if end == "expired" else LONG_TTL
        )
        if not granted:
            return False
        if end == "released":
            status, _ = self.ask(draw, "DELETE", f"{_path(account)}/reservations/{name}")
            assert status == 204
        elif end != "expired":
            self._commit(account, draw, name, granted if end == "committed" else draw.randint(1, granted))
        account.ended[name] = "committed" if end == "part" else end
        return True

    def _buy_the_rest(self, account: Account) -> int:
        draw = random.Random(account.name)
        path = f"{_path(account)}/features/chat"
        deadline = time.monotonic() + ANSWER_S
        while (found := _bound(self.ask(draw, "GET", path)[1])) != (str(account.total), "0"):
            assert time.monotonic() < deadline, (
                f"{account.name} used {account.total}, the gateway says {found}"
            )
            threading.Event().wait(RETRY_S)
        granted = self._reserve(account, draw, "rest", TOKENS, LONG_TTL)
        if granted:
            self._commit(account, draw, "rest", granted)
            account.ended["rest"] = "committed"
        assert not self._reserve(account, draw, "more", 1, LONG_TTL), f"{account.name} had more than all"
        return granted

    def _reserve(self, account: Account, draw: random.Random, name: str, quantity: int, ttl: str) -> int:
        body = {"id": name, "feature": "chat", "quantity": str(quantity), "minimum": "1", "ttl": ttl}
        status, answer = self.ask(draw, "POST", f"{_path(account)}/reservations", body)
        if status in REFUSED:
            return 0
        assert status == 201, answer
        account.granted[name] = int(answer["granted"])
        return account.granted[name]

    def _commit(self, account: Account, draw: random.Random, name: str, tokens: int) -> None:
        event = {"type": "llm", "data": {"tokens": tokens}}
        path = f"{_path(account)}/reservations/{name}/commit"
        status, answer = self.ask(draw, "POST", path, {"event": event})
        assert status == 202, answer
        account.used[name] = tokens

    def _use(self, account: Account, draw: random.Random, name: str, tokens: int) -> None:
        event = {"specversion": "1.0", "id": name, "source": "unasked", "type": "llm", "subject": account.name,
                 "data": {"tokens": tokens}}  # fmt: skip
        status, answer = self.ask(draw, "POST", "/v1/events", event)
        assert (status, answer["results"][0]["status"]) == (200, "accepted")
        account.used[name] = tokens


def crossings(accounts: Sequence[Account]) -> Counter[tuple[str, str]]:
    """Each threshold that somebody reached, once."""
    return Counter(found for account in accounts for found in account.crossings())


def _bound(body: Any) -> tuple[str, str]:
    """What is counted, and what is held."""
    return body["used"], body["reserved"]


def _path(account: Account) -> str:
    return f"/v1/tenants/{TENANT}/accounts/{account.name}"
