"""Limits as policies: a bound on spend, usage or a balance, where it holds, and what it does when it is reached."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from json import dumps, loads
from typing import Any, NamedTuple

from rating import numbers
from rating.times import HOUR, parse_duration

Doc = Mapping[str, Any]
_PERCENT = 100 * 10**numbers.DISCOUNT_DIGITS
FINE: int = 10 ** (numbers.AMOUNT_DIGITS - numbers.QTY_DIGITS)
"""A quantity (10⁻¹²) in the digits in which a limit's value is compared, those of amounts."""
CALENDAR = ("day", "week", "month")
ACCESS = ("block", "suspend", "throttle")
"""Actions that access follows, of the account and, by the limit's scope, of those below it."""
FIRST_USE, SLIDING, PERIOD = "first_use", "sliding", "period"


class Mark(NamedTuple):
    """A threshold: where it is reached, in 10⁻³⁶, and how records name it."""

    bound: int
    label: str | Mapping[str, str]


class Limit(NamedTuple):
    """One limit. Amounts in 10⁻³⁶, of quantities too, durations in microseconds. `marks` stand in the order in which they are crossed; after
    the last of them one more each `every`, where that is not 0. `window` is a calendar word, `period`, `first_use` or
    `sliding`, the last two of `length`. `scope` is `subject` for one subject (`subject`), too. `doc` is the whole of it."""

    key: str
    metric: str
    amount: int
    meter: str | None
    feature: str | None
    filter: tuple[tuple[str, frozenset[str]], ...]
    unit: str | None
    window: str
    length: int
    scope: str
    subject: str | None
    marks: tuple[Mark, ...]
    every: int
    hard: bool
    action: str
    features: tuple[str, ...]
    waive: bool
    throttle: Doc | None
    plan: str | None
    restore: bool
    top_up: str | None
    cool_down: int
    doc: Doc

    @property
    def falls(self) -> bool:
        """Whether it is crossed downwards."""
        return self.metric == "balance"

    @property
    def of_period(self) -> bool:
        """Whether its value is what a subscription's charges of a period come to, as they stand in state."""
        return (
            self.metric == "spend"
            and self.window == PERIOD
            and self.scope == "subscription"
            and not (self.filter or self.meter or self.feature)
        )

    def counted(self, value: int) -> int:
        """How many thresholds a value (10⁻³⁶) has reached."""
        if self.falls:
            return sum(1 for mark in self.marks if value <= mark.bound)
        found = sum(1 for mark in self.marks if value >= mark.bound)
        if self.every and found == len(self.marks):
            found += max(value - self._last, 0) // self.every
        return found

    def label(self, number: int) -> str | Mapping[str, str]:
        """How records name the `number`-th threshold."""
        if number < len(self.marks):
            return self.marks[number].label
        bound = self._last + self.every * (number - len(self.marks) + 1)
        return {"at": numbers.amount_text(bound)}

    def acts(self, value: int) -> bool:
        """Whether `amount` is reached."""
        return value <= self.amount if self.falls else value >= self.amount

    @property
    def _last(self) -> int:
        return self.marks[-1].bound if self.marks else 0


def limit_from(doc: Doc) -> Limit:
    """The limit of a canonical document, a plan's or a `set_limit`'s. It was checked, so this raises nothing."""
    return _compiled(dumps(doc, sort_keys=True))


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Limit:
    doc = loads(text)
    amount = numbers.quantity(doc["amount"]) * FINE
    falls = doc["metric"] == "balance"
    window = doc.get("window", PERIOD)
    rolling = None if isinstance(window, str) else window
    scope = doc.get("scope", "subscription")
    one = None if isinstance(scope, str) else scope["subject"]
    every = [
        each["every"] for each in doc.get("thresholds", ()) if isinstance(each, dict) and "every" in each
    ]
    hard = doc.get("hard", False)
    return Limit(
        key=doc["key"], metric=doc["metric"], amount=amount, meter=doc.get("meter"), feature=doc.get("feature"),
        filter=tuple((name, frozenset(allowed)) for name, allowed in sorted(doc.get("filter", {}).items())),
        unit=doc.get("unit"),
        window=window if rolling is None else rolling.get("start", FIRST_USE),
        length=0 if rolling is None else parse_duration(rolling["length"]),
        scope=scope if one is None else "subject", subject=one,
        marks=_marks(doc.get("thresholds") or ["100"], amount, falls),
        every=numbers.quantity(every[0]) * FINE if every and not falls else 0,
        hard=hard, action=doc.get("action") or ("block" if hard else "notify"),
        features=tuple(doc.get("features", ())), waive=doc.get("overshoot") == "waive", throttle=doc.get("throttle"),
        plan=doc.get("plan"), restore=doc.get("restore", True), top_up=doc.get("top_up"),
        cool_down=parse_duration(doc["cool_down"]) if doc.get("cool_down") else HOUR, doc=doc,
    )  # fmt: skip


def _marks(thresholds: list[Any], amount: int, falls: bool) -> tuple[Mark, ...]:
    found = []
    for each in thresholds:
        if isinstance(each, dict):
            if "at" in each:
                found.append(Mark(numbers.quantity(each["at"]) * FINE, {"at": each["at"]}))
            continue
        share = amount * numbers.scaled(each, numbers.DISCOUNT_DIGITS)
        found.append(Mark(share // _PERCENT, each))
    return tuple(sorted(found, key=lambda mark: -mark.bound if falls else mark.bound))
