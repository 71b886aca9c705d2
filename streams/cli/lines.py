"""Usage events from a file: NDJSON lines as they are, or CSV rows through a mapping.

Each line yields an `Event`, whose value is ready to publish, or a `BadLine`, which names the line's number and what is
wrong with it. A number in CSV stays the text it was: no value goes through a float.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

REQUIRED = ("id", "source", "type", "specversion")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_ZONELESS = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)")


class Event(NamedTuple):
    """One event, ready to publish."""

    line: int
    key: bytes | None
    value: bytes


class BadLine(NamedTuple):
    """A line that is no event."""

    line: int
    why: str


def from_ndjson(lines: Iterable[bytes], check: bool = True) -> Iterator[Event | BadLine]:
    """One event a line, its bytes unchanged; blank lines are passed over. Unchecked, every line is an event."""
    for number, raw in enumerate(lines, 1):
        text = raw.strip()
        if not text:
            continue
        try:
            members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            missing = [name for name in REQUIRED if not _text(members, name)] if check else []
            key = _key(members)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield BadLine(number, f"not a JSON object: {error}") if check else Event(number, None, text)
            continue
        if missing:
            yield BadLine(number, f"without {', '.join(missing)}")
        else:
            yield Event(number, key, text)


def _text(members: Mapping[str, msgspec.Raw], name: str) -> str:
    value = msgspec.json.decode(members[name]) if name in members else None
    return value if isinstance(value, str) else ""


def _key(members: Mapping[str, msgspec.Raw]) -> bytes | None:
    """Events of one subject go to one partition."""
    return (_text(members, "account") or _text(members, "subject")).encode() or None


def from_csv(
    lines: Iterable[bytes], columns: Mapping[str, str], fixed: Mapping[str, str], name: str
) -> Iterator[Event | BadLine]:
    """One event a row. `columns` says which column each attribute or `data.member` is read from, `fixed` which text it
    always has; an event without an `id` takes the file's name and the row's number. Raises `ValueError` with a sentence
    where the mapping does not fit the file."""
    text = (line.decode("utf-8", "surrogateescape").removeprefix("\ufeff") for line in lines)
    reader = csv.reader(text, strict=True)
    header = next(reader, None)
    if header is None:
        raise ValueError(f"{name} is empty: the first row of a CSV names its columns")
    for attribute, column in columns.items():
        if column not in header:
            raise ValueError(f"{name} has no column {column} for {attribute}: it has {', '.join(header)}")
    places = {attribute: header.index(column) for attribute, column in columns.items()}
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield BadLine(reader.line_num, str(error))
            continue
        if row is None:
            return
        if row:
            yield _row(reader.line_num, row, len(header), places, fixed, name)


def _row(
    line: int, row: list[str], width: int, places: Mapping[str, int], fixed: Mapping[str, str], name: str
) -> Event | BadLine:
    if len(row) != width:
        return BadLine(line, f"{len(row)} columns, not {width}")
    event: dict[str, Any] = {"specversion": "1.0", "id": f"{name}-{line - 1}"}
    data: dict[str, Any] = {}
    for attribute, text in [
        *fixed.items(),
        *((attribute, row[place]) for attribute, place in places.items()),
    ]:
        if attribute.startswith("data."):
            data[attribute[5:]] = msgspec.Raw(text.encode()) if _NUMBER.fullmatch(text) else text
        elif text:
            event[attribute] = _zoned(text) if attribute == "time" else text
    missing = [attribute for attribute in REQUIRED if not event.get(attribute)]
    if missing:
        return BadLine(line, f"without {', '.join(missing)}: map a column with --map or set it with --set")
    subject = event.get("account") or event.get("subject")
    try:
        return Event(line, subject.encode() if subject else None, msgspec.json.encode(event | {"data": data}))
    except UnicodeEncodeError:
        return BadLine(line, "not UTF-8")


def _zoned(text: str) -> str:
    """A time without an offset is UTC."""
    found = _ZONELESS.fullmatch(text)
    return f"{found[1]}T{found[2]}Z" if found else text
