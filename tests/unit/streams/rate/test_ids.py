"""Ids on disk: staged until the commit, there after a restart with their position, swept by the log's clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.rate.ids import POSITION, SWEPT_MAX, IdStore, Reach


def key(number: int) -> bytes:
    return number.to_bytes(24, "big")


def entry(expires: int, rest: bytes = b"digest") -> bytes:
    return expires.to_bytes(8, "big") + rest


@pytest.fixture
def ids(tmp_path: Path) -> Iterator[IdStore]:
    store = IdStore(tmp_path / "0")
    yield store
    store.close()


def put(ids: IdStore, position: int, clock: int, **entries: int) -> None:
    """Commit ids by number with their expiries."""
    for number, expires in entries.items():
        ids.add(key(int(number[1:])), entry(expires))
    ids.commit(Reach(position, clock, 0))


def test_a_staged_id_is_found_and_a_dropped_one_is_not(ids: IdStore) -> None:
    ids.add(key(1), entry(9))
    assert ids.find([key(1), key(2)]) == [entry(9), None]
    ids.drop()
    assert ids.find([key(1)]) == [None]
    assert ids.reach() == (0, 0, 0)


def test_a_committed_id_and_its_position_are_there_after_a_restart(tmp_path: Path) -> None:
    ids = IdStore(tmp_path / "0")
    put(ids, 42, 7, n1=9, n2=9)
    ids.add(key(3), entry(9))
    ids.close()
    again = IdStore(tmp_path / "0")
    assert again.find([key(1), key(2), key(3)]) == [entry(9), entry(9), None]
    assert again.reach() == (42, 7, 0)
    again.close()


def test_a_position_moves_without_ids(ids: IdStore) -> None:
    ids.commit(Reach(1, 2, 0))
    ids.commit(Reach(2**40, 2**50, 2**45))
    assert ids.reach() == (2**40, 2**50, 2**45)


def test_undo_takes_back_to_a_mark(ids: IdStore) -> None:
    put(ids, 1, 1, n1=9)
    ids.add(key(1), entry(10))
    mark = ids.mark()
    ids.add(key(1), entry(11))
    ids.add(key(2), entry(11))
    assert ids.find([key(1), key(2)]) == [entry(11), entry(11)]
    ids.undo(mark)
    assert ids.find([key(1), key(2)]) == [entry(10), None]
    ids.undo(0)
    assert ids.find([key(1)]) == [entry(9)]


def test_a_wiped_set_is_new(ids: IdStore) -> None:
    put(ids, 5, 5, n1=9)
    ids.add(key(2), entry(9))
    ids.wipe()
    assert ids.find([key(1), key(2)]) == [None, None]
    assert ids.reach() == (0, 0, 0)
    put(ids, 1, 1, n3=9)
    assert ids.find([key(3)]) == [entry(9)]


def test_a_sweep_takes_what_expired_before_the_moment_and_nothing_else(ids: IdStore) -> None:
    put(ids, 1, 0, n1=10, n2=20, n3=30)
    assert ids.sweep(20, 100) == 1
    assert ids.find([key(1), key(2), key(3)]) == [None, entry(20), entry(30)]
    assert ids.reach() == (1, 0, 0)
    assert ids.sweep(2**62, 100) == 2
    assert ids.reach() == (1, 0, 0)


def test_a_sweep_goes_on_where_the_last_one_ended_and_begins_again_at_the_end(ids: IdStore) -> None:
    put(ids, 1, 0, **{f"n{number}": 10 for number in range(1, 8)})
    assert [ids.sweep(20, 3), ids.sweep(20, 3), ids.sweep(20, 3)] == [3, 3, 1]
    put(ids, 2, 0, n1=10)
    assert ids.sweep(20, 3) == 1


def test_a_first_key_that_looks_like_nothing_and_a_last_one_are_swept_too(ids: IdStore) -> None:
    ids.add(b"\x00" * 24, entry(1))
    ids.add(b"\xff" * 24, entry(1))
    ids.commit(Reach(1, 0, 0))
    assert ids.sweep(5, 100) == 2
    assert ids.reach() == (1, 0, 0)
    assert len(POSITION) > 24


def test_the_set_does_not_grow_without_end_though_nobody_asks_for_a_sweep(ids: IdStore) -> None:
    alive = 300
    for clock in range(3_000):
        ids.add(key(clock * 7919 % 3_000), entry(clock + alive))
        ids.commit(Reach(clock, clock, 0))
    held = sum(entry is not None for entry in ids.find([key(number) for number in range(3_000)]))
    assert alive <= held <= 2 * alive + 1


def test_a_commit_looks_at_a_bounded_number_of_entries(ids: IdStore) -> None:
    many = 3 * SWEPT_MAX
    for number in range(many):
        ids.add(key(number), entry(0))
    ids.commit(Reach(1, 5, 0))
    left = sum(entry is not None for entry in ids.find([key(number) for number in range(many)]))
    assert left == many - SWEPT_MAX


def test_about_how_many_there_are(ids: IdStore) -> None:
    put(ids, 1, 0, n1=10, n2=10)
    assert 2 <= ids.count() <= 3
