"""Which window of a limit holds an instant, and what its value is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from tests.auditor.lifecycle.calendar import period_at
from tests.auditor.lifecycle.measure import Event, Sample
from tests.auditor.lifecycle.words import Doc, duration, exact, moment
from tests.auditor.limits.world import NEVER, RATED, Run, World

Window = tuple[int, int]


@dataclass(frozen=True)
class Held:
    """A limit in force: of a subscription, or of the account where `run` is None; of one subject, or of all."""

    doc: Doc
    run: Run | None
    subject: str | None

    @property
    def name(self) -> tuple[str, str | None, str | None]:
        return self.doc["key"], self.run.key if self.run else None, self.subject

    @property
    def rolling(self) -> str | None:
        """`first_use` or `sliding`, where the window is of a length."""
        window = self.doc.get("window", "period")
        return window.get("start", "first_use") if isinstance(window, dict) else None

    @property
    def length(self) -> int:
        return duration(self.doc["window"]["length"])

    @property
    def amount(self) -> Fraction:
        return exact(self.doc["amount"])


@dataclass
class Opened:
    """The windows that first uses opened, of one limit and subject, and how many events were looked at."""

    windows: list[Window] = field(default_factory=list)
    seen: set[tuple[tuple[str, str], int]] = field(default_factory=set)

    def take(self, event: Event, length: int) -> None:
        """An event opens a window that no other holds, cut where a later one begins."""
        if (event.order, event.time) in self.seen:
            return
        self.seen.add((event.order, event.time))
        if any(begin <= event.time < end for begin, end in self.windows):
            return
        later = [begin for begin, _ in self.windows if begin > event.time]
        self.windows.append((event.time, min([event.time + length, *later])))


@dataclass
class Gauges:
    """Windows and values of limits."""

    world: World
    opened: dict[tuple[str, str | None, str | None], Opened] = field(default_factory=dict)

    def window(self, held: Held) -> Window | None:
        """The window that is now; None where there is none, and for a balance."""
        world = self.world
        if held.doc["metric"] == "balance":
            return None
        if held.rolling == "sliding":
            return world.now - held.length, world.now + 1
        if held.rolling:
            opened = self.opened.get(held.name)
            if opened is None:
                opened = self.opened[held.name] = self._before(held)
            for event in self._samples(held, -NEVER, NEVER, in_log=True):
                opened.take(event, held.length)
            return next((each for each in opened.windows if each[0] <= world.now < each[1]), None)
        kind = held.doc.get("window", "period")
        if kind == "period":
            assert held.run is not None
            nominal = held.run.period.begin, held.run.period.end
            return nominal if self.by_lines(held) else held.run.outside_of_trial(nominal)
        return period_at(kind, self.zone(held), None, world.now)

    def _before(self, held: Held) -> Opened:
        """Of a limit that begins to hold: what may still be in a window opens some, in order of time."""
        opened = Opened()
        found = self._samples(held, -NEVER, NEVER, in_log=True)
        opened.seen |= {
            (each.order, each.time) for each in found if each.time + held.length <= self.world.now
        }
        for event in sorted(found, key=lambda each: (each.time, each.order)):
            opened.take(event, held.length)
        return opened

    def zone(self, held: Held) -> str:
        """The time zone of the subscription; an account's limit has its first one's."""
        subs = [held.run.sub] if held.run else list(self.world.books.subs.values())
        return subs[0].first.zone if subs else "UTC"

    def value(self, held: Held) -> Fraction:
        """What the limit bounds, now."""
        if held.doc["metric"] == "balance":
            return self.world.balance(held.doc["unit"])
        window = self.window(held)
        if window is None:
            return Fraction(0)
        if held.rolling == "sliding":
            return self.of(held, window[0] + 1, window[1])
        return self.of(held, *window)

    def of(self, held: Held, begin: int, end: int) -> Fraction:
        """Usage or spend of `[begin, end)`."""
        if held.doc["metric"] == "usage":
            meter = self.meter(held)
            assert meter is not None
            events = self._samples(held, begin, end, in_log=False)
            return self.world.total(meter, self.world.counted(meter, begin, end, events), self.zone(held))
        if self.by_lines(held):
            assert held.run is not None
            mine = [line for line in self.world.lines if line["subscription"] == held.run.key
                    and line["kind"] in RATED and moment(line["period_start"]) == begin]  # fmt: skip
            return sum((exact(line["amount"]) for line in mine), Fraction(0))
        events = self._samples(held, begin, end, in_log=False)
        return sum((self._cost(held, event) for event in events), Fraction(0))

    @staticmethod
    def by_lines(held: Held) -> bool:
        """A spend of whole periods is what the lines of the period sum to."""
        plain = not any(held.doc.get(name) for name in ("meter", "feature", "filter"))
        return (
            held.doc.get("window", "period") == "period"
            and held.doc.get("scope", "subscription") == "subscription"
            and plain
        )

    def meter(self, held: Held) -> str | None:
        """The meter that it counts, by itself or by a feature."""
        if "feature" in held.doc:
            return str(
                next(each["meter"] for each in self.world.features if each["key"] == held.doc["feature"])
            )
        return held.doc.get("meter")

    def _samples(self, held: Held, begin: int, end: int, in_log: bool) -> list[Event]:
        """The events that it counts, of a span."""
        found = []
        for event in self.world.events():
            if not begin <= event.time < end or not self._is_ours(held, event):
                continue
            found.append(event)
        return sorted(found, key=lambda each: each.number) if in_log else found

    def _is_ours(self, held: Held, event: Event) -> bool:
        if held.subject is not None and event.subject != held.subject:
            return False
        if held.run is not None:
            if event.subscription not in (None, held.run.key) or event.time < held.run.sub.start:
                return False
        elif not any(
            event.subscription in (None, run.key) and run.piece_at(event.time)
            for run in self.world.all_runs()
        ):
            return False
        return any(self._passes(held, sample) for sample in self._read(held, event))

    def _read(self, held: Held, event: Event) -> Iterator[Sample]:
        """The event as the limit's meter reads it, or each meter that a charge is on."""
        named = self.meter(held)
        charged = {charge["meter"] for run in self._payers(held) for _, charge in self._priced(run, event)}
        for meter in [named] if named else sorted(charged):
            sample = self.world.read(meter, event)
            if sample is not None:
                yield sample

    @staticmethod
    def _passes(held: Held, sample: Sample) -> bool:
        wanted = held.doc.get("filter") or {}
        return all(sample.groups.get(name) in values for name, values in wanted.items())

    def _payers(self, held: Held) -> list[Run]:
        return [held.run] if held.run else self.world.all_runs()

    @staticmethod
    def _priced(run: Run, event: Event) -> Iterator[tuple[Run, Doc]]:
        piece = run.piece_at(event.time)
        if piece and event.subscription in (None, run.key):
            for charge in piece.plan.get("charges", ()):
                yield run, charge

    def _cost(self, held: Held, event: Event) -> Fraction:
        """What the event costs by itself: histories with such limits have `per_unit` charges alone."""
        named = self.meter(held)
        total = Fraction(0)
        for run in self._payers(held):
            for _, charge in self._priced(run, event):
                if named in (None, charge["meter"]):
                    sample = self.world.read(charge["meter"], event)
                    if sample is not None and self._passes(held, sample):
                        total += sample.value * exact(charge["price"]["unit_amount"])
        return total

    def frees(self, held: Held) -> int | None:
        """When the value is under the amount if nothing is used; None where nothing says."""
        if held.doc["metric"] == "balance":
            return None
        if held.rolling != "sliding":
            window = self.window(held)
            return window[1] if window else None
        now = self.world.now
        leaves = sorted(
            event.time + held.length for event in self._samples(held, now - held.length + 1, now + 1, False)
        )
        for at in leaves:
            if self.of(held, at - held.length + 1, now + 1) < held.amount:
                return at
        return None

    def instants(self, held: Held) -> Iterator[int]:
        """When its window ends, or an event leaves it."""
        if held.rolling == "sliding":
            for event in self._samples(held, -NEVER, NEVER, False):
                yield event.time + held.length
            return
        window = self.window(held)
        if window:
            yield window[1]
