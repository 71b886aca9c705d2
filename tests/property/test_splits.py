"""However usage is split, ordered and repeated, each group comes to the same: the auditor's price of its aggregate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.times import MINUTE
from schemas import topics
from tests.property import bill
from tests.property.partition import Rater, Writer, codes, values
from tests.property.worlds import BEGIN, CLOSED, NOW, World, worlds

Doc = dict[str, Any]
CASES = 120
EXAMPLES = settings(max_examples=CASES, deadline=None, derandomize=True)


def log_of(
    world: World, polls: Sequence[Sequence[Doc]], pack_events_max: int, subscribe_before: int
) -> Writer:
    """The log of polls; ann is subscribed before all, bob (who has one subscription) before the poll of that number.

    An account's second subscription is no business of usage that came before it: only the first one's waits.
    """
    writer = Writer(world.catalog, pack_events_max)
    writer.tick(BEGIN)
    first, last = world.subscribes()[:-1], world.subscribes()[-1]
    for subscribe in first:
        writer.command(subscribe, NOW)
    for number, poll in enumerate([*polls, []]):
        if number == min(subscribe_before, len(polls)):
            writer.command(last, NOW)
        writer.events(poll, NOW)
        writer.tick(NOW - 60 * MINUTE + number)
    assert not writer.rejected, [each.detail for each in writer.rejected]
    return writer


@st.composite
def splits(draw: st.DrawFn, events: Sequence[Doc]) -> tuple[list[list[Doc]], int, int]:
    """The events in some order, cut into polls; how many stand in a pack; before which poll the accounts subscribe."""
    left = list(draw(st.permutations(events)))
    polls = []
    while left:
        size = draw(st.integers(1, len(left)))
        polls.append(left[:size])
        left = left[size:]
    return polls, draw(st.integers(1, 5)), draw(st.integers(0, len(polls)))


def test_any_split_and_order_comes_to_the_auditors_price_of_each_group() -> None:
    seen = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        world = data.draw(worlds())
        want = {group: amount for group, amount in world.prices().items() if amount}
        whole = Rater().rate(log_of(world, [world.events], 1_000, 0).records)
        assert bill.amounts(whole) == want
        polls, pack_events_max, subscribe_before = data.draw(splits(world.events))
        split = Rater().rate(log_of(world, polls, pack_events_max, subscribe_before).records)
        assert bill.totals(split) == bill.totals(whole)
        assert bill.faults(whole) == bill.faults(split) == []
        assert bill.repeated(whole) == bill.repeated(split) == []
        seen.append(bool(want))

    holds()
    assert len(seen) >= CASES
    assert sum(seen) > CASES // 2


def test_what_comes_after_the_close_comes_to_the_same_minimum_and_maximum_included() -> None:
    late = []

    @EXAMPLES
    @given(worlds(bounded=True), st.integers(0, 24))
    def holds(world: World, on_time: int) -> None:
        want = world.bills()
        punctual = log_of(world, [world.events], 1_000, 0)
        punctual.tick(CLOSED)
        tardy = log_of(world, [world.events[:on_time]], 1_000, 0)
        tardy.tick(CLOSED)
        tardy.events(world.events[on_time:], CLOSED)
        for writer in (punctual, tardy):
            effects = Rater().rate(writer.records)
            found = bill.bills(effects)
            closed = {
                bill.group_of(line)[:4] for line in values(effects, topics.CHARGES) if line["kind"] == "close"
            }
            ended = {whole: amount for whole, amount in want.items() if whole in closed}
            assert {whole: found.get(whole, 0) for whole in ended} == ended
            assert bill.faults(effects) == []
            late.append(any(line["late"] for line in values(effects, topics.CHARGES)))

    holds()
    assert len(late) >= 2 * CASES
    assert not any(late[::2])
    assert any(late[1::2])


def copies(event: Doc) -> list[Doc]:
    """The same event said otherwise: members in another order, a number by its value, the time by the broker."""
    reordered = dict(reversed(list(event.items())))
    untimed = {name: value for name, value in event.items() if name != "time"}
    return [event, reordered, untimed]


def test_copies_anywhere_change_nothing_and_conflicts_are_rejected() -> None:
    conflicts = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        world = data.draw(worlds(12))
        polls, pack_events_max, subscribe_before = data.draw(splits(world.events))
        clean = Rater().rate(log_of(world, polls, pack_events_max, subscribe_before).records)
        dirty, wrong = data.draw(repeated(polls))
        effects = Rater().rate(log_of(world, dirty, pack_events_max, subscribe_before).records)
        assert bill.totals(effects) == bill.totals(clean)
        assert codes(effects) == ["id_conflict"] * wrong
        assert codes(clean) == []
        assert bill.faults(effects) == []
        conflicts.append(wrong)

    holds()
    assert sum(conflicts) > CASES // 2


@st.composite
def repeated(draw: st.DrawFn, polls: list[list[Doc]]) -> tuple[list[list[Doc]], int]:
    """Copies and conflicts of events anywhere after their first; how many conflicts."""
    found = [list(poll) for poll in polls]
    wrong = 0
    for _ in range(draw(st.integers(1, 8))):
        event = draw(st.sampled_from([each for poll in polls for each in poll]))
        number = next(index for index, poll in enumerate(found) if event in poll)
        if draw(st.booleans()):
            again = draw(st.sampled_from(copies(event)))
        else:
            wrong += 1
            again = draw(st.sampled_from(others(event)))
        place = draw(st.integers(number, len(found)))
        if place == number:
            found[number].append(again)
        else:
            found.insert(place, [again])
    return found, wrong


def others(event: Doc) -> list[Doc]:
    """The same id with other content."""
    data = event["data"]
    return [
        {**event, "data": data | {"tokens": "77"}},
        {**event, "data": data | {"more": "x"}},
        {**event, "type": "other"},
        {**event, "time": event["time"].replace(":00.000000Z", ":01.000000Z")},
    ]
