"""The clock's records and the drains between them: how many there are changes nothing but when a line is booked."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.effects import Effect
from rating.records import Record, Tick
from rating.times import DAY, HOUR, parse_time
from schemas import topics
from tests.property import bill
from tests.property.partition import Rater, values
from tests.property.test_grants import stories
from tests.property.test_splits import log_of
from tests.property.test_state import life
from tests.property.worlds import BEGIN, NOW, TURN, World, worlds

CASES = 80
EXAMPLES = settings(max_examples=CASES, deadline=None, derandomize=True)
STOPS = (TURN + HOUR, TURN + DAY, TURN + 26 * HOUR, TURN + 3 * DAY)
"""Where the clock stops for a record: before and after a close, and where several are due at once."""


@st.composite
def thickened(draw: st.DrawFn, records: Sequence[Record]) -> list[Record]:
    """The same log with ticks more: on the way to the next one, and ones that are behind already."""
    found: list[Record] = []
    clock = BEGIN
    for record in records:
        if isinstance(record, Tick):
            more = draw(st.lists(st.integers(min(clock, record.clock) - HOUR, record.clock), max_size=4))
            found += [Tick(each) for each in draw(st.sampled_from((more, sorted(more))))]
            clock = max(clock, record.clock)
        found.append(record)
        found += [Tick(clock - each) for each in draw(st.lists(st.integers(0, HOUR), max_size=1))]
    return found


def lazily(records: Sequence[Record], drains: Sequence[int]) -> list[Effect]:
    """Rated with so many accounts drained after each record in turn, and the rest at the end."""
    rater = Rater()
    effects = []
    for number, record in enumerate(records):
        effects += rater.step(record)
        accounts_max = drains[number % len(drains)]
        if accounts_max and rater.engine.has_due():
            effects += rater.engine.drain(accounts_max)
    effects += rater.drained(1)
    return effects


def test_ticks_more_and_drains_later_change_no_line_but_for_when_it_is_booked() -> None:
    closes = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        world = data.draw(worlds(12, bounded=True))
        writer = log_of(world, [world.events[:4]], 1_000, 0)
        for stop, event in zip(STOPS, world.events[4:], strict=False):
            writer.tick(stop)
            writer.events([event], NOW)
        writer.tick(TURN + 5 * DAY)
        plain = Rater().rate(writer.records)
        thick = Rater().rate(data.draw(thickened(writer.records)))
        lazy = lazily(writer.records, data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))
        assert bill.by_account(thick) == bill.by_account(plain)
        assert bill.by_account(lazy) == bill.by_account(plain)
        assert bill.faults(plain) == []
        closes.append(sum(line["kind"] == "close" for line in values(plain, topics.CHARGES)))

    holds()
    assert len(closes) >= CASES
    assert min(closes) > 0


def test_the_same_holds_of_credits_corrections_cancellations_and_what_is_forgotten() -> None:
    seen = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        lives = data.draw(st.booleans())
        records = life(data.draw(worlds(10, bounded=True))) if lives else data.draw(stories())[1].records
        plain = Rater().rate(records)
        thick = Rater().rate(data.draw(thickened(records)))
        lazy = lazily(records, data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))
        assert bill.by_account(thick) == bill.by_account(plain)
        assert bill.by_account(lazy) == bill.by_account(plain)
        seen.append(lives)

    holds()
    assert len(seen) >= CASES
    assert CASES // 5 < sum(seen) < len(seen) - CASES // 5


def test_a_line_that_time_made_names_the_tick_that_passed_its_due_time() -> None:
    seen = []

    @EXAMPLES
    @given(worlds(6, bounded=True), st.lists(st.integers(0, 30), min_size=1, max_size=8))
    def holds(world: World, hours: list[int]) -> None:
        writer = log_of(world, [world.events], 1_000, 0)
        first = len(writer.records)
        for hour in sorted(hours):
            writer.tick(TURN + hour * HOUR)
        lines = values(Rater().rate(writer.records), topics.CHARGES)
        for line in lines:
            offset = line["source"]["offset"]
            if line["kind"] == "close":
                passed = writer.records[offset]
                assert offset >= first
                assert isinstance(passed, Tick)
                before = max((r.clock for r in writer.records[:offset] if isinstance(r, Tick)), default=0)
                due = parse_time(line["period_end"]) + HOUR
                assert before < due <= passed.clock
                assert parse_time(line["time"]) == due
                seen.append(offset)

    holds()
    assert len(seen) > CASES
