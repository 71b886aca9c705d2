"""Rules as policies: a signal that is on while conditions on facts of an account hold.

A fact is a number, a time or a text. Numbers are compared and shown in 10⁻³⁶ whatever they are of, times in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from rating import numbers
from rating.catalog.limits import FINE
from rating.times import parse_duration

Doc = Mapping[str, Any]
TIMES = frozenset(["idle", "age", "trial_left"])
TEXTS = frozenset(["plan", "status", "storefront", "region", "channel"])
METADATA = "metadata."
WINDOWED = {"usage": 1, "spend": 1, "breaches": 1, "growth": 2}
"""Facts of a window, and how many times its length they look back."""
PERIOD = 0
"""`over` of the billing period."""
Value = int | str
Filter = tuple[tuple[str, frozenset[str]], ...]


class Fact(NamedTuple):
    """What is looked at. `of` is the meter, feature, unit, limit or plan that it is about; `over` in microseconds, `PERIOD`,
    or −1 where it has no window; `series` what is kept for it, "" for nothing."""

    name: str
    of: str | None
    over: int
    series: str

    @property
    def kind(self) -> str:
        """`number`, `time`, `text` or `metadata`, which is a text that may be compared as a number."""
        if self.name in TIMES:
            return "time"
        if self.name in TEXTS:
            return "text"
        return "metadata" if self.name.startswith(METADATA) else "number"


class Series(NamedTuple):
    """What is kept hour by hour, for the windows `overs` in microseconds and, with `period`, for billing periods: of `kind`
    usage, spend or breaches, of the meter, charge or limit that it names (`None`: all)."""

    key: str
    kind: str
    meter: str | None
    charge: str | None
    limit: str | None
    filter: Filter
    overs: tuple[int, ...] = ()
    period: bool = False


class Condition(NamedTuple):
    """A fact and what it is compared with, all of which must hold: `(eq|in|gt|gte|lt|lte, values)`."""

    fact: Fact
    tests: tuple[tuple[str, tuple[Value, ...]], ...]


class Node(NamedTuple):
    """Conditions together: `all`, `any` or `not` (none of them)."""

    how: str
    parts: tuple[Node | Condition, ...]


class Rule(NamedTuple):
    """One rule; durations in microseconds. `mark` stands for what its `when` says; `facts` are those of its conditions, in
    their order."""

    key: str
    kind: str
    when: Node | Condition
    hold: int
    cool_down: int
    data: Doc
    mark: str
    facts: tuple[Fact, ...]


class Rules(NamedTuple):
    """The rules of a catalog, by key; `series` are what they need kept, and `idle` says whether the time of the last usage
    is; `mark` stands for all that they say, "" for none."""

    by_key: Mapping[str, Rule]
    series: Mapping[str, Series]
    idle: bool
    mark: str


NONE = Rules({}, {}, False, "")


def rules_from(docs: list[Doc]) -> Rules:
    """The rules of a canonical document. It was checked, so this raises nothing."""
    if not docs:
        return NONE
    series: dict[str, Series] = {}
    rules = {doc["key"]: _rule(doc, series) for doc in docs}
    idle = any(fact.name == "idle" for rule in rules.values() for fact in rule.facts)
    return Rules(rules, series, idle, _mark(docs))


def _rule(doc: Doc, series: dict[str, Series]) -> Rule:
    when = _node(doc["when"], series)
    return Rule(
        doc["key"], doc["kind"], when, parse_duration(doc.get("hold", "0s")),
        parse_duration(doc.get("cool_down", "0s")), doc.get("data", {}), _mark(doc["when"]), tuple(_facts(when)),
    )  # fmt: skip


def _mark(doc: Any) -> str:
    text = json.dumps(doc, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _facts(node: Node | Condition) -> Iterator[Fact]:
    if isinstance(node, Condition):
        yield node.fact
    else:
        for part in node.parts:
            yield from _facts(part)


def _node(doc: Doc, series: dict[str, Series]) -> Node | Condition:
    for how in ("all", "any", "not"):
        if how in doc:
            return Node(how, tuple(_node(each, series) for each in doc[how]))
    fact = _fact(doc, series)
    return Condition(fact, tuple(
        (name, tuple(_value(fact.kind, name, each) for each in (doc[name] if name == "in" else [doc[name]])))
        for name in ("eq", "in", "gt", "gte", "lt", "lte") if name in doc
    ))  # fmt: skip


def _fact(doc: Doc, series: dict[str, Series]) -> Fact:
    name = doc["fact"]
    if name not in WINDOWED:
        of = next((doc[field] for field in ("feature", "unit", "plan") if doc.get(field)), None)
        return Fact(name, of, -1, "")
    over = PERIOD if doc["over"] == "period" else parse_duration(doc["over"])
    usage = doc.get("meter") and not doc.get("charge")
    kind = name if name != "growth" else "usage" if usage else "spend"
    bounds = tuple((field, frozenset(allowed)) for field, allowed in sorted(doc.get("filter", {}).items()))
    meter, charge, limit = doc.get("meter"), doc.get("charge"), doc.get("limit")
    asked = [kind, meter, charge, limit, [[field, sorted(allowed)] for field, allowed in bounds]]
    key = json.dumps(asked, separators=(",", ":"))
    held = series.get(key) or Series(key, kind, meter, charge, limit, bounds)
    if over == PERIOD:
        held = held._replace(period=True)
    else:
        overs = {*held.overs, *(over * times for times in range(1, WINDOWED[name] + 1))}
        held = held._replace(overs=tuple(sorted(overs)))
    series[key] = held
    return Fact(name, meter or charge or limit, over, key)


def _value(kind: str, comparison: str, text: str) -> Value:
    if kind == "time":
        return parse_duration(text)
    if kind == "number":
        return numbers.quantity(text) * FINE
    if kind == "metadata" and comparison not in ("eq", "in"):
        return numbers.quantity(text) * FINE
    return text
