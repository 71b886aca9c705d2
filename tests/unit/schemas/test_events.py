"""Usage events are read in both modes of CloudEvents; what is no event has a code and a sentence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rating.times import parse_time
from schemas.events import ATTRIBUTE_MAX, Event
from schemas.rejected import CODES, Headers, RawRecord
from tests.unit.schemas.records import BINARY, SOUND, event, headers, problem, raw, structured, with_data

DEEP = 1_000
REQUIRED = ("specversion", "id", "source", "type", "subject")


def test_a_structured_event() -> None:
    assert event(structured()) == Event(
        id="e1", source="gateway", type="llm", subject="cust-1", tenant="acme", account=None, subscription=None,
        time=parse_time(SOUND["time"]), data={"model": "large", "tokens": 374}, raw=b'{"model": "large", "tokens": 374}',
    )  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        "application/json", "application/cloudevents+json", "application/cloudevents+json; charset=utf-8",
        "Application/CloudEvents+JSON;charset=UTF-8", "text/plain", "",
    ],
)  # fmt: skip
def test_a_content_type_with_parameters_or_of_any_case_is_read_as_structured(kind: str) -> None:
    assert event(structured([("content-type", kind.encode())])).id == "e1"


def test_headers_that_are_not_cloudevents_leave_a_record_structured() -> None:
    assert event(structured([("traceparent", b"00-1"), ("Content-Type", None)])).id == "e1"


def test_a_binary_event_says_the_same() -> None:
    value = b'{"model": "large", "tokens": 374}'
    assert event(raw(value, headers())) == event(structured())
    assert event(raw(value, headers(content_type=...))) == event(structured())
    assert event(raw(value, headers(content_type="application/json; charset=utf-8"))) == event(structured())
    shouted: Headers = [(name.upper(), content) for name, content in headers()]
    assert event(raw(value, shouted)) == event(structured())


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        ({"tenant": ...}, {"tenant": "default"}), ({"time": ...}, {"time": None}), ({"time": None}, {"time": None}),
        ({"account": "cust-9"}, {"account": "cust-9"}), ({"subscription": "sub-1"}, {"subscription": "sub-1"}),
        ({"account": None}, {"account": None}), ({"data": {}}, {"data": {}}),
        ({"datacontenttype": "application/json", "dataschema": "x", "traceid": [1]}, {"id": "e1"}),
        ({"id": "a b/ü"}, {"id": "a b/ü"}), ({"id": "x" * ATTRIBUTE_MAX}, {"id": "x" * ATTRIBUTE_MAX}),
    ],
)  # fmt: skip
def test_optional_attributes(changed: dict[str, Any], read: dict[str, Any]) -> None:
    found = event(structured(**changed))
    assert {name: getattr(found, name) for name in read} == read


@pytest.mark.parametrize(
    ("time", "same"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000Z"), ("2026-11-22t10:00:00z", "2026-11-22T10:00:00Z"),
        ("2026-11-22T12:30:00+02:30", "2026-11-22T10:00:00Z"), ("2026-11-22T05:00:00-05:00", "2026-11-22T10:00:00Z"),
        ("2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:00.123456Z"),
        ("2028-02-29T23:59:59.1Z", "2028-02-29T23:59:59.100000Z"),
    ],
)  # fmt: skip
def test_every_form_of_a_time(time: str, same: str) -> None:
    assert event(structured(time=time)).time == parse_time(same)


NUMBERS = {
    "374": 374, "0.1": Decimal("0.1"), "1.0": 1, "1e3": 1000, "-0": 0, "-0.0": 0, "1E-7": Decimal("1E-7"),
    "0.000246": Decimal("0.000246"), "0.30000000000000000000000000000000000001": Decimal("0." + "3" + "0" * 36 + "1"),
    "9223372036854775807": 2**63 - 1, "9223372036854775808": 2**63, "18446744073709551616": 2**64, "9" * 40: 10**40 - 1,
    "-18446744073709551617": -(2**64) - 1, "1e400": Decimal("1E+400"), "123456789012345678.25": Decimal("123456789012345678.25"),
}  # fmt: skip


@pytest.mark.parametrize("literal", NUMBERS)
def test_a_number_keeps_its_literal_value(literal: str) -> None:
    found = event(with_data(f'{{"v": {literal}}}')).data["v"]
    assert found == NUMBERS[literal]
    assert type(found) is type(NUMBERS[literal])


def test_of_a_member_that_comes_twice_the_last_counts() -> None:
    assert event(with_data('{"v": 1, "v": 2}')).data == {"v": 2}


def nested(levels: int) -> str:
    return '{"v": ' + "[" * levels + "]" * levels + "}"


def test_nesting_has_one_limit_and_below_it_an_event_is_sound() -> None:
    assert event(with_data(nested(99))).id == "e1"
    assert problem(with_data(nested(100))).code == "malformed"
    wide = '{"v": [' + ",".join(["{}"] * DEEP) + "]}"
    assert len(event(with_data(wide)).data["v"]) == DEEP


BROKEN: dict[str, tuple[str, RawRecord]] = {
    "a tombstone": ("malformed", raw(None)),
    "an empty value": ("malformed", raw(b"")),
    "no JSON": ("malformed", raw(b"hello")),
    "a cut value": ("malformed", raw(b'{"specversion": "1.0", "id": "e')),
    "two values": ("malformed", raw(b"{} {}")),
    "a byte order mark": ("malformed", raw(b"\xef\xbb\xbf" + (structured().value or b""))),
    "a batch": ("malformed", raw(b"[{}]", [("content-type", b"application/cloudevents-batch+json")])),
    "a number": ("malformed", raw(b"5")),
    "broken UTF-8 in an attribute": ("malformed", raw((structured().value or b"").replace(b"e1", b"\xff\xfe"))),
    "broken UTF-8 in data": ("malformed", with_data(b'{"v": "\xff"}')),
    "half a surrogate": ("malformed", with_data('{"v": "\\ud800"}')),
    "NaN": ("malformed", with_data('{"v": NaN}')),
    "Infinity": ("malformed", with_data('{"v": -Infinity}')),
    "nested a thousand deep": ("malformed", with_data(nested(DEEP))),
    "nested a hundred thousand deep": ("malformed", with_data(nested(100 * DEEP))),
    "objects a thousand deep": ("malformed", with_data('{"v": ' * DEEP + "1" + "}" * DEEP)),
    "data that is null": ("bad_value", structured(data=None)),
    "data that is a list": ("bad_value", structured(data=[1])),
    "data that is text": ("bad_value", structured(data='{"v": 1}')),
    "a huge literal": ("bad_value", with_data('{"v": ' + "9" * 5_000 + "}")),
    "a huge exponent": ("bad_value", with_data('{"v": 1e99999999999999999999}')),
    "a huge negative exponent": ("bad_value", with_data('{"v": 0e-99999999999999999999}')),
    "no data": ("missing_attribute", structured(data=...)),
    "an id that is a number": ("bad_value", structured(id=5)),
    "an id that is null": ("missing_attribute", structured(id=None)),
    "an id that is too long": ("bad_value", structured(id="x" * (ATTRIBUTE_MAX + 1))),
    "another version": ("bad_value", structured(specversion="0.3")),
    "a tenant with a slash": ("bad_value", structured(tenant="a/b")),
    "an empty tenant": ("bad_value", structured(tenant="")),
    "a subject with a space": ("bad_value", structured(subject="a b")),
    "a subject beyond ASCII": ("bad_value", structured(subject="straße")),
    "a subject that is too long": ("bad_value", structured(subject="x" * 129)),
    "an account that is empty": ("bad_value", structured(account="")),
    "a subscription with a newline": ("bad_value", structured(subscription="a\nb")),
    "a time without an offset": ("bad_value", structured(time="2026-11-22T10:00:00")),
    "a time that is no day": ("bad_value", structured(time="2026-02-30T10:00:00Z")),
    "a time that is a number": ("bad_value", structured(time=1795341600)),
    "a time that is empty": ("bad_value", structured(time="")),
    "a time before all times": ("bad_value", structured(time="0001-01-01T00:00:00+23:00")),
    "a time after all times": ("bad_value", structured(time="9999-12-31T23:59:59-05:00")),
    **{f"no {name}": ("missing_attribute", structured(None, 0, **{name: ...})) for name in REQUIRED},
    **{f"an empty {name}": ("missing_attribute", structured(None, 0, **{name: ""})) for name in REQUIRED},
    "binary without a value": ("missing_attribute", raw(None, headers())),
    "binary with an empty value": ("missing_attribute", raw(b"", headers())),
    "binary without an id": ("missing_attribute", raw(b"{}", headers(ce_id=...))),
    "binary with an attribute that is not text": ("malformed", raw(b"{}", headers(ce_source=b"\xff"))),
    "binary with data that is a list": ("bad_value", raw(b"[]", headers())),
    "binary with data that is cut": ("malformed", raw(b'{"v": ', headers())),
    "binary with a byte order mark": ("malformed", raw(b"\xef\xbb\xbf{}", headers())),
    "Avro without schemas": ("unknown_schema", raw(b"\x00\x00\x00\x00\x01", headers(content_type="application/avro"))),
    "structured Avro without schemas": ("unknown_schema", raw(b"\x00", [("content-type", b"application/cloudevents+avro")])),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_event_has_a_code_and_a_sentence(name: str) -> None:
    code, record = BROKEN[name]
    assert problem(record).code == code
    assert code in CODES


def test_every_code_that_decoding_gives_is_tried() -> None:
    assert {code for code, _ in BROKEN.values()} == {
        "malformed", "missing_attribute", "bad_value", "unknown_schema",
    }  # fmt: skip


def test_an_attribute_of_binary_mode_may_be_empty_only_where_it_is_optional() -> None:
    assert event(raw(b"{}", headers(ce_datacontenttype=""))).id == BINARY["ce_id"]
    assert problem(raw(b"{}", headers(ce_subject=""))).code == "missing_attribute"
