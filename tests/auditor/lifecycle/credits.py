"""Credits, checked by playing them again: each charge line in the order of the log, by the rules of section 4.

What a line costs is audited elsewhere and taken as it is here. So every ledger entry and every `credits_applied` can be
said before it is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from tests.auditor.lifecycle.compare import CHARGES, Record
from tests.auditor.lifecycle.purse import NEVER, Entry, Grant, Purse
from tests.auditor.lifecycle.words import Doc, duration, field, moment

LEDGER = "billing.ledger.v1"


def misspent(catalog: Doc, inputs: list[Doc], records: list[Record], until: int) -> list[str]:
    """Every line whose credits, and every grant whose entries, are not what the rules make of them.

    What is due without usage counts as of the period's last moment, as a minimum does, or of its first, as a fee does:
    nothing says which, but it is the same one throughout.
    """
    told = list(_misspent(catalog, inputs, records, until, "last"))
    return told and list(_misspent(catalog, inputs, records, until, "first"))


def _misspent(
    catalog: Doc, inputs: list[Doc], records: list[Record], until: int, unused: str
) -> Iterator[str]:
    grace = max((duration(plan.get("grace", "1h")) for plan in catalog["plans"]), default=0)
    replay = _Replay(inputs, grace, unused)
    replay.plain = not any("trial" in plan or plan.get("version", 1) > 1 for plan in catalog["plans"])
    replay.levels = {
        meter["key"] for meter in catalog["meters"] if meter["aggregation"] == "time_weighted_sum"
    }
    by_cause: dict[int, list[Doc]] = defaultdict(list)
    for each in records:
        if each.topic == CHARGES:
            by_cause[each.cause].append(each.value)
    clock = -NEVER
    for number, line in enumerate(inputs):
        ((kind, doc),) = line.items()
        clock = max(clock, moment(doc["time"]))
        yield from replay.lines([each for each in by_cause[number] if _timed(each, doc, clock)], number)
        if kind == "command":
            replay.command(doc, clock)
        yield from replay.lines([each for each in by_cause[number] if not _timed(each, doc, clock)], number)
    yield from replay.lines(by_cause[len(inputs)], len(inputs))
    yield from _entries(replay, records, until)


def _timed(line: Doc, doc: Doc, clock: int) -> bool:
    """A line of the clock alone, booked before the input itself; a grant brings adjustments and no other line."""
    granted = doc["type"] in ("grant_credits", "void_grant") and line["kind"] != "adjustment"
    return granted or moment(line["time"]) < clock or _of_the_close(line)


class _Replay:
    """The purses of all accounts."""

    def __init__(self, inputs: list[Doc], grace: int, unused: str) -> None:
        self.inputs, self.grace, self.unused = inputs, grace, unused
        self.purses: dict[str, Purse] = defaultdict(Purse)
        self.ids: set[str] = set()
        self.lost: set[str] = set()
        """Accounts with lines of which it is not said as of which time they count, nor then what follows."""
        self.plain = True
        self.levels: set[str] = set()
        self.changed = {line["command"]["account"] for line in inputs
                        if "command" in line and line["command"]["type"] == "change_plan"}  # fmt: skip
        commands = [doc for line in inputs for doc in line.values() if doc["type"] == "subscribe"]
        names = [(doc["account"], doc["subscription"], moment(doc["start"])) for doc in reversed(commands)]
        self.starts = {(account, key): start for account, key, start in names}

    def command(self, doc: Doc, clock: int) -> None:
        """Take a command about grants."""
        if doc["id"] in self.ids:
            return
        self.ids.add(doc["id"])
        purse = self.purses[doc["account"]]
        purse.expire(clock, self.grace, inclusive=True)
        if doc["type"] == "void_grant":
            purse.void(doc["grant"], Fraction(doc["amount"]) if "amount" in doc else None)
        if doc["type"] == "grant_credits" and doc["grant"] not in purse.grants:
            applies = doc.get("applies_to", {})
            grant = Grant(
                key=doc["grant"],
                unit=doc["unit"],
                balance=Fraction(0),
                priority=int(doc.get("priority", 50)),
                begin=moment(str(doc.get("effective_from", doc["time"]))),
                end=moment(doc["expires_at"]) if doc.get("expires_at") else NEVER,
                created=moment(doc["time"]),
                charges=applies.get("charges", []),
                meters=applies.get("meters", []),
            )
            grant.book("grant", field(doc, "amount"))
            purse.grants[grant.key] = grant

    def lines(self, lines: list[Doc], cause: int) -> Iterator[str]:
        """Play charge lines that one input brought."""
        for line in lines:
            if line["kind"] == "close":
                continue
            purse = self.purses[line["account"]]
            purse.expire(
                moment(line["time"]), self.grace, inclusive=line["kind"] != "fee" and not _of_the_close(line)
            )
            at = self._as_of(line, cause)
            if line["kind"] in ("usage", "correction") and not _unused(line):
                begin, end = moment(line["window_start"]), moment(line["window_end"])
                self.lost |= set() if begin <= at < end else {line["account"]}
            if self._of_a_change(line, cause):
                self.lost.add(line["account"])
            want = purse.applied(line, at)
            if _unused(line) and not (self.plain and line["account"] not in self.changed):
                self.lost.add(line["account"])
            if line["account"] in self.lost:
                continue
            if Fraction(line["credits_applied"]) != want:
                yield f"{line['id']} {line['charge']} {line['kind']} of {line['amount']} at {line['time']}: credits " \
                    f"applied {line['credits_applied']}, want {float(want):.9g}"  # fmt: skip

    def _of_a_change(self, line: Doc, cause: int) -> bool:
        """What usage that a command moved makes another segment cost, or a level: as of which time is not said."""
        moved = cause < len(self.inputs) and "command" in self.inputs[cause]
        return (
            moved
            and line["kind"] == "usage"
            and line["amount"] != "0"
            and (line["quantity"] == "0" or line["meter"] in self.levels)
        )

    def _as_of(self, line: Doc, cause: int) -> int:
        """The time that a grant must cover: the event's; a fee's begin; the period's last microsecond without either."""
        if line["kind"] == "minimum" or _unused(line):
            first = _unused(line) and self.unused == "first"
            start = self.starts[line["account"], line["subscription"]]
            return max(moment(line["window_start"]), start) if first else moment(line["period_end"]) - 1
        doc = next(iter(self.inputs[cause].values())) if cause < len(self.inputs) else {}
        if line["kind"] in ("usage", "correction") and "specversion" in doc:
            return moment(doc["time"])
        if line["kind"] == "correction" and "was" in doc:
            told: Doc = doc.get("now") or doc["was"]
            return moment(str(told["time"]))
        return moment(line["window_start"])


def _of_the_close(line: Doc) -> bool:
    """Booked at the close, before what expires at that instant."""
    return line["kind"] == "minimum" or _unused(line)


def _unused(line: Doc) -> bool:
    """What is due without usage, or of a level that was carried."""
    whole = (line["window_start"], line["window_end"]) == (line["period_start"], line["period_end"])
    unused = (
        line["kind"] == "usage" and line["quantity"] == "0" and whole and line["time"] > line["period_end"]
    )
    return unused and not line["late"]


def _entries(replay: _Replay, records: list[Record], until: int) -> Iterator[str]:
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for each in records:
        if each.topic == LEDGER:
            value = each.value
            entry = (value["entry"], Fraction(value["amount"]), Fraction(value["balance"]))
            found[value["account"], value["grant"]].append(entry)
    for account, purse in replay.purses.items():
        if account in replay.lost:
            continue
        purse.expire(until, replay.grace, inclusive=True)
        for key, grant in purse.grants.items():
            if found.get((account, key), []) != grant.entries:
                yield f"grant {key} of {account}: {_told(found.get((account, key), []))}, want {_told(grant.entries)}"
    for (account, key), entries in found.items():
        if sum((amount for _, amount, _ in entries), Fraction(0)) != entries[-1][2]:
            yield f"grant {key} of {account}: its amounts do not sum to its balance"


def _told(entries: list[Entry]) -> str:
    return ", ".join(f"{kind} {float(amount):.9g}" for kind, amount, _ in entries)
