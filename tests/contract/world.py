"""A small deployment in memory: two months of one customer, with credits, a correction, a late event and bad records."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from rating.times import parse_time
from schemas.catalog import check_catalog
from streams.simulate import Shown, Simulation

CATALOG = {
    "meters": [
        {"key": "tokens", "event_type": "llm", "aggregation": "sum", "value": "$.tokens", "unit": "token",
         "group_by": {"model": "$.model"}},
        {"key": "requests", "event_type": "llm", "aggregation": "count"},
        {"key": "users", "event_type": "llm", "aggregation": "unique", "value": "$.user"},
    ],
    "plans": [{
        "key": "pro", "version": 1, "effective_from": "2026-01-01T00:00:00Z", "currency": "USD", "period": "month",
        "fees": [{"key": "base", "amount": "31.00", "timing": "advance"}],
        "charges": [
            {"key": "input", "meter": "tokens", "dimensions": ["model"], "price": {"model": "graduated", "tiers": [
                {"up_to": "100", "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.000002"}]}},
            {"key": "calls", "meter": "requests", "price": {"model": "per_unit", "unit_amount": "0.01"}},
            {"key": "people", "meter": "users", "price": {"model": "per_unit", "unit_amount": "1"}, "minimum": "5"},
        ],
    }],
}  # fmt: skip


class Record(NamedTuple):
    """An output record: its value as JSON, or the text that it is."""

    topic: str
    key: str | None
    value: Any
    headers: dict[str, str]


def event(number: int, time: str, **data: Any) -> dict[str, Any]:
    """A usage event of the customer."""
    return {"specversion": "1.0", "id": f"e{number}", "source": "gw", "type": "llm", "tenant": "acme", "subject": "cust-1",
            "time": time, "data": {"tokens": 374, "model": "large", "user": "u1", **data}}  # fmt: skip


def command(kind: str, time: str, **fields: Any) -> dict[str, Any]:
    """A command for the customer."""
    return {
        "id": f"{kind}-{time}",
        "tenant": "acme",
        "account": "cust-1",
        "type": kind,
        "time": time,
        **fields,
    }


FIRST = event(1, "2026-01-05T10:00:00.5Z")
INPUT: tuple[tuple[str, dict[str, Any] | str], ...] = (
    ("command", command("subscribe", "2026-01-01T00:00:00Z", subscription="sub-1", plan="pro", start="2026-01-01T00:00:00Z",
                        region="eu", storefront="direct")),
    ("command", command("grant_credits", "2026-01-01T00:00:01Z", grant="g1", amount="0.02", unit="USD",
                        expires_at="2026-01-20T00:00:00Z")),
    ("event", FIRST),
    ("event", event(2, "2026-01-05T11:00:00Z", tokens="0.000001", model="small", user="u2")),
    ("event", event(2, "2026-01-05T11:00:00Z", tokens=5, model="small")),
    ("event", event(3, "2026-01-06T00:00:00Z", tokens=None)),
    ("event", event(4, "2026-01-06T00:00:00Z", tokens="many")),
    ("event", "{no JSON"),
    ("event", event(5, "2026-01-07T00:00:00Z")),
    ("command", command("retract_usage", "2026-01-08T00:00:00Z", source="gw", event_id="e1", was=FIRST)),
    ("command", command("cancel", "2026-01-09T00:00:00Z", subscription="none", at="now")),
    ("event", event(6, "2026-02-03T00:00:00Z")),
    ("event", event(7, "2026-01-31T23:00:00Z")),
)  # fmt: skip
UNTIL = "2026-03-05T00:00:00Z"


@cache
def records() -> tuple[Record, ...]:
    """Every output record, in order."""
    checked = check_catalog(CATALOG)
    assert checked.doc is not None, checked.problems
    simulation = Simulation(checked.doc)
    shown: list[Shown] = []
    for kind, value in INPUT:
        text = value if isinstance(value, str) else json.dumps(value)
        shown += simulation.take(text.encode(), kind == "command")
    shown += simulation.advance(parse_time(UNTIL))
    assert not simulation.parked, dict(simulation.parked)
    return tuple(Record(each.topic, each.key, _value(each.value), dict(each.headers)) for each in shown)


def of(topic: str) -> list[Record]:
    """The records of a topic; there are some."""
    found = [record for record in records() if record.topic == topic]
    assert found, f"nothing on {topic}"
    return found


def _value(value: bytes | None) -> Any:
    try:
        return None if value is None else json.loads(value, parse_float=_no_float)
    except ValueError:
        return (value or b"").decode()


def _no_float(literal: str) -> Any:
    raise AssertionError(f"a decimal travels as a JSON float: {literal}")
