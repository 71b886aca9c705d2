"""The store with its overlay is what a plain dictionary of cells is, through undo, merge and drop."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rating.cells import Bucket, DictCells
from streams.rate.store import Store

BUCKETS: list[Bucket] = [("a",), ("a", "b"), ("c", "x", "y")]
MEMBERS = ["", "m", "n|1"]
Cells = dict[tuple[Bucket, str], Any]


def cells(store: Store | DictCells) -> Cells:
    return {(bucket, member): value for bucket in BUCKETS for member, value in store.members(bucket)}


class Model(RuleBasedStateMachine):
    """`store` against `plain`, which has no overlay; `base` is what is committed."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.plain = Store(), DictCells()
        self.base: Cells = {}
        self.marks: list[tuple[int, int]] = []

    @rule(
        bucket=st.sampled_from(BUCKETS), member=st.sampled_from(MEMBERS), value=st.none() | st.integers(0, 5)
    )
    def put(self, bucket: Bucket, member: str, value: int | None) -> None:
        self.store.put(bucket, member, value)
        self.plain.put(bucket, member, value)

    @rule()
    def mark(self) -> None:
        self.marks.append((self.store.mark(), self.plain.mark()))

    @rule()
    def undo(self) -> None:
        if self.marks:
            mine, other = self.marks.pop()
            self.store.undo(mine)
            self.plain.undo(other)

    @rule()
    def merge(self) -> None:
        changed = {(bucket, member): value for bucket, member, value in self.store.changes()}
        assert {**self.base, **changed}.items() >= cells(self.plain).items()
        self.store.merge()
        self.base = cells(self.plain)
        self.marks = []

    @rule()
    def drop(self) -> None:
        self.store.drop()
        self.plain = DictCells()
        for (bucket, member), value in self.base.items():
            self.plain.put(bucket, member, value)
        self.marks = []

    @invariant()
    def the_same_is_read(self) -> None:
        assert cells(self.store) == cells(self.plain)
        for bucket in BUCKETS:
            assert [member for member, _ in self.store.members(bucket)] == [
                member for member, _ in self.plain.members(bucket)
            ]
            for member in MEMBERS:
                assert self.store.get(bucket, member) == self.plain.get(bucket, member)
        assert self.store.count == len(self.base)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_changes_are_what_a_changelog_needs_tombstones_included() -> None:
    store = Store()
    store.load(("a",), "kept", 1)
    store.load(("a",), "gone", 2)
    store.load(("b",), "brief", 3)
    store.load(("b",), "brief", None)
    store.put(("a",), "gone", None)
    store.put(("a",), "new", 3)
    assert list(store.changes()) == [(("a",), "gone", None), (("a",), "new", 3)]
    assert store.count == 2
    store.merge()
    assert list(store.changes()) == []
    assert list(store.members(("a",))) == [("kept", 1), ("new", 3)]
    assert store.count == 2


def test_members_are_a_snapshot() -> None:
    store = Store()
    store.put(("a",), "x", 1)
    store.put(("a",), "y", 2)
    found = store.members(("a",))
    store.put(("a",), "x", None)
    store.put(("a",), "z", 3)
    assert list(found) == [("x", 1), ("y", 2)]
