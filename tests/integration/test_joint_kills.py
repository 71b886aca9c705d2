"""Workers, gateways and the broker die together, again and again, while accounts cross their limits: nothing is lost or twice."""

from __future__ import annotations

import json
import pathlib
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from confluent_kafka import Producer

from rating.reservations import COMMITTED, OPEN, RELEASED
from schemas import topics
from streams.stack import broker
from streams.stack.config import StackConfig
from streams.stack.process import free_port
from tests import servers
from tests.integration import ledger, settled
from tests.integration.asking import Client, make_key
from tests.integration.customers import (
    CATALOG,
    GRANT,
    PRICE,
    START,
    TENANT,
    TOKENS,
    Account,
    Customers,
    crossings,
)
from tests.integration.fleet import Fleet

SEED = 20_261_126
KILLS = 20
BROKER_AFTER = (6, 13)
"""The broker dies as the next one after so many deaths."""
ACCOUNTS = 400
WORKERS, GATEWAYS = ("worker-1", "worker-2"), ("gate-1", "gate-2")
IN_TRANSACTION = ("after_produce", "after_offsets", "after_commit")
POINTS = {
    "worker": [*(f"rate.{each}" for each in (*IN_TRANSACTION, "before_ids")), *(f"normalize.{each}" for each in IN_TRANSACTION)],
    "gateway": [f"gateway.{each}" for each in IN_TRANSACTION],
}  # fmt: skip
ENDED, NO_BROKER = 1, "no broker answers"
START_S = 60
KILLS_S = 600
SETTLE_S = 90
READ = (
    topics.CHARGES,
    topics.THRESHOLDS,
    topics.LEDGER,
    topics.ENTITLEMENTS,
    topics.RESERVATIONS,
    topics.REJECTED,
)


@pytest.fixture
def config(tmp_path: pathlib.Path) -> Iterator[StackConfig]:
    found = servers.local_config(tmp_path / "own")
    broker.start(found, lambda words: None)
    yield found
    broker.daemon(found).stop()


@pytest.fixture
def fleet(config: StackConfig, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    made = Fleet(config.bootstrap_servers, "joint.", tmp_path)
    # A dead one's partitions move after two seconds, not six, so that the kills come close together.
    made.settings["AZOTTE_SESSION_TIMEOUT"] = "2s"
    made.make_topics(append_time=True)
    yield made
    made.stop()


class Deaths:
    """Every process dies of its own accord in the middle of a transaction, or of ours, as the customers go on; then it is
    back at once."""

    def __init__(self, fleet: Fleet, config: StackConfig, gateways: dict[str, Client]) -> None:
        self._fleet, self._config, self._gateways = fleet, config, gateways
        self._draw = random.Random(SEED)
        self._due: dict[str, int | None] = {}
        self.of: Counter[str] = Counter()

    def start(self, name: str, answered: int, mortal: bool = True) -> None:
        """Start it anew. Where it is mortal it dies at a point, or after so many more answers."""
        kind = "gateway" if name in GATEWAYS else "worker"
        extra = (
            {}
            if kind == "worker"
            else {"AZOTTE_GATEWAY_PORT": self._gateways[name].address.rpartition(":")[2]}
        )
        self._due[name] = None
        if mortal and self._draw.random() < 0.5:
            extra["AZOTTE_FAULT"] = f"{self._draw.choice(POINTS[kind])}:{self._draw.randint(2, 12)}"
        elif mortal:
            self._due[name] = answered + self._draw.randint(20, 100)
        self._fleet.start(name, kind, extra=extra)

    def go_round(self, answered: int) -> None:
        """Bury who has died, kill whose turn it is, start both anew."""
        for name in (*WORKERS, *GATEWAYS):
            due = self._due[name]
            code = self._fleet.running[name].poll()
            if code is not None:
                self._bury(name, code)
            elif due is not None and answered >= due:
                self._fleet.kill(name)
                self.of["gateway" if name in GATEWAYS else "worker"] += 1
            else:
                continue
            if len(BROKER_AFTER) > self.of["broker"] and self.of.total() >= BROKER_AFTER[self.of["broker"]]:
                self._kill_the_broker()
            self.start(name, answered)

    def _bury(self, name: str, code: int) -> None:
        """It died at its point; or it came when the broker was away, said so and ended, which is no death."""
        del self._fleet.running[name]
        if code == ENDED:
            assert self.of["broker"], self._fleet.logs()
            assert NO_BROKER in self._fleet.log(name)[-200:], self._fleet.logs()
            return
        assert code == -signal.SIGKILL, self._fleet.logs()
        self.of["gateway" if name in GATEWAYS else "worker"] += 1

    def _kill_the_broker(self) -> None:
        servers.kill_broker(self._config)
        broker.start(self._config, lambda words: None)
        self.of["broker"] += 1


def open_accounts(fleet: Fleet, accounts: list[Account]) -> None:
    """Subscribe everybody and wait until everybody's feature is told of."""
    apply = {"id": "catalog", "tenant": TENANT, "type": "apply_catalog", "time": START, "catalog": CATALOG}
    fleet.command([apply, *(command for account in accounts for command in account.opening())])
    told = ledger.Reader(fleet.servers, fleet.topic(topics.ENTITLEMENTS))

    def all_told() -> bool:
        told.poll()
        return len({key for key, _, _ in told.records}) == len(accounts)

    ledger.until(all_told, START_S, "every entitlement", fleet.logs)
    told.close()


def end_raw_partitions(fleet: Fleet) -> None:
    """An event that no meter reads, last on each partition: what is past it is past every transaction before."""
    producer = Producer({"bootstrap.servers": fleet.servers})
    for number in range(fleet.partitions):
        event = {"specversion": "1.0", "id": f"end-{number}", "source": "test", "type": "end", "tenant": TENANT,
                 "subject": "nobody", "data": {}}  # fmt: skip
        producer.produce(fleet.topic(topics.EVENTS), json.dumps(event), partition=number)
    assert producer.flush(30) == 0


def test_twenty_kills_of_all_kinds_while_limits_are_crossed(fleet: Fleet, config: StackConfig) -> None:
    accounts = [Account(f"cust-{number}") for number in range(ACCOUNTS)]
    key = make_key(fleet, TENANT)
    gateways = {name: Client(fleet, name, key) for name in GATEWAYS}
    for each in gateways.values():
        each.address = f"http://127.0.0.1:{free_port()}"
    deaths = Deaths(fleet, config, gateways)
    for name in WORKERS:
        deaths.start(name, 0)
    open_accounts(fleet, accounts)
    for name in GATEWAYS:
        deaths.start(name, 0)
    customers = Customers(list(gateways.values()), accounts, SEED)
    readers = {topic: ledger.Reader(fleet.servers, fleet.topic(topic)) for topic in READ}
    with customers.living():

        def killed() -> bool:
            readers[topics.CHARGES].poll()
            deaths.go_round(customers.answered)
            return deaths.of.total() >= KILLS

        ledger.until(killed, KILLS_S, f"{KILLS} kills", lambda: (deaths.of, customers.answered, fleet.logs()))
        fleet.stop()
        for name in (*WORKERS, *GATEWAYS):
            deaths.start(name, 0, mortal=False)
    before = {account.name: account.total for account in customers.lived}
    bought = customers.empty()
    end_raw_partitions(fleet)
    settled.drain(fleet, SETTLE_S, fleet.logs)
    settled.read_all(fleet, readers, fleet.logs)
    assert deaths.of["broker"] == len(BROKER_AFTER)
    assert min(deaths.of["worker"], deaths.of["gateway"]) >= KILLS // 4, deaths.of
    for account, tokens in bought:
        assert tokens == max(TOKENS - before[account.name], 0), f"what was left of {account.name}"
    check_money(customers.lived, readers)
    check_limits(customers.lived, readers)
    check_reservations(customers.lived, readers)
    check_events(fleet, customers.lived)


def check_money(lived: list[Account], readers: dict[topics.Topic, ledger.Reader]) -> None:
    """Each token is charged once, and grants burn what their lines say."""
    charges, entries = ledger.lines(readers[topics.CHARGES]), ledger.lines(readers[topics.LEDGER])
    assert ledger.faults(charges) == []
    want = {(account.name, "input"): account.total * PRICE for account in lived if account.used}
    assert ledger.differences(want, ledger.billed(charges)) == {}
    assert ledger.balance_faults(entries) == []
    assert ledger.burnt(entries) == ledger.paid(charges)
    burnt: dict[str, Fraction] = defaultdict(Fraction)
    for line in charges:
        burnt[line["account"]] += Fraction(line["credits_applied"])
    assert burnt == {name: min(amount, Fraction(GRANT)) for (name, _), amount in want.items()}
    assert readers[topics.REJECTED].records == []


def check_limits(lived: list[Account], readers: dict[topics.Topic, ledger.Reader]) -> None:
    """Each threshold is told once; who asks first never passes a limit; at the end access is as usage has it."""
    thresholds = ledger.lines(readers[topics.THRESHOLDS])
    assert ledger.crossings(thresholds) == crossings(lived)
    assert len({each["id"] for each in thresholds}) == len(thresholds)
    for account in lived:
        unasked = sum(tokens for name, tokens in account.used.items() if name.startswith("u"))
        assert TOKENS <= account.total <= TOKENS + unasked, account
    last = {each["account"]: each for each in ledger.lines(readers[topics.ENTITLEMENTS])}
    told = {account.name: (last[account.name]["used"], last[account.name]["access"]) for account in lived}
    assert told == {account.name: (str(account.total), False) for account in lived}


def check_reservations(lived: list[Account], readers: dict[topics.Topic, ledger.Reader]) -> None:
    """The topic holds of each reservation its grant and one end, as its customer was told."""
    told: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for key, value, _ in readers[topics.RESERVATIONS].records:
        _, account, name = (key or b"").decode().split("/")
        record = json.loads(value or b"")
        told[account, name] += [record["granted"], record.get("state")]
    ends = {"committed": [COMMITTED], "released": [RELEASED], "expired": []}
    want = {
        (account.name, name): [
            part for state in (OPEN, *ends[account.ended[name]]) for part in (str(granted), state)
        ]
        for account in lived
        for name, granted in account.granted.items()
    }
    assert told == want


def check_events(fleet: Fleet, lived: list[Account]) -> None:
    """A reservation's event was published once, another one as often as it was sent, and nothing but these."""
    raw = ledger.Reader(fleet.servers, fleet.topic(topics.EVENTS))
    raw.read_to(fleet.ends(topics.EVENTS, committed=True))
    raw.close()
    events = [json.loads(value or b"") for _, value, _ in raw.records]
    counted = Counter((each["subject"], each["id"]) for each in events if each["source"] != "test")
    assert set(counted) == {(account.name, name) for account in lived for name in account.used}
    twice = [name for (_, name), count in counted.items() if count > 1 and not name.startswith("u")]
    assert twice == []
