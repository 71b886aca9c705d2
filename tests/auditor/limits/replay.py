"""Plays a history again beside what the engine wrote, and says where the two differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction

from tests.auditor.lifecycle.account import Books
from tests.auditor.lifecycle.words import Doc, exact, moment, shown
from tests.auditor.limits.access import Access, Doors, unlike
from tests.auditor.limits.crossings import Crossing, Watch
from tests.auditor.limits.windows import Gauges
from tests.auditor.limits.world import LEDGER, RATED, Shown, Step, World

THRESHOLDS, ENTITLEMENTS, REJECTED = "billing.thresholds.v1", "billing.entitlements.v1", "usage.rejected.v1"


class Replay:
    """One account's history."""

    def __init__(self, catalog: Doc, account: str = "ann") -> None:
        books = Books()
        books.catalog.publish(catalog, -(2**62))
        self.catalog = catalog
        self.world = World(account, books, catalog.get("features", []))
        self.watch = Watch(self.world, Gauges(self.world))
        self.doors = Doors(self.world, self.watch)
        self.records: list[Doc] = []
        self.entitled: dict[str, Doc | None] = {}
        self.ledger: list[Doc] = []
        self.problems: list[str] = []

    def play(self, steps: Iterable[Step]) -> list[str]:
        """Every difference, the first of access alone: what follows is mostly the same."""
        for step in steps:
            self._advance(step)
            if step.line is not None:
                ((kind, doc),) = step.line.items()
                self.world.take(doc, kind)
                self._came(step.own)
                if kind == "command":
                    self.watch.command(doc)
                self.watch.look()
                self._compare(f"after {doc['id']}")
        self.problems += differing(self.watch.crossings, self.records)
        self.problems += self._money()
        return self.problems

    def _advance(self, step: Step) -> None:
        """Look at each instant up to the step's at which something may happen."""
        # What is rejected has the time of its event, all else that at which it is booked.
        left = [each for each in step.ticked if each.topic != REJECTED]
        while self.world.now < step.at:
            coming = [*self.world.instants(), *self.watch.instants(), *(at for at, _ in _timed(left))]
            later = [at for at in coming if self.world.now < at <= step.at]
            self.world.now = min(later, default=step.at)
            came = max((number for at, number in _timed(left) if at <= self.world.now), default=0)
            self._came(left[:came])
            del left[:came]
            self.watch.look()
            self.doors.look()
            # What is gone has no time: it has come once nothing holds its subject, or what follows it has.
            while left and left[0].value is None and not self._holds(left[0]):
                self._came([left.pop(0)])
            self._compare(f"at {shown(self.world.now)}")
        self._came(left)

    def _holds(self, gone: Shown) -> bool:
        """Whether a limit holds the subject whose record is gone."""
        _, _, key, subject = (gone.key or "").split("/", 3)
        return any(each["key"] == key and self.doors.holds(each, subject) for each in self.world.features)

    def _came(self, found: Iterable[Shown]) -> None:
        for each in found:
            self.world.came([each])
            if each.topic == THRESHOLDS:
                self.records.append(each.value)
            elif each.topic == LEDGER:
                self.ledger.append(each.value)
            elif each.topic == ENTITLEMENTS:
                self.entitled[each.key or ""] = each.value

    def _compare(self, when: str) -> None:
        if any("feature" in each for each in self.problems):
            return
        self.doors.look()
        for feature in self.world.features:
            self.problems += [f"{when}: feature {each}" for each in self._feature(feature)]

    def _feature(self, feature: Doc) -> Iterator[str]:
        key = feature["key"]
        value = self.entitled.get(f"acme/{self.world.account}/{key}")
        wanted = self.doors.of(feature)
        if wanted is not None:
            yield from _unlike(key, wanted, value)
        elif value is not None and value["access"]:
            yield f"{key} has access that no plan gives"
        for subject in sorted({each.subject for each in self.world.events()}):
            value = self.entitled.get(f"acme/{self.world.account}/{key}/{subject}")
            if not self.doors.holds(feature, subject):
                if value is not None:
                    yield f"{key} of {subject} has a record that no limit holds"
            else:
                yield from _unlike(f"{key} of {subject}", self.doors.of(feature, subject) or [], value)

    def _money(self) -> Iterator[str]:
        yield from _waived(self.world)
        yield from _ledger(self)


def _unlike(key: str, wanted: list[Access], value: Doc | None) -> Iterator[str]:
    if value is None:
        yield f"{key} has no record"
        return
    told = [unlike(each, value) for each in wanted]
    if all(told):
        yield f"{key}: {'; '.join(told[0])}"


def _timed(left: list[Shown]) -> list[tuple[int, int]]:
    """The time of each record that has one, and how many there are up to it."""
    return [
        (moment(each.value["time"]), number) for number, each in enumerate(left, 1) if each.value is not None
    ]


def differing(wanted: list[Crossing], records: list[Doc]) -> list[str]:
    """Threshold records that are missing, too many, or say something else; both in their order."""
    mine: dict[object, list[Crossing]] = defaultdict(list)
    theirs: dict[object, list[Doc]] = defaultdict(list)
    for each in wanted:
        mine[each.name, each.threshold].append(each)
    for record in records:
        scope = record["scope"]
        subject = scope["subject"] if isinstance(scope, dict) else None
        told = record["threshold"]
        threshold = f"at {Fraction(told['at'])}" if isinstance(told, dict) else str(Fraction(told))
        theirs[(record["limit"], record["subscription"], subject), threshold].append(record)
    found = []
    for key in mine.keys() | theirs.keys():
        want, got = mine.get(key, []), theirs.get(key, [])
        for one, other in zip(want, got, strict=False):
            problem = _differs(one, other)
            if problem:
                found.append(f"threshold {key}: {problem}")
                break
        else:
            if len(want) != len(got):
                more = [f"{each.state} at {shown(each.at)} value {each.value}" for each in want[len(got) :]]
                less = [
                    f"{each['state']} at {each['time']} value {each['value']}" for each in got[len(want) :]
                ]
                found.append(f"threshold {key}: missing {more}, too many {less}")
    return found


def _differs(one: Crossing, other: Doc) -> str:
    value, amount = exact(other["value"]), exact(other["amount"])
    if (one.state, one.at) != (other["state"], moment(other["time"])):
        return f"{other['state']} at {other['time']} value {other['value']}, want {one.state} at {shown(one.at)} value {one.value}"
    if one.value is not None and value != one.value:
        return f"{other['state']} at {other['time']}: value {value}, want {one.value}"
    if amount != one.amount:
        return f"amount {amount}, want {one.amount}"
    if one.window is None:
        return ""
    got, want = [moment(other["window_start"]), moment(other["window_end"])], list(one.window)
    if got != want and not (one.over and got[0] == want[0]):
        return f"{other['state']} at {other['time']}: window {[*map(shown, got)]}, want {[*map(shown, want)]}"
    return ""


def _waived(world: World) -> Iterator[str]:
    """What is over a waived limit's amount comes back, to the last digit, and no more than is due."""
    by: dict[tuple[str, int], list[Doc]] = defaultdict(list)
    for line in world.lines:
        by[line["subscription"], moment(line["period_start"])].append(line)
    for run in world.all_runs():
        for period in run.lived:
            limits = [
                each for each in period.pieces[-1].plan.get("limits", ()) if each.get("overshoot") == "waive"
            ]
            for limit in limits:
                yield from _kept(limit, by[run.key, period.begin], shown(period.begin))


def _kept(limit: Doc, lines: list[Doc], period: str) -> Iterator[str]:
    amount = exact(limit["amount"])
    spent = sum((exact(line["amount"]) for line in lines if line["kind"] in RATED), Fraction(0))
    back = sum((exact(line["amount"]) for line in lines if line["charge"] == limit["key"]), Fraction(0))
    if back != -max(spent - amount, Fraction(0)):
        yield f"waived {float(back):.9g} of {float(spent):.9g} of {period}, amount {amount}"
    due = sum((exact(line["amount_due"]) for line in lines if line["kind"] != "fee"), Fraction(0))
    # A price by volume may be less than nothing after a change of plan: then there is nothing to waive.
    if not min(spent, Fraction(0)) <= due <= amount:
        yield f"{float(due):.9g} due of {period}, amount {amount}"


def _ledger(replay: Replay) -> Iterator[str]:
    """A grant's entries sum to its balance at each, none is below nothing, and a line's credits are its burns."""
    running: dict[str, Fraction] = defaultdict(Fraction)
    rates: dict[str, Fraction] = {"USD": Fraction(1)}
    for plan in replay.catalog["plans"]:
        rates |= {unit: Fraction(rate) for unit, rate in plan.get("conversion_rates", {}).items()}
    paid: dict[str, Fraction] = defaultdict(Fraction)
    for entry in replay.ledger:
        running[entry["grant"]] += exact(entry["amount"])
        if running[entry["grant"]] != exact(entry["balance"]) or running[entry["grant"]] < 0:
            yield f"grant {entry['grant']}: {entry['entry']} leaves {entry['balance']}, want {running[entry['grant']]}"
        if entry["entry"] in ("burn", "refund"):
            paid[entry["charge"]] -= exact(entry["amount"]) * rates[entry["unit"]]
    for line in replay.world.lines:
        if exact(line["credits_applied"]) != paid.pop(line["id"], Fraction(0)):
            yield f"line {line['id']}: credits applied {line['credits_applied']}, not what its burns come to"
    for name in paid:
        yield f"burns name {name}, which is no line"
