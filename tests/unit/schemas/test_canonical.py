"""An event's content has one form: a copy in another encoding is a copy, any other value a conflict."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import DEPTH_MAX, check_depth, decode_data, digest, encode_data, number, uid

SAME = [
    ('{"a": 1, "b": 2}', '{"b":2,"a":1}'),
    ('{"v": 1}', '{"v": 1.0}'),
    ('{"v": 1}', '{"v": 1e0}'),
    ('{"v": 1}', '{"v": 0.1E1}'),
    ('{"v": 1000}', '{"v": 1e3}'),
    ('{"v": 0.5}', '{"v": 0.500}'),
    ('{"v": 0}', '{"v": -0.0}'),
    ('{"v": 0}', '{"v": 0e5}'),
    ('{"v": 18446744073709551616}', '{"v": 1.8446744073709551616e19}'),
    ('{"v": "ü"}', '{"v": "\\u00fc"}'),
    ('{"v": {"x": [1, 2.0]}}', '{"v":{"x":[1.0,2]}}'),
    ('{"v": 1, "v": 2}', '{"v": 2}'),
]
OTHER = [
    ('{"v": 1}', '{"v": "1"}'),
    ('{"v": 1}', '{"v": true}'),
    ('{"v": 0}', '{"v": false}'),
    ('{"v": null}', "{}"),
    ('{"v": [1, 2]}', '{"v": [2, 1]}'),
    ('{"v": 0.1}', '{"v": 0.10000000000000000001}'),
    ('{"v": 1e-400}', '{"v": 0}'),
    ('{"v": 9007199254740993}', '{"v": 9007199254740992.0}'),
]


def of(text: str, kind: str = "llm", subject: str = "c") -> bytes:
    return digest(kind, subject, decode_data(text.encode()))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_the_same_has_one_digest(one: str, other: str) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_says_something_else_has_another(one: str, other: str) -> None:
    assert of(one) != of(other)


def test_type_and_subject_are_content() -> None:
    assert len({of("{}"), of("{}", kind="x"), of("{}", subject="x"), of("{}", kind="l", subject="lmc")}) == 4
    assert len(of("{}")) == 16


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1.0", 1), ("1e3", 1000), ("-2.50", Decimal("-2.5")), ("0e9", 0), ("-0.0", 0), ("1e40", 10**40),
        ("1e41", Decimal("1E+41")), ("1.5e-7", Decimal("1.5E-7")), ("1e999999999", Decimal("1E+999999999")),
    ],
)  # fmt: skip
def test_a_literal_has_one_value_and_a_huge_one_costs_nothing(literal: str, value: int | Decimal) -> None:
    found = number(literal)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "literal", ["1e99999999999999999999", "1e-99999999999999999999", "0e99999999999999999999"]
)
def test_an_exponent_beyond_all_sense_is_a_value_error(literal: str) -> None:
    with pytest.raises(ValueError, match="exponent"):
        number(literal)


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6
)  # fmt: skip
DOCUMENTS = st.dictionaries(
    st.text(max_size=5),
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8),
    max_size=4,
)  # fmt: skip


@given(DOCUMENTS)
def test_data_written_and_read_again_has_the_same_digest(data: dict[str, Any]) -> None:
    read = decode_data(encode_data(data))
    assert digest("t", "s", read) == digest("t", "s", decode_data(encode_data(read)))
    backwards = json.loads(encode_data(read), parse_float=number)
    assert digest("t", "s", dict(reversed(list(backwards.items())))) == digest("t", "s", read)


def test_depth_is_bounded_by_what_is_there_and_not_by_its_text() -> None:
    check_depth({"v": "[" * 1_000}, b"[" * 1_000)
    value: Any = 1
    for _ in range(DEPTH_MAX):
        value = [value]
    check_depth(value, b"[" * 1_000)
    with pytest.raises(RecursionError):
        check_depth({"v": value}, b"[" * 1_000)


def test_an_id_within_a_source_is_told_from_any_other() -> None:
    assert uid("a", "b") == uid("a", "b")
    assert len({uid("a", "b"), uid("b", "a"), uid("", "ab"), uid("ab", "")}) == 4
    assert len(uid("a", "b")) == 16
