"""The control stage between its consumer and its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import TopicPartition

from schemas import topics
from streams.control.service import ControlStage
from streams.settings import Settings
from streams.slot import take
from tests.unit.streams.consumer import Log

COMMANDS = topics.COMMANDS.name


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[ControlStage]:
    slot = take(tmp_path / "home")
    yield ControlStage(Settings(), slot, pytest.fail)
    slot.close()


def test_each_command_is_taken_once_though_the_partition_went_and_came_back(stage: ControlStage) -> None:
    messages = Log({(COMMANDS, 0): [b"{}"] * 6}).consume(6, 0)
    stage._position = 2
    records = stage._records(cast(Any, [*messages, *messages[3:]]))
    assert [record.offset for record in records] == [2, 3, 4, 5]


def test_what_was_aborted_comes_first_and_once(stage: ControlStage) -> None:
    messages = Log({(COMMANDS, 0): [b"{}"] * 6}).consume(6, 0)
    stage._again = stage._records(cast(Any, messages[:2]))
    records = stage._records(cast(Any, messages[1:4]))
    assert [record.offset for record in records] == [0, 1, 2, 3]
    stage._again = records
    stage._revoked(Log({(COMMANDS, 0): []}), [TopicPartition(COMMANDS, 0)])
    assert stage._again == []
