"""The rate stage between its consumer and its transactions: an abort is read again, and what waits has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rating.engine import Engine
from rating.records import LogSettings, Record, Tick
from rating.times import DAY
from schemas import topics
from schemas.log import encode_record
from streams.kafka import Anew
from streams.rate.ids import IdStore
from streams.rate.outs import Outs
from streams.rate.restore import POSITION, Partition
from streams.rate.service import RateStage
from streams.rate.store import Store
from streams.settings import Settings
from streams.slot import Slot, take
from tests.unit.streams.consumer import Rig

LOG = topics.LOG.name
RECORDS: list[Record] = [LogSettings(35 * DAY, DAY, 2), *(Tick(1_000 + number) for number in range(9))]


def positions(rig: Rig[RateStage]) -> dict[int, int]:
    return {number: each.position for number, each in rig.stage._partitions.items()}


def rig(tmp_path: Path, slot: Slot, records: list[Record], **settings: Any) -> Rig[RateStage]:
    made = RateStage(Settings(**settings), slot, pytest.fail)
    made._outs = Outs(Settings(**settings), 2, made.patience)
    encoded = [encode_record(record) for record in records]
    made._partitions = {
        number: Partition(number, Store(), IdStore(tmp_path / str(number)), 0) for number in (0, 1)
    }
    made._closers.append(lambda: made._forget([0, 1]))
    return Rig.around(made, {(LOG, 0): encoded, (LOG, 1): encoded})


@pytest.fixture
def slot(tmp_path: Path) -> Iterator[Slot]:
    found = take(tmp_path / "home")
    yield found
    found.close()


def test_what_was_aborted_is_rated_again_and_comes_to_the_same(tmp_path: Path, slot: Slot) -> None:
    once = rig(tmp_path / "once", slot, RECORDS, rate_batch_records=7)
    again = rig(tmp_path / "again", slot, RECORDS, rate_batch_records=7)
    for found, aborts in ((once, 0), (again, 2)):
        found.round()
        assert positions(found) == {0: 4, 1: 3}
        found.commits.aborts = aborts
        for _ in range(aborts):
            found.round()
            assert positions(found) == {0: 4, 1: 3}, "back to what is committed"
        while min(positions(found).values()) < len(RECORDS):
            found.round()
        assert {each.store.get(POSITION) for each in found.stage._partitions.values()} == {len(RECORDS)}
        assert {each.ids.reach() for each in found.stage._partitions.values()} == {(10, 1_008, 35 * DAY)}
        found.stage.close()
    assert len(again.commits.outs) > len(once.commits.outs)


def test_what_waits_while_timers_drain_has_a_bound_and_all_of_it_is_rated_after(
    tmp_path: Path, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [RECORDS[0], *(LogSettings(35 * DAY, DAY, 2) for _ in range(30))]
    found = rig(tmp_path, slot, records, rate_batch_records=4)
    due = [None] * 40
    monkeypatch.setattr(Engine, "has_due", lambda engine: bool(due))
    monkeypatch.setattr(Engine, "drain", lambda engine, limit: due.pop() or [])
    most = 0
    while due:
        found.round()
        most = max(most, len(found.stage._left))
    assert (most, positions(found)) == (8, {0: 0, 1: 0})
    while min(positions(found).values()) < len(records):
        found.round()
    assert not found.log.held
    found.stage.close()


def test_who_is_out_of_the_group_rates_nothing(tmp_path: Path, slot: Slot) -> None:
    found = rig(tmp_path, slot, RECORDS)
    found.log.member = None
    with pytest.raises(Anew):
        found.stage.poll()
    assert found.commits.offsets == []
    found.stage.close()
