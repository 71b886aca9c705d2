"""Limits of a whole tenant as contract-limits.md has them: what must stand breached after each step, from the charge lines
for spend, from the events that count for usage. Windows are days, weeks or months in UTC, or slide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from tests.auditor.lifecycle.calendar import period_at
from tests.auditor.lifecycle.words import Doc, duration, exact, moment, shown
from tests.auditor.limits.replay import THRESHOLDS, Replay
from tests.auditor.limits.windows import Held
from tests.auditor.limits.world import NEVER, RATED, Shown, Step


class TenantReplay:
    """One history beside what was written for one limit."""

    def __init__(self, catalog: Doc, limit: Doc) -> None:
        self.limit = limit
        self.held = Held(limit, None, None)
        self.replay = Replay(catalog)
        self.world = self.replay.world
        self.crossed: list[Doc] = []
        self.problems: list[str] = []

    def play(self, steps: Iterable[Step]) -> list[str]:
        """Where the records are not what they must be."""
        for step in steps:
            self.world.now = step.at
            self._came(step.ticked, step.at)
            if step.line is not None:
                ((kind, doc),) = step.line.items()
                self.world.take(doc, kind)
                self._came(step.own, step.at)
            self._compare()
        return self.problems

    def _came(self, found: list[Shown], at: int) -> None:
        self.world.came(found)
        for each in found:
            if each.topic == THRESHOLDS and each.value["limit"] == self.limit["key"]:
                self.crossed.append(each.value)
                self._check(each.value, at)

    def _check(self, record: Doc, at: int) -> None:
        """What a record says by itself: where it is breached, and when its window ends."""
        value, bound = exact(record["value"]), self._bound(record["threshold"])
        over = not self._slides and moment(record["window_end"]) <= moment(record["time"])
        right = (
            moment(record["time"]) == moment(record["window_end"])
            if over
            else (value >= bound) == (record["state"] == "breached")
        )
        if not right or moment(record["time"]) > at or (over and record["state"] == "breached"):
            self.problems.append(f"{shown(at)}: {record} cannot be")

    @property
    def _slides(self) -> bool:
        return isinstance(self.limit["window"], dict)

    def _bound(self, threshold: object) -> Fraction:
        if isinstance(threshold, dict):
            return exact(threshold["at"])
        return exact(self.limit["amount"]) * Fraction(str(threshold)) / 100

    def _windows(self) -> list[tuple[int, int]]:
        """The windows that are not over and may hold something."""
        if self._slides:
            return [(self.world.now - duration(self.limit["window"]["length"]) + 1, NEVER)]
        first = period_at(self.limit["window"], "UTC", None, self.world.now)
        after = period_at(self.limit["window"], "UTC", None, first[1])
        return [first, after]

    def _value(self, begin: int, end: int) -> Fraction:
        if self.limit["metric"] == "usage":
            return self.replay.watch.gauges.of(self.held, begin, end)
        mine = [
            line
            for line in self.world.lines
            if line["kind"] in RATED and begin <= moment(line["window_start"]) < end
        ]
        return sum((exact(line["amount"]) for line in mine), Fraction(0))

    def _compare(self) -> None:
        """What stands breached now, by window."""
        wanted: dict[int, set[str]] = {}
        for begin, end in self._windows():
            value = self._value(begin, end)
            if labels := {label for label, bound in self._thresholds(value) if value >= bound}:
                wanted[0 if self._slides else begin] = labels
        found: dict[int, set[str]] = defaultdict(set)
        for record in self.crossed:
            name = 0 if self._slides else moment(record["window_start"])
            threshold, label = record["threshold"], str(record["threshold"])
            label = f"at {exact(threshold['at'])}" if isinstance(threshold, dict) else str(Fraction(label))
            if (label in found[name]) == (record["state"] == "breached"):
                self.problems.append(f"{shown(self.world.now)}: {label} of {name} is {record['state']} twice")
            (found[name].add if record["state"] == "breached" else found[name].discard)(label)
        stands = {name: labels for name, labels in found.items() if labels}
        if stands != wanted and not self.problems:
            self.problems.append(f"{shown(self.world.now)}: {stands} stand, want {wanted}")

    def _thresholds(self, value: Fraction) -> list[tuple[str, Fraction]]:
        found, every = list[tuple[str, Fraction]](), None
        for each in self.limit["thresholds"]:
            if isinstance(each, dict) and "every" in each:
                every = exact(each["every"])
            else:
                label = f"at {exact(each['at'])}" if isinstance(each, dict) else str(Fraction(str(each)))
                found.append((label, self._bound(each)))
        last = max(bound for _, bound in found)
        while every is not None and last + every <= value:
            last += every
            found.append((f"at {last}", last))
        return found
