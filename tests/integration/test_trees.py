"""A tree of accounts over a log of several partitions: what waited under the accounts' own names, on partitions of their own,
comes to the tree's, copies are found there, and a worker that is killed goes on with the tree as it was."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from fractions import Fraction
from typing import Any

from confluent_kafka import Producer

from rating.placement import partition_of
from rating.times import HOUR, format_time
from schemas import topics
from tests.integration import ledger
from tests.integration.fleet import Fleet

Json = dict[str, Any]
Sums = dict[tuple[str, str | None], int]
TEAMS = ["research", "sales", "ads", "search", "support", "infra", "legal", "finance"]
CATALOG: Json = {
    "meters": [{"key": "used", "event_type": "use", "aggregation": "sum", "value": "$.value", "window": "1h"}],
    "plans": [
        {"key": "pool", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": "year",
         "charges": [{"key": "used", "meter": "used", "price": {"model": "graduated", "tiers": [
             {"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]}}]},
    ],
}  # fmt: skip
COME_S = 90


class Story:
    """What is published at one moment of event time, and what came of it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        fleet.settings["AZOTTE_TICK_INTERVAL"] = "200ms"
        self.time = format_time(time.time_ns() // 1_000 - HOUR)
        self.charges = ledger.Reader(fleet.servers, fleet.topic(topics.CHARGES))
        self.rejected = ledger.Reader(fleet.servers, fleet.topic(topics.REJECTED))
        self._producer = Producer({"bootstrap.servers": fleet.servers, "enable.idempotence": True})
        self._number = 0

    def event(self, name: str, account: str, value: int) -> Json:
        return {"specversion": "1.0", "id": name, "source": "src", "type": "use", "tenant": "acme", "subject": account,
                "time": self.time, "data": {"value": value}}  # fmt: skip

    def use(self, *events: Json) -> None:
        for event in events:
            self._producer.produce(self.fleet.topic(topics.EVENTS), json.dumps(event).encode(), event["id"])
        assert self._producer.flush(30) == 0

    def command(self, kind: str, account: str, **fields: Any) -> None:
        self._number += 1
        named = {} if kind == "apply_catalog" else {"account": account}
        self.fleet.command([
            {"id": f"c{self._number}", "tenant": "acme", "type": kind, "time": self.time, **named, **fields}
        ])  # fmt: skip

    def comes_to(self, want: Sums, total: str) -> None:
        """Wait until each account's quantities, by who used it, and what is owed in all, are these."""

        def there() -> bool:
            self.charges.poll()
            return self.sums("quantity") == want and sum(self.sums("amount").values()) == Fraction(total)

        ledger.until(there, COME_S, str(want), lambda: (self.sums("quantity"), self.fleet.logs()))

    def sums(self, name: str) -> dict[tuple[str, str | None], Fraction]:
        found: dict[tuple[str, str | None], Fraction] = defaultdict(Fraction)
        for line in ledger.lines(self.charges):
            found[line["account"], line["sub_account"]] += Fraction(line[name])
        return {key: amount for key, amount in found.items() if amount}

    def waits_in_log(self, count: int) -> None:
        """Wait until so many events are in packs."""
        ledger.until(
            lambda: sum(self.fleet.offsets("azotte-normalize", topics.EVENTS).values()) >= count,
            COME_S,
            "the events",
        )


def test_a_tree_over_partitions_is_rated_as_one(fleet: Fleet) -> None:
    assert len({partition_of("acme", name, fleet.partitions) for name in ["org", *TEAMS]}) == fleet.partitions
    story = Story(fleet)
    fleet.start("worker", "worker")
    story.command("apply_catalog", "", catalog=CATALOG)
    first = [story.event(f"first-{team}", team, 1) for team in TEAMS]
    story.use(*first)
    story.waits_in_log(len(first))
    for team in TEAMS[:6]:
        story.command("set_account", team, parent="org")
    story.command("set_account", TEAMS[6], parent=TEAMS[0])
    story.command("subscribe", "org", subscription="s", plan="pool", start=story.time)
    story.use(*first)
    want: Sums = {("org", team): 1 for team in TEAMS[:7]}
    story.comes_to(want, "7")
    fleet.kill("worker")
    fleet.start("again", "worker")
    story.use(*first, *(story.event(f"second-{team}", team, 2) for team in TEAMS))
    story.command("subscribe", TEAMS[7], subscription="s", plan="pool", start=story.time, parent=TEAMS[6])
    want = {(TEAMS[7], None): 3, **{("org", team): 3 for team in TEAMS[:7]}}
    story.comes_to(want, "18.5")
    story.command("retract_usage", TEAMS[6], source="src", event_id=f"second-{TEAMS[6]}",
                  was=story.event(f"second-{TEAMS[6]}", TEAMS[6], 2))  # fmt: skip
    story.comes_to({**want, ("org", TEAMS[6]): 1}, "17.5")
    assert ledger.faults(ledger.lines(story.charges)) == []
    story.rejected.poll(1)
    assert story.rejected.records == []
