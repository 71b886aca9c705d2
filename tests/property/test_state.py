"""State is what was put: a dropped overlay never happened, and cells read back from their bytes go on the same."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.cells import DictIds
from rating.records import Record
from rating.times import DAY, HOUR
from schemas.cells import decode_key, decode_value, encode_key, encode_value
from streams.rate.store import Store
from tests.property import bill
from tests.property.partition import Rater
from tests.property.test_corrections import amendment, retraction
from tests.property.test_splits import log_of
from tests.property.worlds import CLOSED, NOW, TURN, World, command, worlds

CASES = 80
EXAMPLES = settings(max_examples=CASES, deadline=None, derandomize=True)
LIFE_RECORDS_MIN = 10


def life(world: World) -> list[Record]:
    """A log with something of everything: usage, credits, corrections, a cancellation, closes, late usage."""
    half = len(world.events) // 2
    polls = [world.events[:half], world.events[half:-1]]
    writer = log_of(world, polls, 3, 1)
    grants = (
        ("g1", {"expires_at": "2026-03-01T00:10:00Z"}),
        ("g2", {"priority": 10}),
        ("g3", {"rollover": {"max": "1"}}),
    )
    for name, fields in grants:
        more: dict[str, Any] = {
            "grant": name,
            "amount": "2.5",
            "unit": "USD",
            "effective_from": "2026-02-28T00:00:00Z",
            **fields,
        }
        writer.command(command(f"grant-{name}", "ann", "grant_credits", **more), NOW)
    first, last = world.events[0], world.events[half]
    if half:
        now = {**first, "data": last["data"]}
        writer.command(amendment("amend", first, now), NOW)
    writer.tick(TURN + HOUR)
    if half + 1 < len(world.events):
        writer.command(retraction("retract", last), NOW)
    writer.command(command("cancel", "bob", "cancel", subscription="b1", at="period_end"), NOW)
    writer.tick(CLOSED)
    writer.events(world.events[-1:], CLOSED)
    writer.tick(CLOSED + 70 * DAY)
    assert not writer.rejected, [each.detail for each in writer.rejected]
    return writer.records


class Worker:
    """A partition as RATE holds it: batches over an overlay, and every committed change on a changelog."""

    def __init__(self, store: Store, ids: DictIds, offset: int = 0) -> None:
        self.store = store
        self.rater = Rater(store, ids, offset)
        self.changelog: dict[bytes, bytes] = {}

    def batch(self, records: Sequence[Record]) -> list[Any]:
        """Rate a batch and commit it."""
        effects = self.rater.rate(records)
        for bucket, member, value in self.store.changes():
            key = encode_key(bucket, member)
            if value is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = encode_value(value)
        self.store.merge()
        return effects

    def aborted(self, records: Sequence[Record]) -> list[Any]:
        """Rate a batch that is then aborted."""
        mark, offset = self.rater.ids.mark(), self.rater.offset
        effects = self.rater.rate(records)
        self.store.drop()
        self.rater.ids.undo(mark)
        self.rater.engine.reset()
        self.rater.offset = offset
        return effects

    def restored(self) -> Worker:
        """Another worker, which has the changelog's bytes and a copy of the ids."""
        store = Store()
        for key, value in self.changelog.items():
            bucket, member = decode_key(key)
            store.load(bucket, member, decode_value(bucket, value))
        found = Worker(store, copy.deepcopy(self.rater.ids), self.rater.offset)
        found.changelog = dict(self.changelog)
        return found


def cut(records: Sequence[Record], places: Sequence[int]) -> list[Sequence[Record]]:
    """The log in batches."""
    bounds = [0, *sorted({place % len(records) for place in places} - {0}), len(records)]
    return [records[low:high] for low, high in itertools.pairwise(bounds)]


CUTS = st.lists(st.integers(0, 40), max_size=6)


def test_batches_over_an_overlay_rate_like_a_dictionary_and_an_abort_never_happened() -> None:
    seen = []

    @EXAMPLES
    @given(worlds(10, bounded=True), CUTS, st.integers(0, 6))
    def holds(world: World, places: list[int], aborted: int) -> None:
        records = life(world)
        want = Rater().rate(records)
        worker = Worker(Store(), DictIds())
        found = []
        for number, batch in enumerate(cut(records, places)):
            if number == aborted:
                first = worker.aborted(batch)
                again = worker.batch(batch)
                assert first == again
                found += again
            else:
                found += worker.batch(batch)
        assert found == want
        assert bill.faults(want) == []
        seen.append(len(records))

    holds()
    assert len(seen) >= CASES
    assert min(seen) >= LIFE_RECORDS_MIN


def test_a_state_read_back_from_its_bytes_goes_on_the_same() -> None:
    seen = []

    @EXAMPLES
    @given(worlds(10, bounded=True), CUTS)
    def holds(world: World, places: list[int]) -> None:
        records = life(world)
        want = Rater().rate(records)
        worker = Worker(Store(), DictIds())
        found = []
        for batch in cut(records, places):
            found += worker.batch(batch)
            kept = worker.store.count
            worker = worker.restored()
            assert worker.store.count == kept == len(worker.changelog)
        assert found == want
        seen.append(len(places))

    holds()
    assert len(seen) >= CASES
    assert sum(seen) > CASES


def test_what_is_over_is_forgotten() -> None:
    seen = []

    @EXAMPLES
    @given(worlds(10, bounded=True))
    def holds(world: World) -> None:
        records = life(world)
        worker = Worker(Store(), DictIds())
        worker.batch(records[:-1])
        before = cells_of(worker, "bob")
        worker.batch(records[-1:])
        assert len(cells_of(worker, "bob")) < len(before)
        seen.append(before)

    holds()
    assert len(seen) >= CASES


def cells_of(worker: Worker, account: str) -> list[tuple[str, ...]]:
    """The buckets of an account's cells."""
    return [bucket for bucket, _ in map(decode_key, worker.changelog) if account in bucket]
