"""Paths into an event's data and its subject."""

from __future__ import annotations

import pytest

from rating.paths import getter, member

DATA = {"a": {"b": 1}, "c-d": 2, "e": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [("$.a", {"b": 1}), ("$.a.b", 1), ("$.c-d", 2), ("$.e", None), ("$.x", None), ("$.a.b.c", None), ("$.x.y", None),
     ("$subject", "user-1"), ("$subject.team", "search"), ("$subject.guild", "")],
)  # fmt: skip
def test_what_a_path_reads(path: str, value: object) -> None:
    assert getter(path)(DATA, "user-1", {"team": "search"}) == value


@pytest.mark.parametrize(
    "path", ["", "$", "a", "$.", "$..a", "$.a.", "$a", "$.1", "$subjects", "$subject.a.b", "$.a b", "$.a" * 9]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        getter(path)


def test_plain_members_are_known() -> None:
    assert member("$.a") == "a"
    assert [member(path) for path in ("$.a.b", "$subject", "$subject.team")] == [None, None, None]
