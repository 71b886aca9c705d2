"""Cells come back from the changelog as they were: any integer, any tuple, each kind's own type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.cells import DictCells
from schemas.cells import decode_key, decode_value, encode_key, encode_value
from streams import simulate
from tests.contract import world

SCALARS = st.booleans() | st.integers(-(10**90), 10**90) | st.text(max_size=6) | st.binary(max_size=6)
VALUES = st.recursive(SCALARS | st.none(), lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=8)
BUCKETS = st.lists(st.text(max_size=8), min_size=1, max_size=6).map(tuple)


@given(BUCKETS, st.text(max_size=8))
def test_a_key_comes_back(bucket: tuple[str, ...], member: str) -> None:
    assert decode_key(encode_key(bucket, member)) == (bucket, member)


@given(st.lists(st.tuples(BUCKETS, st.text(max_size=3)), min_size=2, max_size=2, unique=True))
def test_two_cells_have_two_keys(cells: list[tuple[tuple[str, ...], str]]) -> None:
    one, other = (encode_key(bucket, member) for bucket, member in cells)
    assert one != other


@given(SCALARS | st.lists(VALUES, max_size=4).map(tuple))
def test_a_value_of_no_kind_of_its_own_comes_back(value: Any) -> None:
    found = decode_value(("no kind",), encode_value(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value", [2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**76, -(10**76), (1, (10**40, "x"), None)]
)
def test_integers_at_and_beyond_the_edge_of_64_bits(value: Any) -> None:
    assert decode_value(("no kind",), encode_value(value)) == value


def test_true_is_not_one() -> None:
    assert decode_value(("no kind",), encode_value((True, 1, 10**40))) == (True, 1, 10**40)
    assert decode_value(("no kind",), encode_value((True, 10**40)))[0] is True


def test_every_cell_of_a_customers_life_comes_back_as_its_own_type(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[Any]] = {}

    class Recording(DictCells):
        def put(self, bucket: tuple[str, ...], member: str, value: Any) -> None:
            seen.setdefault(bucket[0], set()).add((bucket, member, value))
            super().put(bucket, member, value)

    monkeypatch.setattr(simulate, "DictCells", Recording)
    world.records.__wrapped__()
    for puts in seen.values():
        for bucket, member, value in puts:
            if value is not None:
                found = decode_value(bucket, encode_value(value))
                assert (bucket, member, found) == (bucket, member, value)
                assert type(found) is type(value)
    assert len(seen) > 5


def test_an_absent_fields_value_is_written_for_a_kind_too() -> None:
    assert decode_value(("position",), encode_value(17)) == 17
