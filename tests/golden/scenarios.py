"""Runs a scenario vector through `simulate`'s own engine, and says where what comes out is not what the vector wants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from rating.errors import TimeError
from rating.times import parse_time
from schemas.catalog import check_catalog
from streams.simulate import Simulation

Json = dict[str, Any]
Records = list[tuple[str, Any]]


def run(vector: Json) -> Records:
    """Every output record of a vector, as `(topic, value)`."""
    checked = check_catalog(vector["catalog"])
    assert checked.doc is not None, checked.problems
    simulation = Simulation(checked.doc)
    shown = []
    for line in vector["input"]:
        ((kind, value),) = line.items()
        shown += list(simulation.take(json.dumps(value).encode(), kind == "command"))
    shown += list(simulation.advance(parse_time(vector["until"])))
    assert not simulation.parked, dict(simulation.parked)
    return [(each.topic, None if each.value is None else _value(each.value)) for each in shown]


def _value(value: bytes) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def differences(vector: Json, records: Records) -> Iterator[str]:
    """Where the records are not what the vector expects."""
    for expected in vector["expect"]:
        hits = [value for topic, value in records if topic == expected["topic"] and _matches(expected, value)]
        where = f"{expected['topic']} {expected['where']}"
        if "count" in expected and len(hits) != expected["count"]:
            yield f"{where}: {len(hits)} records, want {expected['count']}"
        for name, wanted in expected.get("sum", {}).items():
            found = sum((Fraction(str(hit[name])) for hit in hits), Fraction(0))
            if found != Fraction(wanted):
                yield f"{where}: sum of {name} is {found}, want {wanted}"
        for name, wanted in expected.get("last", {}).items():
            got = hits[-1].get(name, "absent") if hits else "no record"
            if not hits or not same(wanted, got):
                yield f"{where}: last {name} is {got}, want {wanted}"


def _matches(expected: Json, value: Any) -> bool:
    return isinstance(value, dict) and all(
        name in value and same(wanted, value[name]) for name, wanted in expected["where"].items()
    )


def same(wanted: Any, found: Any) -> bool:
    """Whether two values say the same: numbers by their value, times by their instant, the rest as it stands."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return wanted.keys() == found.keys() and all(same(wanted[name], found[name]) for name in wanted)
    if isinstance(wanted, bool | None) or isinstance(found, bool | None):
        return wanted is found
    try:
        return Decimal(str(wanted)) == Decimal(str(found))
    except InvalidOperation:
        pass
    try:
        return parse_time(wanted) == parse_time(found)
    except (TimeError, TypeError):
        return bool(wanted == found)
