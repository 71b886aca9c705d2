"""The control stage between its consumer and its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

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
