"""The records of signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rating.catalog.rules import TIMES, Fact, Value
from rating.ids import signal_id
from rating.numbers import amount_text, text
from rating.step import Step
from rating.times import DAY, HOUR, MINUTE, SECOND

SIGNALS = "billing.signals.v1"
ON, OFF = "on", "off"
_SECOND_DIGITS = 6


def write(
    step: Step, rule: str | None, kind: str, state: str, facts: Mapping[str, Any], data: Mapping[str, Any]
) -> None:
    """One record; `rule` is absent where a trial names none."""
    place = ("account", step.tenant, step.account)
    number = (step.cells.get(place, "signals") or 0) + 1
    step.cells.put(place, "signals", number)
    step.emit(SIGNALS, {
        "id": signal_id(step.tenant, step.account, number), "tenant": step.tenant, "account": step.account,
        "rule": rule, "kind": kind, "state": state, "facts": facts, "data": data, "time": step.time_text,
    })  # fmt: skip


def shown(fact: Fact, value: Value | None) -> str | None:
    """A value as signals show it: numbers as decimals, times as durations."""
    if value is None or isinstance(value, str):
        return value
    return _duration(value) if fact.name in TIMES else amount_text(value)


def _duration(length: int) -> str:
    """In the largest unit that it is a whole number of; what is finer than a second in seconds with decimals."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        if length % unit == 0 and (length or name == "s"):
            return f"{length // unit}{name}"
    return f"{text(length, _SECOND_DIGITS)}s"
