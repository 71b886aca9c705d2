"""Limits of a whole tenant over a log of several partitions: what the worker tells of them is what `simulate` tells, though it
is killed in the middle."""

from __future__ import annotations

import json
import uuid
from typing import Any

from rating.placement import partition_of
from schemas import topics
from schemas.catalog import check_catalog
from streams.simulate import Simulation
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.integration.test_trees import COME_S, TEAMS, Json, Story

BURST = 160
"""Events of 1 that are under way when the worker is killed."""
LIMITS: list[Json] = [
    {"key": key, "amount": "1000", "window": {"length": "30d"}, "scope": "tenant", "thresholds": [{"every": "10"}], **what}
    for key, what in (("usage", {"metric": "usage", "meter": "used"}), ("spend", {"metric": "spend"}))
]  # fmt: skip
CATALOG: Json = {
    "meters": [{"key": "used", "event_type": "use", "aggregation": "sum", "value": "$.value", "window": "1h"}],
    "plans": [
        {"key": "pro", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": "year", "limits": LIMITS,
         "charges": [{"key": "used", "meter": "used", "price": {"model": "per_unit", "unit_amount": "1"}}]},
    ],
}  # fmt: skip


class Twice:
    """One story through the worker, and the same inputs through `simulate`."""

    def __init__(self, fleet: Fleet) -> None:
        self.story = Story(fleet)
        self.thresholds = ledger.Reader(fleet.servers, fleet.topic(topics.THRESHOLDS))
        checked = check_catalog(CATALOG)
        assert checked.doc is not None
        self._simulation = Simulation(checked.doc)
        self.wanted: list[Json] = []

    def use(self, *events: Json) -> None:
        self.story.use(*events)
        for event in events:
            self._simulated(event, False)

    def command(self, kind: str, account: str, **fields: Any) -> None:
        self.story.command(kind, account, **fields)
        self._simulated({"id": uuid.uuid4().hex, "tenant": "acme", "account": account, "type": kind, "time": self.story.time,
                         **fields}, True)  # fmt: skip

    def _simulated(self, value: Json, is_command: bool) -> None:
        for each in self._simulation.take(json.dumps(value).encode(), is_command):
            if each.topic == topics.THRESHOLDS.name:
                assert each.value is not None
                self.wanted.append(json.loads(each.value))

    def comes(self) -> list[Json]:
        """Wait for as many records as `simulate` has; those of each limit, in order."""

        def there() -> bool:
            self.thresholds.poll()
            return len(self.thresholds.records) >= len(self.wanted)

        ledger.until(there, COME_S, f"{len(self.wanted)} records", self.story.fleet.logs)
        assert {key for key, _, _ in self.thresholds.records} == {b"acme/"}
        return ordered(ledger.lines(self.thresholds))


def ordered(records: list[Json]) -> list[Json]:
    """By limit, without when the log's clock booked them."""
    return [{**each, "time": None} for each in sorted(records, key=lambda each: str(each["limit"]))]


def known(records: list[Json]) -> list[tuple[Any, ...]]:
    """Without the value, which depends on what came together."""
    return [(each["id"], each["limit"], str(each["threshold"]), each["state"]) for each in records]


def test_the_worker_tells_of_a_tenant_what_simulate_tells_though_it_is_killed(fleet: Fleet) -> None:
    assert len({partition_of("acme", name, fleet.partitions) for name in TEAMS}) == fleet.partitions
    twice = Twice(fleet)
    story = twice.story
    fleet.start("one", "worker")
    story.command("apply_catalog", "", catalog=CATALOG)
    for team in TEAMS:
        twice.command("subscribe", team, subscription="s", plan="pro", start=story.time)
    for number, team in enumerate(TEAMS):
        twice.use(story.event(f"first-{team}", team, 10))
        assert twice.comes() == ordered(twice.wanted), number
    twice.use(*(story.event(f"burst-{number}", TEAMS[number % len(TEAMS)], 1) for number in range(BURST)))
    # Some of it is told, the rest is under way.
    said = len(twice.thresholds.records)
    ledger.until(
        lambda: twice.thresholds.poll() + len(twice.thresholds.records) > said,
        COME_S,
        "a crossing",
        fleet.logs,
    )
    fleet.kill("one")
    fleet.start("two", "worker")
    assert known(twice.comes()) == known(ordered(twice.wanted))
    was = story.event(f"first-{TEAMS[0]}", TEAMS[0], 10)
    twice.command("retract_usage", TEAMS[0], source="src", event_id=was["id"], was=was)
    assert known(twice.comes()) == known(ordered(twice.wanted))
    twice.use(story.event("last", TEAMS[1], 20))
    found = twice.comes()
    assert known(found) == known(ordered(twice.wanted))
    assert [each["state"] for each in found].count("recovered") == len(LIMITS)
    assert ledger.faults(ledger.lines(story.charges)) == []
