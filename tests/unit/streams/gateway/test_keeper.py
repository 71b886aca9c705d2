"""Writing what is decided: one transaction for all that came, again where it was aborted, lost where the partition went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from rating.records import Position
from rating.reservations import COMMITTED, OPEN, Book, BoundKey, Hold, HoldKey
from schemas.reservations import decode_hold, encode_hold, encode_key
from streams.gateway import keeper as module
from streams.gateway.keeper import Keeper, Lost, Write
from streams.gateway.placing import Writing
from streams.slot import take
from streams.transaction import Aborted
from tests.unit.streams.fakes import Consumer, settings

Result = TypeVar("Result")
CHAT = BoundKey("acme", "cust-1", "feature", "chat")
ADDRESS = "http://10.0.0.7:6070"
PLACE = Position("usage.events.v1", 0, 7)


def hold(name: str = "r1", **fields: Any) -> Hold:
    return Hold(HoldKey("acme", "cust-1", name), "cust-1", "chat", "5", None, {CHAT: 5}, 10**18, "", **fields)


class Topic:
    """What is written, by transaction; `plan` has what each transaction does first: nothing, or raise."""

    def __init__(self) -> None:
        self.plan: list[Callable[[], None]] = []
        self.places: dict[HoldKey, Position] = {}
        self.written: list[list[tuple[str, bool, Hold | None]]] = []

    def publish(self, writings: Iterable[Writing], offsets: Sequence[TopicPartition], group: Any) -> None:
        listed = list(writings)
        if self.plan:
            self.plan.pop(0)()
        self.places = {each.key: PLACE for each in listed if each.event is not None}
        records = []
        for each in listed:
            out = each.record(self.places.get(each.key))
            assert out.key is not None
            said = None if out.value is None else decode_hold(out.key, out.value)
            records.append((each.key.id, each.event is not None, said))
        self.written.append(records)


class Desk:
    """A keeper of partitions 0 and 1, whose turns a test takes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.restored: dict[int, list[Hold]] = {}
        monkeypatch.setattr(
            module, "restored", lambda _settings, number, _patience: (40, self.restored.get(number, []))
        )
        self.book, self.topic, self.failed = Book(), Topic(), list[str]()
        self.slot = take(folder)
        self.keeper = Keeper(settings(), self.slot, self.book, self.failed.append, ADDRESS)
        self.consumer = Consumer()
        self.announced: list[tuple[int, int, str]] = []
        self.away = 0
        self.consumer.commit = self.commit  # type: ignore[attr-defined]
        self.consumer.pause = lambda places: None  # type: ignore[attr-defined]
        self.keeper._transactions = self.topic  # type: ignore[assignment]
        self.keeper._consumer = self.consumer
        self.assign(0, 1)

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        if self.away:
            self.away -= 1
            raise KafkaException(KafkaError(KafkaError.REBALANCE_IN_PROGRESS))
        assert not asynchronous
        self.announced += [(each.partition, each.offset, each.metadata or "") for each in offsets]

    def assign(self, *numbers: int) -> None:
        self.keeper._assigned(self.consumer, [TopicPartition("t", number) for number in numbers])

    def revoke(self, *numbers: int) -> None:
        self.keeper._revoked(self.consumer, [TopicPartition("t", number) for number in numbers])

    def run(self, act: Callable[[], Awaitable[Result]]) -> Result:
        """Do something, with the partitions taken in."""

        async def within() -> Result:
            await self.keeper._once()
            return await act()

        return asyncio.run(within())

    async def turn(self) -> None:
        await asyncio.sleep(0)
        await self.keeper._once()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(tmp_path, monkeypatch)
    yield made
    made.slot.close()


def aborted() -> None:
    raise Aborted("planned")


def decide(desk: Desk, name: str, number: int = 0) -> asyncio.Future[None]:
    desk.book.put(hold(name))
    return asyncio.ensure_future(desk.keeper.write(Write(number, hold(name))))


def test_where_its_partitions_are_asked_is_said_once_until_it_is_heard(desk: Desk) -> None:
    desk.away = 1

    async def act() -> None:
        assert desk.announced == []
        desk.revoke(1)
        await desk.turn()
        await desk.turn()

    desk.run(act)
    assert desk.announced == [(0, 40, ADDRESS)]


def test_what_came_meanwhile_is_one_transaction(desk: Desk) -> None:
    async def act() -> None:
        waits = [decide(desk, f"r{number}", number % 2) for number in range(5)]
        await desk.turn()
        await asyncio.gather(*waits)

    desk.run(act)
    assert [[name for name, _, _ in records] for records in desk.topic.written] == [
        ["r0", "r1", "r2", "r3", "r4"]
    ]


@pytest.mark.parametrize("again", [False, True])
def test_what_was_decided_is_lost_with_its_partition_however_late_it_is_waited_for(
    desk: Desk, again: bool
) -> None:
    async def act() -> None:
        desk.book.put(hold())
        waited = [desk.keeper.write(Write(0, hold()))]
        if again:
            waited.append(desk.keeper.written(hold().key))
        desk.revoke(0)
        await desk.keeper._once()
        for each in waited:
            with pytest.raises(Lost):
                await each
        assert desk.book.get(hold().key) is None
        other = decide(desk, "r2", 1)
        await desk.keeper._once()
        await other

    desk.run(act)
    assert [[name for name, _, _ in records] for records in desk.topic.written] == [["r2"]]


def test_an_aborted_transaction_is_made_again(desk: Desk) -> None:
    desk.topic.plan = [aborted, aborted]

    async def act() -> None:
        wait = decide(desk, "r1")
        await desk.turn()
        await wait

    desk.run(act)
    assert len(desk.topic.written) == 1
    assert desk.book.claimed(CHAT, {}, 0) == 5


def test_what_was_decided_on_a_partition_that_went_is_lost_and_the_rest_is_written(desk: Desk) -> None:
    def gone() -> None:
        desk.revoke(0)
        raise Aborted("planned")

    desk.topic.plan = [gone]

    async def act() -> tuple[Any, Any]:
        theirs, ours = decide(desk, "theirs", 0), decide(desk, "ours", 1)
        await desk.turn()
        await desk.turn()
        found = await asyncio.gather(theirs, ours, return_exceptions=True)
        return found[0], found[1]

    theirs, ours = desk.run(act)
    assert isinstance(theirs, Lost)
    assert ours is None
    assert [[name for name, _, _ in records] for records in desk.topic.written] == [["ours"]]
    assert not desk.keeper.owns(0)
    assert desk.book.get(hold("theirs").key) is None


def test_a_partition_that_went_and_came_back_has_what_is_on_the_topic_alone(desk: Desk) -> None:
    def gone() -> None:
        desk.revoke(0)
        desk.restored = {0: [hold("older")]}
        desk.assign(0)
        raise Aborted("planned")

    desk.topic.plan = [gone]

    async def act() -> Any:
        wait = decide(desk, "r1")
        await desk.turn()
        await desk.turn()
        return (await asyncio.gather(wait, return_exceptions=True))[0]

    assert isinstance(desk.run(act), Lost)
    assert desk.topic.written == []
    assert desk.book.get(hold("r1").key) is None
    assert desk.book.get(hold("older").key) is not None
    assert desk.keeper.owns(0)


def test_what_is_decided_while_a_record_is_on_its_way_is_in_the_next_one(desk: Desk) -> None:
    later: list[asyncio.Task[None]] = []

    async def act() -> None:
        loop = asyncio.get_running_loop()
        wait = decide(desk, "r1")

        async def commit() -> None:
            committed = desk.book.commit(hold().key, "digest", 5)
            later.append(asyncio.ensure_future(desk.keeper.write(Write(0, committed, (b"k", b"v")))))

        def meanwhile() -> None:
            asyncio.run_coroutine_threadsafe(commit(), loop).result(10)

        desk.topic.plan = [meanwhile]
        await desk.turn()
        await wait
        assert not later[0].done()
        await desk.turn()
        await later[0]

    desk.run(act)
    first, second = desk.topic.written
    assert [(name, event, said and said.state) for name, event, said in first] == [("r1", False, OPEN)]
    assert [(name, event, said and said.state) for name, event, said in second] == [("r1", True, COMMITTED)]
    assert second[0][2] is not None
    assert second[0][2].origin == PLACE
    found = desk.book.get(hold().key)
    assert found is not None
    assert found.origin == PLACE


def test_an_event_is_not_forgotten_by_what_is_decided_after_it(desk: Desk) -> None:
    """Aborted with an event on its way, another decision since, and a rebalance between: both are written, with the event."""

    def other_goes() -> None:
        desk.revoke(1)
        raise Aborted("planned")

    desk.topic.plan = [other_goes]

    async def act() -> None:
        desk.book.put(hold())
        committed = desk.book.commit(hold().key, "digest", 5)
        other = decide(desk, "other", 1)
        first = asyncio.ensure_future(desk.keeper.write(Write(0, committed, (b"k", b"v"))))
        await desk.turn()
        second = asyncio.ensure_future(desk.keeper.write(Write(0, committed)))
        await desk.turn()
        await asyncio.gather(first, second)
        assert isinstance((await asyncio.gather(other, return_exceptions=True))[0], Lost)

    desk.run(act)
    assert [[(name, event) for name, event, _ in records] for records in desk.topic.written] == [
        [("r1", True)]
    ]


def test_what_is_over_is_forgotten_on_the_topic_and_here(desk: Desk) -> None:
    async def act() -> None:
        decided = decide(desk, "r1")
        await desk.turn()
        await decided
        wait = asyncio.ensure_future(desk.keeper.write(Write(0, hold(), forget=True)))
        await desk.turn()
        await wait

    desk.run(act)
    assert desk.topic.written[-1] == [("r1", False, None)]
    assert len(desk.book) == 0


def test_a_record_is_read_as_it_was_written() -> None:
    made = hold(state=COMMITTED, event="digest", origin=PLACE, ended=9, subject="ana")
    assert decode_hold(encode_key(made.key), encode_hold(made, made.origin)) == made
