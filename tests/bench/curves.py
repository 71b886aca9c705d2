"""What one event costs against how much there is: a fold of packs in process, through the partition that the worker uses.

Each curve grows one thing. Along a curve every transaction has one pack of as many events, each event falls in an account
of its own and makes one line, and what it meets is there already and crosses no tier: so points differ in that one thing
alone. Measured is what RATE does between poll and commit, and the merge after it: decoded packs in, encoded lines and
cells out.
"""

from __future__ import annotations

import gc
import itertools
import pathlib
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from rating.records import Record
from rating.times import DAY, HOUR, format_time, parse_time
from schemas import topics
from schemas.cells import encode_key
from schemas.cells import encode_value as encode_cell
from schemas.outputs import encode_value
from streams.rate.ids import IdStore
from streams.rate.restore import Partition
from streams.rate.store import Store
from tests.property.partition import Doc, Writer

NOW = parse_time("2026-06-15T12:00:00Z")
PACK_EVENTS = 200
ROUNDS, ROUND_PACKS = 5, 20
TIER = 1_000
SEED = 20_261_125
T = TypeVar("T")


class Place(NamedTuple):
    """Where an event falls: the account's number, the group's, and how many days ago."""

    account: int
    group: int = 0
    day: int = 0


@dataclass(frozen=True)
class World:
    """A catalog of one charge, and how many accounts, groups and days of open periods there are."""

    price: Doc
    accounts: int
    groups: int = 1
    days: int = 1
    tiers: int = 2

    def catalog(self) -> Doc:
        meter = {"key": "tokens", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "token",
                 "window": "1h", "group_by": {"model": "$.model"}}  # fmt: skip
        charge = {"key": "input", "meter": "tokens", "dimensions": ["model"], "price": self.price}
        length = "year" if self.days == 1 else "day"
        plan = {"key": "pro", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": length,
                "grace": "366d", "charges": [charge]}  # fmt: skip
        return {"meters": [meter], "plans": [plan]}

    def everywhere(self) -> Iterator[Place]:
        """Every place once."""
        for day, group, account in itertools.product(
            range(self.days), range(self.groups), range(self.accounts)
        ):
            yield Place(account, group, day)

    def drawn(self, draw: random.Random) -> list[Place]:
        """A pack's places, each of an account of its own."""
        accounts = draw.sample(range(self.accounts), PACK_EVENTS)
        return [Place(each, draw.randrange(self.groups), draw.randrange(self.days)) for each in accounts]


@dataclass(frozen=True)
class Curve:
    """What grows, to which sizes as a rule, to which when the whole is asked for, and the world of a size."""

    name: str
    sizes: Sequence[int]
    full: Sequence[int]
    world: Callable[[int], World]


class Point(NamedTuple):
    """CPU time of an event in microseconds, the best of the rounds; and how many calls of functions it takes, which no
    cache and no neighbour moves."""

    size: int
    cost_us: float
    calls: float


def _tiers(count: int) -> Doc:
    bounds = [str(TIER * (number + 1)) for number in range(count - 1)]
    tiers = [
        {"up_to": bound, "unit_amount": f"0.{count - number:06d}"}
        for number, bound in enumerate([*bounds, None])
    ]
    return {"model": "graduated", "tiers": tiers}


def _cells(count: int) -> Doc:
    cells = [{"when": {"model": f"m{number}"}, "unit_amount": "0.000002"} for number in range(count)]
    return {"model": "matrix", "dimensions": ["model"], "cells": cells, "default": "0.000001"}


TWO = _tiers(2)
CURVES = (
    Curve("accounts", (1_000, 10_000, 100_000), (1_000_000,), lambda size: World(TWO, size)),
    Curve("groups of an account", (1, 10, 100, 1_000), (5_000,), lambda size: World(TWO, PACK_EVENTS, size)),
    Curve("tiers of a price", (2, 10, 50, 100), (), lambda size: World(_tiers(size), 1_000, tiers=size)),
    Curve("cells of a matrix", (1, 10, 100, 1_000), (), lambda size: World(_cells(size), 1_000, 5)),
    Curve("open periods of an account", (1, 7, 35, 100), (350,), lambda size: World(TWO, PACK_EVENTS, 1, size)),
)  # fmt: skip


def measure(curve: Curve, folder: pathlib.Path, full: bool) -> list[Point]:
    """The curve's points, smallest first."""
    sizes = (*curve.sizes, *(curve.full if full else ()))
    return [_point(size, curve.world(size), folder / f"{curve.name}-{size}") for size in sizes]


def calls(world: World, folder: pathlib.Path) -> float:
    """How many calls of functions an event of a world takes."""
    log, fold = _begun(world, folder)
    draw = random.Random(SEED)
    # The first time a price or a time is met, something is compiled or cached.
    fold.batch([log.pack(world.drawn(draw))])
    found = _calls(fold, log.pack(world.drawn(draw)))
    fold.close()
    return found / PACK_EVENTS


def _begun(world: World, folder: pathlib.Path) -> tuple[_Log, _Fold]:
    log, fold = _Log(world), _Fold(folder)
    for records in log.begun():
        fold.batch(records)
    return log, fold


def _point(size: int, world: World, folder: pathlib.Path) -> Point:
    log, fold = _begun(world, folder)
    gc.collect()
    gc.freeze()
    draw = random.Random(SEED)
    best = float("inf")
    for _ in range(ROUNDS):
        packs = [log.pack(world.drawn(draw)) for _ in range(ROUND_PACKS)]
        began = time.process_time()
        lines = sum(fold.batch([pack]) for pack in packs)
        best = min(best, time.process_time() - began)
        assert lines == ROUND_PACKS * PACK_EVENTS, f"{lines} lines of {ROUND_PACKS * PACK_EVENTS} events"
    counted = _calls(fold, log.pack(world.drawn(draw)))
    fold.close()
    gc.unfreeze()
    return Point(size, best / (ROUND_PACKS * PACK_EVENTS) * 1e6, counted / PACK_EVENTS)


def _calls(fold: _Fold, pack: Record) -> int:
    counted = itertools.count()

    def seen(_frame: object, event: str, _what: object) -> None:
        if event in ("call", "c_call"):
            next(counted)

    sys.setprofile(seen)
    fold.batch([pack])
    sys.setprofile(None)
    return next(counted)


class _Log:
    """The records of a world's log."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._writer = Writer(world.catalog(), PACK_EVENTS, 366 * DAY)
        self._number = 0

    def begun(self) -> Iterator[list[Record]]:
        """Every account subscribed, and one event everywhere."""
        self._writer.tick(NOW)
        yield self._taken()
        start = format_time(NOW - self._world.days * DAY)
        for chunk in _chunks(range(self._world.accounts)):
            for account in chunk:
                self._writer.command(self._subscribe(account, start), NOW)
            yield self._taken()
        for places in _chunks(self._world.everywhere()):
            yield [self.pack(places, first=True)]

    def pack(self, places: Sequence[Place], first: bool = False) -> Record:
        """A pack of one event for each place; the `first` ones spread the places over the tiers."""
        events = [
            self._event(place, 1 + place.account * 7_919 % (TIER * self._world.tiers - 1) if first else 1)
            for place in places
        ]
        self._writer.events(events, NOW)
        (record,) = self._taken()
        return record

    def _taken(self) -> list[Record]:
        assert not self._writer.rejected, self._writer.rejected[0]
        found, self._writer.records = self._writer.records, []
        return found

    def _subscribe(self, account: int, start: str) -> Doc:
        return {"id": f"sub-{account}", "tenant": "acme", "account": f"cust-{account}", "type": "subscribe",
                "time": format_time(NOW), "subscription": "main", "plan": "pro", "start": start}  # fmt: skip

    def _event(self, place: Place, value: int) -> dict[str, Any]:
        self._number += 1
        data = {"model": f"m{place.group}", "value": value}
        return {"specversion": "1.0", "id": f"e{self._number}", "source": "bench", "type": "use", "tenant": "acme",
                "subject": f"cust-{place.account}", "time": format_time(NOW - place.day * DAY - HOUR), "data": data}  # fmt: skip


class _Fold:
    """A partition as a worker has it, and what goes from it to the broker."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._partition = Partition(0, Store(), IdStore(folder), 0)

    def batch(self, records: Sequence[Record]) -> int:
        """One transaction; how many charge lines it has."""
        gc.disable()
        partition, lines = self._partition, 0
        for record in records:
            for effect in partition.apply(record, partition.position):
                lines += effect.topic == topics.CHARGES.name
                encode_value(effect.value or {})
        while partition.engine.has_due():
            partition.engine.drain(PACK_EVENTS)
        assert not partition.engine.parked, partition.engine.parked
        for bucket, member, value in partition.store.changes():
            encode_key(bucket, member)
            if value is not None:
                encode_cell(value)
        partition.keep()
        gc.enable()
        return lines

    def close(self) -> None:
        self._partition.ids.close()


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    found = iter(items)
    while chunk := list(itertools.islice(found, PACK_EVENTS)):
        yield chunk
