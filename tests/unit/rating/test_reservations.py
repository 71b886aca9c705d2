"""What is held of a bound, from the grant until the usage is counted."""

from __future__ import annotations

from typing import Any

from rating.records import Position
from rating.reservations import COMMITTED, RELEASED, Book, BoundKey, Hold, HoldKey

CHAT = BoundKey("acme", "cust-1", "feature", "chat")
CAP = BoundKey("acme", "cust-1", "limit", "cap")
RAW = ("usage.events.v1", 2)


def hold(name: str = "r1", quantity: int = 5, expires: int = 100, **fields: Any) -> Hold:
    key = HoldKey("acme", "cust-1", name)
    return Hold(
        key, "cust-1", "chat", str(quantity), None, {CHAT: quantity, CAP: 2 * quantity}, expires, "", **fields
    )


def claimed(book: Book, covers: int = -1, now: int = 0, bound: BoundKey = CHAT) -> int:
    return book.claimed(bound, {RAW: covers}, now)


def test_what_is_granted_is_held_of_every_bound_until_it_is_released() -> None:
    book = Book()
    book.put(hold())
    book.put(hold("r2", 7))
    assert (claimed(book), claimed(book, bound=CAP)) == (12, 24)
    book.release(hold().key, 1)
    assert (claimed(book), claimed(book, bound=CAP)) == (7, 14)
    book.release(hold().key, 2)
    assert claimed(book) == 7


def test_a_hold_ends_at_its_time_to_the_microsecond() -> None:
    book = Book()
    book.put(hold())
    assert claimed(book, now=99) == 5
    assert claimed(book, now=100) == 0
    found = book.get(hold().key)
    assert found is not None
    assert found.ended == 100


def test_a_committed_hold_ends_at_each_bound_when_its_figure_counts_the_event() -> None:
    book = Book()
    book.put(hold())
    book.commit(hold().key, "e", 10)
    assert claimed(book, covers=1_000, now=200) == 5, "it is not known where the event is: nothing counts it"
    book.place(hold().key, Position(*RAW, 41))
    assert claimed(book, covers=40) == 5
    assert claimed(book, covers=41) == 0
    assert claimed(book, covers=40, bound=CAP) == 10, "the limit's own figure is older"
    assert claimed(book, covers=41, bound=CAP) == 0
    assert not list(book.under_way())


def test_another_partition_of_the_raw_topic_says_nothing() -> None:
    book = Book()
    book.put(hold())
    book.commit(hold().key, "e", 10)
    book.place(hold().key, Position("usage.events.v1", 1, 41))
    assert claimed(book, covers=50) == 5


def test_usage_that_comes_after_the_end_is_held_until_it_is_counted() -> None:
    book = Book()
    for name, end in (
        ("expired", lambda key: book.expire(100)),
        ("released", lambda key: book.release(key, 50)),
    ):
        book.put(hold(name))
        end(hold(name).key)
    assert claimed(book, now=100) == 0
    for offset, name in enumerate(("expired", "released")):
        book.commit(hold(name).key, "e", 110)
        book.place(hold(name).key, Position(*RAW, offset))
    assert claimed(book, now=120) == 10
    assert claimed(book, covers=0, now=120) == 5
    assert claimed(book, covers=1, now=120) == 0


def test_what_no_figure_will_ever_count_is_settled() -> None:
    book = Book()
    book.put(hold())
    book.commit(hold().key, "e", 10)
    book.settle(hold().key)
    assert (claimed(book), claimed(book, bound=CAP)) == (0, 0)


def test_what_is_brought_back_from_the_topic_holds_as_before() -> None:
    book = Book()
    book.put(hold("open"))
    book.put(hold("gone", state=RELEASED, ended=3))
    book.put(hold("sent", state=COMMITTED, ended=4, origin=Position(*RAW, 9)))
    assert claimed(book) == 10
    assert claimed(book, covers=9) == 5
    assert claimed(book, covers=9, now=100) == 0


def test_a_record_that_comes_again_is_one_hold() -> None:
    book = Book()
    book.put(hold())
    book.put(hold(state=COMMITTED, ended=4))
    assert claimed(book) == 5
    assert len(book) == 1


def test_only_what_ended_and_holds_nothing_is_forgotten() -> None:
    book = Book()
    book.put(hold("open", expires=10))
    book.put(hold("released", expires=500))
    book.put(hold("sent", expires=500))
    book.release(hold("released").key, 20)
    book.commit(hold("sent").key, "e", 20)
    book.expire(30)
    assert {key.id for key in book.forgettable(25, 10)} == {"open", "released"}
    assert book.forgettable(25, 10) == []
    book.settle(hold("sent").key)
    assert [key.id for key in book.forgettable(25, 10)] == ["sent"]
    book.drop(hold("open").key)
    assert len(book) == 2
