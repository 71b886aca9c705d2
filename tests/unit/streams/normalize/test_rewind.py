"""The normalize stage between its consumer and its transactions: what was not committed is read again, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from confluent_kafka import TopicPartition

from rating.directory import LOG, Directory
from schemas import topics
from streams.kafka import Anew
from streams.normalize.service import NormalizeStage
from streams.settings import Settings
from streams.slot import take
from tests.unit.streams.consumer import Rig

RAW = topics.EVENTS.name


class Follower(NamedTuple):
    """The directory, which does not change."""

    directory: Directory

    def poll(self) -> None:
        return


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig[NormalizeStage]]:
    slot = take(tmp_path / "home")
    stage = NormalizeStage(Settings(normalize_batch_events=5, pack_events_max=5), slot, pytest.fail)
    found = Rig.around(stage, {(RAW, number): [b"not an event"] * 4 for number in (0, 1)})
    directory = Directory()
    directory.put(LOG, {"partitions": 4, "accept_past": 10**12, "accept_future": 10**9})
    stage._follower = cast(Any, Follower(directory))
    stage._log_partitions = 4
    stage._next = dict.fromkeys(found.log.next, 0)
    stage._told = dict.fromkeys(found.log.next, 0)
    yield found
    slot.close()


def test_what_was_aborted_comes_again_and_first(rig: Rig[NormalizeStage]) -> None:
    rig.commits.aborts = 1
    rig.round()
    rig.round()
    again = rig.commits.outs[1]
    assert again[: len(rig.commits.outs[0])] == rig.commits.outs[0]
    assert rig.commits.offsets == [{(RAW, 0): 3, (RAW, 1): 2}, {(RAW, 0): 3, (RAW, 1): 3}]
    rig.round()
    assert rig.commits.offsets[2] == {(RAW, 0): 4, (RAW, 1): 4}
    assert sum(map(len, rig.commits.outs[1:])) == 8


def test_a_partition_that_was_lost_does_not_come_again(rig: Rig[NormalizeStage]) -> None:
    rig.commits.aborts = 1
    rig.round()
    rig.stage._revoked(rig.log, [TopicPartition(RAW, 0)])
    rig.round()
    assert rig.commits.offsets[1] == {(RAW, 1): 3}
    rig.round()
    assert rig.commits.offsets[2] == {(RAW, 1): 4}


def test_each_offset_is_taken_once_though_a_partition_went_and_came_back(rig: Rig[NormalizeStage]) -> None:
    messages = rig.log.consume(8, 0)
    rig.stage._next[RAW, 0] = 2
    records = rig.stage._records(cast(Any, [*messages, *messages]))
    assert [record.offset for record in records if record.partition == 0] == [2, 3]
    assert [record.offset for record in records if record.partition == 1] == [0, 1, 2, 3]


def test_who_is_out_of_the_group_begins_anew(rig: Rig[NormalizeStage]) -> None:
    rig.log.member = None
    with pytest.raises(Anew):
        rig.stage.poll()
    assert rig.commits.offsets == []
