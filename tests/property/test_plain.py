"""The short way of plain usage says and keeps what the long way does, in random worlds and in whole random lives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings

from rating import plain
from rating.cells import DictCells
from rating.effects import Effect
from rating.records import Record
from rating.times import parse_time
from tests.auditor.lifecycle.words import shown
from tests.auditor.lifecycle_cases import history
from tests.auditor.lifecycle_features import ALL
from tests.property.partition import Rater, Writer
from tests.property.test_state import life
from tests.property.worlds import World, worlds

Answer = tuple[list[Effect], dict[tuple[tuple[str, ...], str], Any], dict[str, str]]
WORLDS = 150
HISTORIES = 150
PACK_EVENTS = 4


class Kept(DictCells):
    """Cells that say all that they hold."""

    def all(self) -> dict[tuple[tuple[str, ...], str], Any]:
        return {(bucket, member): value for bucket in self._buckets for member, value in self.members(bucket)}


def answer(records: Iterable[Record]) -> Answer:
    """What comes of records, and what is kept."""
    cells = Kept()
    rater = Rater(cells)
    effects: list[Effect] = []
    for record in records:
        effects += rater.step(record)
        effects += rater.drained(1_000)
    return effects, cells.all(), rater.engine.parked


def by_the_long_way(records: list[Record]) -> Answer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "moved", lambda *arguments: False)
        return answer(records)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the short way was taken, each time that it was asked."""
    found: list[bool] = []
    moved: Callable[..., bool] = plain.moved

    def asked(*arguments: Any) -> bool:
        found.append(moved(*arguments))
        return found[-1]

    monkeypatch.setattr(plain, "moved", asked)
    return found


def log_of_history(seed: int) -> list[Record]:
    """A random life as a log: events that follow each other come in packs of some, the clock now and then."""
    case = history(seed, ALL)
    writer = Writer(case.catalog, PACK_EVENTS)
    gathered: list[Any] = []
    clock = 0
    for line in case.inputs:
        ((kind, value),) = line.items()
        if kind == "event":
            gathered.append(value)
            clock = max(clock, parse_time(value["time"]))
            continue
        writer.events(gathered, clock)
        gathered = []
        clock = max(clock, parse_time(value["time"]))
        writer.tick(clock)
        writer.command(value, clock)
    writer.events(gathered, clock)
    writer.tick(parse_time(shown(case.until)))
    return writer.records


def test_random_worlds_come_to_the_same_by_both_ways(taken: list[bool]) -> None:
    seen = []

    @settings(max_examples=WORLDS, deadline=None, derandomize=True)
    @given(worlds(bounded=True))
    def holds(world: World) -> None:
        records = life(world)
        assert answer(records) == by_the_long_way(records)
        seen.append(world)

    holds()
    assert len(seen) >= WORLDS
    assert taken.count(True) > 2 * WORLDS
    assert taken.count(False) > WORLDS


def test_random_lives_come_to_the_same_by_both_ways(taken: list[bool]) -> None:
    for seed in range(HISTORIES):
        records = log_of_history(seed)
        assert answer(records) == by_the_long_way(records), f"seed {seed}"
    assert taken.count(True) > HISTORIES
    assert taken.count(False) > HISTORIES
