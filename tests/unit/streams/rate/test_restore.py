"""A partition is brought back from what is committed, and only where state, offset and log agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from rating.records import LogSettings, Tick
from rating.state import STATE_VERSION
from schemas.cells import encode_key, encode_value
from schemas.log import encode_record
from streams.kafka import Stop
from streams.patience import Patience
from streams.rate import restore as module
from streams.rate.ids import IdStore, Reach
from streams.rate.restore import POSITION, VERSION, Partition, restore
from streams.reader import Reader
from streams.settings import Settings
from tests.unit.streams.fakes import Consumer, Message, end, settings

DAY = 86_400_000_000
PATIENCE = Patience("rate", lambda: False)
CLOCK = 1_795_341_600_000_000
LOG = [
    encode_record(LogSettings(35 * DAY, DAY // 24, 1)),
    encode_record(Tick(CLOCK)),
    encode_record(Tick(CLOCK + 1)),
]


def cell(offset: int, bucket: tuple[str, ...], member: str, value: Any) -> Message:
    return Message(offset, None if value is None else encode_value(value), encode_key(bucket, member))


def at(position: int, offset: int = 0, version: int | None = STATE_VERSION) -> list[Message]:
    """The cells that say how far a state is, and by which rules it was made."""
    return [cell(offset, POSITION, "", position), cell(offset + 1, VERSION, "", version)]


def committed(offset: int, error: KafkaError | None = None) -> list[Any]:
    found = TopicPartition("rating.log.v1", 0, offset)
    return [[found]] if error is None else [[_Failed(error)]]


class _Failed:
    topic, partition, offset = "rating.log.v1", 0, -1001

    def __init__(self, error: KafkaError) -> None:
        self.error = error


class Kafka:
    """What stands on the changelog and on the log, and the readers that were made."""

    def __init__(self, changelog: list[Message], changelog_end: int) -> None:
        self.changelog, self.changelog_end = changelog, changelog_end
        self.readers: list[Consumer] = []

    def reader(self, given: Any, group: str) -> Consumer:
        log = [Message(offset, value) for offset, value in enumerate(LOG)]
        batches = (
            [self.changelog, [end(self.changelog_end)]]
            if not self.readers and self.changelog_end
            else [log, [end(len(LOG))]]
        )
        self.readers.append(Consumer(*batches))
        return self.readers[-1]


@pytest.fixture
def bring_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Partition]:
    def run(
        changelog: list[Message],
        offset: int,
        begins: int = 0,
        error: KafkaError | None = None,
        end_at: int | None = None,
    ) -> Partition:
        kafka = Kafka(changelog, len(changelog) if end_at is None else end_at)
        monkeypatch.setattr("streams.reader.plain_consumer", kafka.reader)
        monkeypatch.setattr(module, "end_of", lambda *_: kafka.changelog_end)
        consumer: Any = Consumer(committed=committed(offset, error), marks=(begins, 100))
        found = restore(settings(), consumer, tmp_path, 0, PATIENCE)
        found.ids.close()
        assert all(reader.closed for reader in kafka.readers)
        return found

    return run


def test_a_new_partition_begins_at_the_logs_beginning(bring_back: Callable[..., Partition]) -> None:
    found = bring_back([], -1001)
    assert (found.position, found.store.count, found.number) == (0, 0, 0)


def test_cells_come_back_tombstones_applied_and_reading_goes_on_at_their_position(
    bring_back: Callable[..., Partition],
) -> None:
    changelog = [
        cell(0, ("account", "acme", "a"), "x", 5), cell(1, ("account", "acme", "a"), "y", (1, 10**40)),
        cell(2, ("account", "acme", "a"), "x", None), *at(3, 3),
    ]  # fmt: skip
    found = bring_back(changelog, 3)
    assert found.position == 3
    assert list(found.store.members(("account", "acme", "a"))) == [("y", (1, 10**40))]


def test_an_expired_offset_is_fine_where_the_state_has_its_position(
    bring_back: Callable[..., Partition],
) -> None:
    assert bring_back(at(2), -1001).position == 2


def test_what_is_written_after_the_end_that_was_asked_for_is_left(
    bring_back: Callable[..., Partition],
) -> None:
    changelog = [*at(2), cell(2, ("account", "t", "a"), "late", 1)]
    assert bring_back(changelog, 2, end_at=2).store.count == 2


@pytest.mark.parametrize(
    ("changelog", "offset", "begins", "told"),
    [
        (at(2), 3, 0, "has a state at 2 but a committed offset 3"),
        ([], -1001, 7, "its log begins at 7, not 0"),
        ([], 5, 0, "has offset 5 but no state"),
        (at(2, version=STATE_VERSION + 1), 2, 0, f"a state of version {STATE_VERSION + 1}, not {STATE_VERSION}"),
        (at(2, version=None), 2, 0, "a state of version none"),
    ],
)  # fmt: skip
def test_what_does_not_agree_stops_the_partition_with_a_remedy(
    bring_back: Callable[..., Partition], changelog: list[Message], offset: int, begins: int, told: str
) -> None:
    with pytest.raises(Stop, match=told):
        bring_back(changelog, offset, begins)


def test_an_offset_that_cannot_be_read_is_not_none(bring_back: Callable[..., Partition]) -> None:
    with pytest.raises(Stop, match="cannot be read"):
        bring_back([], -1001, error=KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))


def test_ids_that_are_behind_are_brought_up_from_the_log(
    bring_back: Callable[..., Partition], tmp_path: Path
) -> None:
    bring_back(at(3), 3)
    ids = IdStore(tmp_path / "0")
    assert ids.reach() == (3, CLOCK + 1, 35 * DAY)
    ids.close()


def test_ids_that_are_ahead_are_built_anew(bring_back: Callable[..., Partition], tmp_path: Path) -> None:
    ids = IdStore(tmp_path / "0")
    ids.add(b"k" * 24, (2**62).to_bytes(8, "big"))
    ids.commit(Reach(99, 5, 0))
    ids.close()
    bring_back(at(2), 2)
    again = IdStore(tmp_path / "0")
    assert again.reach() == (2, CLOCK, 35 * DAY)
    assert again.find([b"k" * 24]) == [None]
    again.close()


def test_the_log_is_read_from_its_beginning_or_from_where_the_ids_are(
    bring_back: Callable[..., Partition], monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[tuple[str, int]] = []

    class Noted(Reader):
        def __init__(
            self, given: Settings, group: str, topic: str, number: int = 0, start: int = OFFSET_BEGINNING
        ) -> None:
            starts.append((topic, start))
            super().__init__(given, group, topic, number, start)

    monkeypatch.setattr(module, "Reader", Noted)
    for position in (2, 3):
        bring_back(at(position), position)
    assert [start for topic, start in starts if topic == "rating.log.v1"] == [OFFSET_BEGINNING, 2]
