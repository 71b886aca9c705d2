"""What could not be used keeps its own bytes and headers, and says what happened after them."""

from __future__ import annotations

from schemas.rejected import CODES, DETAIL_MAX, STAGES, Rejected
from tests.unit.schemas.records import headers, raw


def test_the_contracts_codes_and_stages() -> None:
    assert set(CODES) == {
        "malformed", "missing_attribute", "bad_value", "unknown_subject", "unrated", "wrong_tenant", "too_old", "too_new",
        "too_large", "id_conflict", "unknown_schema", "bad_command",
    }  # fmt: skip
    assert set(STAGES) == {"normalize", "control", "rate"}


def test_original_headers_come_first_and_unchanged() -> None:
    given = [*headers(), ("error", b"mine"), ("odd", b"\xff\x00"), ("none", None)]
    found = Rejected("bad_value", "v is no number", "normalize", raw(b"x", given, offset=42)).headers()
    assert found[: len(given)] == given
    assert found[len(given) :] == [
        ("error", b"bad_value"), ("error_detail", b"v is no number"), ("stage", b"normalize"),
        ("origin_topic", b"usage.events.v1"), ("origin_partition", b"0"), ("origin_offset", b"42"),
    ]  # fmt: skip


def test_a_reader_that_makes_a_mapping_of_them_sees_what_happened_last() -> None:
    found = dict(Rejected("malformed", "", "control", raw(None, [("error", b"mine")])).headers())
    assert found["error"] == b"malformed"


def test_a_detail_is_bounded_and_always_text() -> None:
    found = dict(Rejected("malformed", "ü" * 5_000 + "\ud800", "rate", raw(None)).headers())
    assert len((found["error_detail"] or b"").decode()) == DETAIL_MAX
    half = dict(Rejected("malformed", "x\ud800", "rate", raw(None)).headers())
    assert half["error_detail"] == b"x?"
