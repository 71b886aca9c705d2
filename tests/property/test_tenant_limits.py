"""A tenant's limits over several partitions: whatever the order in which partitions are rated, however timers are drained,
and though the whole log is rated anew, every charge line counts once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from rating.effects import Effect
from rating.engine import Engine
from rating.placement import partition_of
from rating.records import Position, Record, TenantUsage
from rating.times import DAY, HOUR, format_time, parse_time
from schemas import topics
from tests.property.partition import TENANT, Rater, Writer
from tests.unit.rating.lives import TOKENS, Doc, charge, plan

SEEDS = 60
PARTITIONS = 3
HOME = partition_of(TENANT, "", PARTITIONS)
ACCOUNTS = ("ann", "bob", "cid", "dan", "eve")
STEP = 7
MARCH, APRIL, MAY = (parse_time(f"2026-{month}-01T00:00:00Z") for month in ("03", "04", "05"))
SEATS: Doc = {"key": "seats", "event_type": "seat", "aggregation": "time_weighted_sum", "value": "$.value", "unit": "seat",
              "window": "1h"}  # fmt: skip
CATALOG: Doc = {
    "meters": [TOKENS, SEATS],
    "plans": [plan(
        "pro", charges=[charge(), charge("3", key="seats", meter="seats")],
        limits=[{"key": "cap", "metric": "spend", "amount": "1000", "window": "month", "scope": "tenant",
                 "thresholds": [{"every": str(STEP)}]}],
    )],
}  # fmt: skip


class Cluster:
    """Partitions with an engine each, in one thread: `draw` says whose turn it is, and how much of what is due fires."""

    def __init__(self, draw: random.Random, logs: list[list[Record]]) -> None:
        self.draw = draw
        self.logs = logs
        self.raters = [Rater() for _ in range(PARTITIONS)]
        for number, rater in enumerate(self.raters):
            rater.engine = Engine(rater.cells, rater.ids, number)
        self.effects: list[Effect] = []

    def settle(self) -> None:
        """Rate all that there is, in any order."""
        while busy := [number for number in range(PARTITIONS) if self._has_work(number)]:
            number = self.draw.choice(busy)
            rater = self.raters[number]
            if rater.engine.has_due() and (self.draw.random() < 0.5 or not self._left(number)):
                self._take(rater.engine.drain(self.draw.randint(1, 2)))
            else:
                record = self.logs[number][rater.offset]
                effects = rater.engine.drain(100) if rater.engine.must_drain(record) else []
                effects += rater.engine.apply(record, Position(topics.LOG.name, number, rater.offset))
                rater.offset += 1
                self._take(effects)

    def _left(self, number: int) -> bool:
        return self.raters[number].offset < len(self.logs[number])

    def _has_work(self, number: int) -> bool:
        return self._left(number) or self.raters[number].engine.has_due()

    def _take(self, effects: list[Effect]) -> None:
        self.effects += effects
        for each in effects:
            if each.topic == topics.LOG.name:
                assert each.value is not None
                self.logs[HOME].append(TenantUsage(**each.value))

    def values(self, topic: topics.Topic) -> list[dict[str, Any]]:
        return [
            dict(each.value) for each in self.effects if each.topic == topic.name and each.value is not None
        ]


def phases(draw: random.Random) -> Iterator[list[tuple[int | None, Record]]]:
    """The inputs of one history, month by month, each with its partition."""
    writer, taken = Writer(CATALOG, draw.randint(1, 5), partitions=PARTITIONS), 0
    sent: list[Doc] = []
    for account in ACCOUNTS:
        writer.command({"id": f"s-{account}", "tenant": TENANT, "account": account, "type": "subscribe", "subscription": "s",
                        "plan": "pro", "time": format_time(MARCH), "start": format_time(MARCH)}, MARCH)  # fmt: skip
    for month in (MARCH, APRIL, MAY):
        now = month + 5 * HOUR
        writer.tick(now)
        batch: list[Doc] = []
        for number in range(draw.randint(3, 12)):
            kind = "seat" if draw.random() < 0.2 else "use"
            event = {"specversion": "1.0", "id": f"{month}-{number}", "source": "src", "type": kind, "tenant": TENANT,
                     "subject": draw.choice(ACCOUNTS), "time": format_time(now - draw.randrange(5 * HOUR)),
                     "data": {"value": draw.randint(1, 9)}}  # fmt: skip
            sent.append(event)
            batch += [event, *(draw.sample(sent, 1) if draw.random() < 0.3 else [])]
            if draw.random() < 0.4:
                writer.events(batch, now)
                batch = []
        writer.events(batch, now)
        if draw.random() < 0.5:
            was = draw.choice([each for each in sent if each["id"].startswith(str(month))])
            writer.command({"id": f"r-{month}", "tenant": TENANT, "account": was["subject"], "type": "retract_usage",
                            "time": format_time(now), "source": "src", "event_id": was["id"], "was": was}, now)  # fmt: skip
        yield list(zip(writer.places, writer.records, strict=True))[taken:]
        taken = len(writer.records)
    writer.tick(MAY + DAY)
    yield list(zip(writer.places, writer.records, strict=True))[taken:]


def standing(crossed: list[dict[str, Any]]) -> Counter[str]:
    """How many thresholds of each window are breached."""
    found: Counter[str] = Counter()
    for each in crossed:
        found[each["window_start"]] += 1 if each["state"] == "breached" else -1
    return found


def spent(lines: list[dict[str, Any]], month: int) -> Fraction:
    """What the lines whose window begins in a month come to."""
    name = format_time(month)[:7]
    return sum(
        (Fraction(each["amount"]) for each in lines if each["window_start"].startswith(name)), Fraction(0)
    )


def test_every_line_counts_once_whatever_the_order_and_though_all_is_rated_again() -> None:
    tried = told = timers = 0
    for seed in range(SEEDS):
        draw = random.Random(seed)
        logs: list[list[Record]] = [[] for _ in range(PARTITIONS)]
        first = Cluster(draw, logs)
        for records, month in zip(phases(draw), (MARCH, APRIL, MAY, MAY), strict=True):
            for number, record in records:
                for each in range(PARTITIONS) if number is None else (number,):
                    logs[each].append(record)
            first.settle()
            lines, crossed = first.values(topics.CHARGES), first.values(topics.THRESHOLDS)
            reached = max(spent(lines, month) // STEP, 0)
            # A month that is over has recovered.
            assert +standing(crossed) == +Counter({format_time(month): int(reached)}), seed
        crossed = first.values(topics.THRESHOLDS)
        assert len({each["id"] for each in crossed}) == len(crossed)
        mine = [each for each in logs[HOME] if isinstance(each, TenantUsage)]
        told, timers = told + len(mine), timers + sum(1 for each in mine if each.account)

        again = Cluster(random.Random(seed + SEEDS), [list(log) for log in logs])
        again.settle()
        assert again.values(topics.THRESHOLDS) == crossed, seed
        assert len(again.logs[HOME]) > len(logs[HOME]), "nothing was told again"
        assert not any(rater.engine.parked for rater in (*first.raters, *again.raters))
        tried += 1
    assert (tried, told > 10 * SEEDS, timers > 2 * SEEDS) == (SEEDS, True, True)
