"""(d) and (e): the program itself, raw topic to committed charges, and the sink behind it.

Workers are real processes on a real broker, with the settings that ship. That every token is billed once is checked as
it is measured.
"""

from __future__ import annotations

import os
import pathlib
import re
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Producer

from schemas import topics
from streams.stack.process import free_port
from tests.bench.billed import Billed
from tests.bench.load import PARTITIONS, Result, commands, fill, tokens, values
from tests.bench.overshoot import EVERY, Crossings, Overshoot
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.integration.warehouse import row_count

WORKERS = ("one", "two")
LONG_S = 900
WARM = 1_000
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
LATE = 1.05
"""A steady rate that takes this much longer was none."""
LOOK_EVERY = 100
"""Events between two looks at the clock when a steady rate is kept."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from receipt to charge at a steady rate; `buckets` are counts up to each bound."""

    rate: int
    events: int
    p50: float
    p99: float
    buckets: dict[float, int]


class Ours:
    """One deployment under load, its accounts subscribed."""

    def __init__(
        self, servers: str, clickhouse: str, kafka_data: pathlib.Path, folder: pathlib.Path, accounts: int
    ) -> None:
        folder.mkdir(parents=True)
        self._data = kafka_data
        self._accounts = accounts
        self._ports: list[int] = []
        self._events = 0
        self._tokens = 0
        self.fleet = Fleet(servers, f"bench-{uuid.uuid4().hex[:6]}.", folder, PARTITIONS, clickhouse)
        self.fleet.make_topics(append_time=True)
        self._billed = Billed(servers, self.fleet.topic(topics.CHARGES))

    def open(self) -> None:
        """Put the catalog in force, subscribe every account, and rate a few events, which come after all that."""
        self.fleet.command(commands(self._accounts))
        self._start()
        wanted = self._accounts + 1
        ledger.until(
            lambda: self.fleet.done_with("azotte-control", topics.COMMANDS) >= wanted,
            LONG_S,
            "the accounts",
            self.fleet.logs,
        )
        self._fill(WARM)
        self._billed.until(self._tokens, LONG_S, self.fleet.logs)

    def rate(self, events: int) -> Result:
        """Rate events that come all at once to workers that run."""
        size, lines = self._bytes(), self._billed.lines
        self._fill(events)
        began, used = time.perf_counter(), self._cpu()
        ended = self._billed.until(self._tokens, LONG_S, self.fleet.logs)
        name = f"azotte, {self._accounts:,} accounts"
        return Result(
            name,
            events,
            ended - began,
            self._cpu() - used,
            self._memory(),
            self._billed.lines - lines,
            self._bytes() - size,
        )

    def steady(self, rate: int, seconds: int) -> tuple[Latency, Overshoot]:
        """What the workers' own histogram shows while events come at a steady rate; what passes hard limits meanwhile."""
        count = rate * seconds
        crossings = Crossings(self.fleet, count // EVERY)
        crossings.open()
        before = self._histogram()
        producer = Producer(
            {"bootstrap.servers": self.fleet.servers, "linger.ms": 5, "compression.type": "lz4"}
        )
        topic = self.fleet.topic(topics.EVENTS)
        began = time.perf_counter()
        for number, (key, value) in enumerate(values(count, self._accounts)):
            producer.produce(topic, value, key)
            if number % EVERY == 0:
                crossings.cross(producer, number // EVERY)
            if number % LOOK_EVERY == 0:
                producer.poll(0)
                # Not within `poll`, which comes back before its time is over.
                time.sleep(max(0.0, began + number / rate - time.perf_counter()))
        assert producer.flush(30) == 0
        took = time.perf_counter() - began
        assert took < seconds * LATE, (
            f"{count} events took {took:.1f} s to publish: the machine cannot keep the rate"
        )
        self._count(count)
        self._tokens += crossings.count
        self._billed.until(self._tokens, LONG_S, self.fleet.logs)
        after = self._histogram()
        buckets = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
        latency = Latency(rate, count, _quantile(buckets, 0.5), _quantile(buckets, 0.99), buckets)
        return latency, crossings.close()

    def sink(self) -> Result:
        """Everything so far into ClickHouse: a row a line and a row an event."""
        self.fleet.stop()
        rows = self._billed.lines + self._events
        self.fleet.start("sink", "sink")
        ledger.until(lambda: self._rows() > 0, LONG_S, "the first row", self.fleet.logs)
        began, used, first = time.perf_counter(), self._cpu(), self._rows()
        ledger.until(lambda: self._rows() >= rows, LONG_S, "every row", self.fleet.logs)
        seconds = time.perf_counter() - began
        return Result("sink, rows", rows - first, seconds, self._cpu() - used, self._memory(), 0)

    def close(self) -> None:
        """Stop all of it."""
        self.fleet.stop()
        self._billed.close()

    def _start(self) -> None:
        self._ports = [free_port() for _ in WORKERS]
        for name, port in zip(WORKERS, self._ports, strict=True):
            self.fleet.start(name, "worker", extra={"AZOTTE_WEB_PORT": str(port)})

    def _fill(self, count: int) -> None:
        fill(self.fleet.servers, self.fleet.topic(topics.EVENTS), count, self._accounts)
        self._count(count)

    def _count(self, count: int) -> None:
        self._events += count
        self._tokens += sum(map(tokens, range(count)))

    def _bytes(self) -> int:
        """What lies on the broker's disk for this deployment, but for the raw events."""
        folders = self._data.glob(f"{self.fleet.prefix}*")
        mine = [each for each in folders if topics.EVENTS.name not in each.name]
        return sum(path.stat().st_size for folder in mine for path in folder.glob("*.log"))

    def _rows(self) -> int:
        assert self.fleet.clickhouse is not None
        return sum(row_count(self.fleet.clickhouse, table) for table in ("charges_rows", "usage_rows"))

    def _processes(self) -> Iterator[pathlib.Path]:
        for process in self.fleet.running.values():
            yield pathlib.Path(f"/proc/{process.pid}")

    def _cpu(self) -> float:
        """Processor seconds of all processes so far."""
        total = 0
        for folder in self._processes():
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS_PER_SECOND

    def _memory(self) -> int:
        """The sum of the processes' peaks, in bytes."""
        found = (re.search(r"VmHWM:\s+(\d+)", (each / "status").read_text()) for each in self._processes())
        return sum(int(match[1]) * 1024 for match in found if match)

    def _histogram(self) -> dict[float, int]:
        """Counts of the event-to-charge histogram up to each bound, over all workers."""
        sums: dict[float, int] = {}
        for port in self._ports:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
            for bound, count in re.findall(
                r'azotte_event_to_charge_seconds_bucket{le="([^"]+)"} (\S+)', text
            ):
                sums[float(bound)] = sums.get(float(bound), 0) + int(float(count))
        return sums


def _quantile(buckets: dict[float, int], part: float) -> float:
    """The bound that so many of the observations are under."""
    total = max(buckets.values(), default=0)
    return min((bound for bound, count in buckets.items() if count >= part * total), default=float("inf"))
