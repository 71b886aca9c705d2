"""Usage events from files: what is published, and which lines are named."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from streams.cli.lines import BadLine, Event, from_csv, from_ndjson

GOOD = b'{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "a", "data": {"n": 1.10}}'


def test_a_json_line_is_published_byte_for_byte_and_keyed_by_its_subject() -> None:
    assert list(from_ndjson([GOOD + b"\r\n", b"\n"])) == [Event(1, b"a", GOOD)]


def test_the_account_is_the_key_where_there_is_one() -> None:
    line = GOOD.replace(b'"subject"', b'"account": "b", "subject"')
    assert list(from_ndjson([line])) == [Event(1, b"b", line)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"nope", "not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b'{"id": "1"}', "without source, type, specversion"),
        (GOOD.replace(b'"id": "1"', b'"id": 1'), "without id"),
        (b'{"id": "\xff"}', "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
    ],
)
def test_a_line_that_is_no_event_is_named_by_its_number(line: bytes, why: str) -> None:
    bad, good = from_ndjson([line, GOOD])
    assert isinstance(bad, BadLine)
    assert (bad.line, good) == (1, Event(2, b"a", GOOD))
    assert why in bad.why


def test_unchecked_every_line_is_published() -> None:
    assert list(from_ndjson([b"nope", b'{"id": "1"}'], check=False)) == [
        Event(1, None, b"nope"), Event(2, None, b'{"id": "1"}'),
    ]  # fmt: skip


COLUMNS = {"time": "at", "data.n": "n", "data.model": "model", "subject": "who"}
FIXED = {"source": "s", "type": "t", "data.region": "eu"}


def rows(text: bytes, columns: Mapping[str, str] = COLUMNS) -> list[Event | BadLine]:
    return list(from_csv(text.splitlines(keepends=True), columns, FIXED, "trace"))


def test_a_row_becomes_an_event_with_its_numbers_as_they_were_written() -> None:
    (event,) = rows(b"\xef\xbb\xbfat,n,model,who\n2026-11-01 10:00:00.5,12.340,large,acme\n")
    assert isinstance(event, Event)
    assert b'"n":12.340' in event.value
    assert json.loads(event.value) == {
        "specversion": "1.0", "id": "trace-1", "source": "s", "type": "t", "subject": "acme",
        "time": "2026-11-01T10:00:00.5Z", "data": {"n": 12.34, "model": "large", "region": "eu"},
    }  # fmt: skip
    assert (event.line, event.key) == (2, b"acme")


@pytest.mark.parametrize("text", ["007", "1e3", "NaN", "", "-", "1."])
def test_text_that_is_no_plain_number_stays_text(text: str) -> None:
    (event,) = rows(f"at,n,model,who\n2026-11-01T10:00:00Z,{text},m,a\n".encode())
    assert isinstance(event, Event)
    assert json.loads(event.value)["data"]["n"] == text


def test_bad_rows_are_named_and_the_others_go_on() -> None:
    found = rows(b'at,n,model,who\n1,2\n1,2,"m"x,a\n1,2,\xff,a\n1,2,m,a\n')
    assert [(type(item).__name__, item.line) for item in found] == [
        ("BadLine", 2), ("BadLine", 3), ("BadLine", 4), ("Event", 5),
    ]  # fmt: skip


def test_a_mapping_that_does_not_fit_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="trace has no column when for time: it has at, n"):
        rows(b"at,n\n", {"time": "when"})
    with pytest.raises(ValueError, match="trace is empty"):
        rows(b"")


def test_an_event_without_what_it_needs_says_how_to_give_it() -> None:
    (bad,) = from_csv([b"n\n", b"1\n"], {"data.n": "n"}, {"source": "s"}, "trace")
    assert bad == BadLine(2, "without type: map a column with --map or set it with --set")
