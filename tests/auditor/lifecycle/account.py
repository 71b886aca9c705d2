"""Whole accounts: takes the inputs in the order of the log, then prices every period of every subscription."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tests.auditor.lifecycle.answer import Answer, Due
from tests.auditor.lifecycle.charges import Reckoning, chains, reckon
from tests.auditor.lifecycle.fees import fees
from tests.auditor.lifecycle.inbox import Inbox
from tests.auditor.lifecycle.measure import Event, samples
from tests.auditor.lifecycle.offers import SELECTORS, Catalog
from tests.auditor.lifecycle.recurring import issued
from tests.auditor.lifecycle.timeline import Period, Subscription, Terms, periods
from tests.auditor.lifecycle.words import Doc, duration, moment

CHANGES = ("change_plan", "cancel", "pause", "resume", "set_quantity")
CORRECTIONS = ("retract_usage", "amend_usage")


def audit(catalog: Doc, inputs: Iterable[Doc], until: int) -> Answer:
    """What `simulate` must come to, for `{"event": …}` and `{"command": …}` in the order of the file."""
    books = Books()
    books.catalog.publish(catalog, -(2**62))
    for line in inputs:
        ((kind, doc),) = line.items()
        books.clock = max(books.clock, moment(doc["time"]) if "time" in doc else books.clock)
        if kind == "event":
            books.inbox.event(doc, books.clock)
        else:
            books.command(doc)
    return books.closed(until)


@dataclass
class Books:
    """All that is known so far."""

    catalog: Catalog = field(default_factory=Catalog)
    answer: Answer = field(default_factory=Answer)
    clock: int = -(2**62)
    subs: dict[tuple[str, str], Subscription] = field(default_factory=dict)
    ids: set[tuple[str, str]] = field(default_factory=set)
    trials: set[tuple[str, str]] = field(default_factory=set)
    told: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.catalog, self.answer)

    def command(self, doc: Doc) -> None:
        """Take a command; the same id is applied once."""
        name = (doc.get("tenant", "default"), doc["id"])
        if name in self.ids:
            return
        self.ids.add(name)
        kind = doc["type"]
        sound = True
        if kind == "subscribe":
            sound = self._subscribe(doc)
        elif kind in CHANGES:
            sound = self._change(doc)
        elif kind in CORRECTIONS:
            self.inbox.correct(doc, self.clock)
        elif kind == "register_subject":
            self.inbox.subjects[doc["subject"]] = doc["account"]
        elif kind == "apply_catalog":
            self.catalog.publish(doc["catalog"], self.clock)
        elif kind == "void_grant":
            self.answer.open_to_question.add(doc["id"])
        if not sound:
            self.inbox.refuse(doc["id"], "bad_command")

    def _subscribe(self, doc: Doc) -> bool:
        name = (doc["account"], doc["subscription"])
        start = moment(doc["start"])
        version = doc.get("plan_version") or self.catalog.newest(doc["plan"], start)
        if name in self.subs or version is None or (doc["plan"], version) not in self.catalog.plans:
            return False
        plan = self.catalog.plans[doc["plan"], version]
        trial = plan.get("trial") if doc.get("trial", True) else None
        if trial and (doc["account"], doc["plan"]) in self.trials:
            trial = None
        end = start + duration(trial["duration"]) if trial else start
        anchor = {None: None, "start": start, "trial_end": end}.get(doc.get("anchor"), -1)
        first = Terms(
            plan=doc["plan"],
            version=version,
            selectors={key: doc[key] for key in SELECTORS if doc.get(key)},
            own=doc.get("overrides", {}),
            anchor=moment(doc["anchor"]) if anchor == -1 else anchor,
            zone=doc.get("timezone", "UTC"),
            quantities=doc.get("quantities", {}),
        )
        self.subs[name] = Subscription(*name, start, first)
        if trial:
            self._try(self.subs[name], doc, trial, end, version)
        for subject in doc.get("subjects", ()):
            self.inbox.subjects[subject] = doc["account"]
        return True

    def _try(self, sub: Subscription, doc: Doc, trial: Doc, end: int, version: int) -> None:
        self.trials.add((doc["account"], doc["plan"]))
        tried = self.catalog.newest(trial["plan"], sub.start)
        assert tried is not None
        sub.first = replace(sub.first, plan=trial["plan"], version=tried, trial=True)
        then = trial.get("then")
        if then == "cancel":
            sub.add(end, {"type": "cancel"})
        elif then is None:
            sub.add(end, {"type": "trial_end", "plan": doc["plan"], "plan_version": version})
        else:
            sub.add(end, {"type": "trial_end", "plan": then})

    def _change(self, doc: Doc) -> bool:
        sub = self.subs.get((doc["account"], doc["subscription"]))
        if sub is None:
            return False
        sub.settle(self.clock)
        lived = periods(sub, self.catalog, self.clock)
        if not lived:
            self.answer.open_to_question.add(doc["id"])
        if not lived or not lived[-1].open:
            return False
        at = moment(doc["time"])
        wanted = doc.get("plan")
        if wanted and self.catalog.newest(wanted, self.clock) is None:
            return False
        waits = doc.get("at", "now") == "period_end"
        if not waits and at < max(lived[-1].begin, sub.start):
            return False
        if doc["type"] == "resume" and not sub.waiting and not lived[-1].pieces[-1].terms.paused:
            self.answer.open_to_question.add(doc["id"])
        if doc["type"] == "resume" or waits:
            sub.waiting = None
        if waits:
            sub.waiting = (lived[-1].end, doc)
        else:
            sub.add(at, doc)
            if doc["type"] == "cancel":
                self.told[doc["account"]] = self.clock
        return True

    def closed(self, until: int) -> Answer:
        """The answer when the clock has come to `until`."""
        runs: dict[str, dict[str, tuple[int, int]]] = {account: {} for account, _, _ in self.inbox.accepted}
        for (account, key), sub in self.subs.items():
            sub.settle(until)
            lived = periods(sub, self.catalog, until)
            events = [each for each in self.inbox.of(account) if each.subscription in (None, key)]
            for period in lived:
                self._price(sub, period, events, until)
            for fee, begin, due in fees(lived, until):
                self.answer.fees[account, key, fee, begin] = due
            for grant, amount in issued(lived, until).items():
                self.answer.issued[account, key, grant] = amount
            if lived and not lived[-1].open:
                self.answer.ends[account, key] = lived[-1].stop
            stop = lived[-1].stop if lived and not lived[-1].open else 2**62
            runs.setdefault(account, {})[key] = (sub.start, stop if lived or sub.start > until else sub.start)
        for account, ran in runs.items():
            self.inbox.unrated(account, ran, self.told.get(account, -(2**62)), until)
        return self.answer

    def _price(self, sub: Subscription, period: Period, events: list[Event], until: int) -> None:
        begin = max(period.begin, sub.start)
        closed = not period.open and period.closes <= until
        for chain in chains(period):
            meter = self.catalog.meters[chain[0].charge["meter"]]
            found = [each for each in samples(meter, events) if sub.start <= each.time < period.stop]
            if meter["aggregation"] != "time_weighted_sum":
                found = [each for each in found if each.time >= begin]
            nominal = (period.begin, period.end)
            name = (sub.account, sub.key, chain[0].charge["key"], period.begin)
            due = self.answer.charges.setdefault(name, Due(closed=closed, end=period.stop))
            reckon(due, Reckoning(chain, meter, found, sub.first.zone, nominal), not period.held)
