"""Which events count: ids once, corrections, what is too old or cannot be read; in the order of the log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tests.auditor.lifecycle.answer import Answer
from tests.auditor.lifecycle.measure import BadValueError, Event, read
from tests.auditor.lifecycle.offers import Catalog
from tests.auditor.lifecycle.words import ACCEPT_PAST, Doc, moment

Id = tuple[str, str, str]
"""Account, source, id."""


@dataclass
class Inbox:
    """The events of all accounts. `accepted` is each as it first came, `counting` as corrections left it."""

    catalog: Catalog
    answer: Answer
    accepted: dict[Id, Doc] = field(default_factory=dict)
    counting: dict[Id, Event | None] = field(default_factory=dict)
    received: dict[Id, int] = field(default_factory=dict)
    corrected: dict[Id, list[str]] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)

    def event(self, doc: Doc, clock: int) -> None:
        """Take an event that comes when the log's clock is at `clock`."""
        event = self._event(doc, clock)
        name = (event.account, *event.order)
        if event.time < clock - ACCEPT_PAST:
            if name in self.accepted or not self._readable(event):
                self.answer.open_to_question.add(doc["id"])
            return self.refuse(doc["id"], "too_old")
        if name in self.accepted:
            forgotten = self.received[name] < clock - ACCEPT_PAST
            if forgotten or self.corrected.get(name) or not self._readable(event):
                self.answer.open_to_question.add(doc["id"])
            if not _same(self.accepted[name], doc):
                self.refuse(doc["id"], "id_conflict")
            return None
        if not self._readable(event):
            return self.refuse(doc["id"], "bad_value")
        self.accepted[name], self.counting[name], self.received[name] = doc, event, clock
        return None

    def correct(self, command: Doc, clock: int) -> None:
        """`retract_usage`, `amend_usage`; the same correction again changes nothing."""
        name = (command["account"], command["source"], command["event_id"])
        was, now = self.accepted.get(name), command.get("now")
        said = repr(_canonical(now))
        oldest = min(moment(each["time"]) for each in (command["was"], now) if each)
        if was is None or not _same(was, command["was"]) or oldest < clock - ACCEPT_PAST:
            return self.refuse(command["id"], "bad_command")
        if said in self.corrected.setdefault(name, []):
            self.answer.open_to_question.add(command["id"])
            return None
        self.corrected[name].append(said)
        if now is None:
            self.counting[name] = None
        else:
            assert self.counting[name] is not None
            self.counting[name] = replace(self._event(now, clock), account=name[0])
        return None

    def refuse(self, name: str, code: str) -> None:
        """Note a refused input."""
        self.answer.refused.append((name, code))

    def unrated(self, account: str, runs: dict[str, tuple[int, int]], told: int, until: int) -> None:
        """Refuse what was kept too long: no subscription ran at its time, and not because all began later.

        Open to question is what was rated once, since it came before the command at `told` that ended the subscription;
        what was corrected; what names a subscription; and what is before every start, which is metered or kept.
        """
        for event in self.of(account):
            spans = [span for key, span in runs.items() if event.subscription in (None, key)]
            kept = not any(begin <= event.time < end for begin, end in spans)
            early = bool(spans) and all(event.time < begin for begin, _ in spans)
            name = (account, *event.order)
            if early or event.subscription or self.received[name] <= told or self.corrected.get(name):
                self.answer.open_to_question.add(event.order[1])
            if kept and not early and self.received[name] + ACCEPT_PAST < until:
                self.refuse(event.order[1], "unrated")

    def of(self, account: str) -> list[Event]:
        """The events of an account that count."""
        return [event for event in self.counting.values() if event is not None and event.account == account]

    def _event(self, doc: Doc, clock: int) -> Event:
        account = str(doc.get("account") or self.subjects.get(doc["subject"], doc["subject"]))
        time = moment(doc["time"]) if "time" in doc else clock
        order = (doc["source"], doc["id"])
        data = doc.get("data", {})
        sub, number = doc.get("subscription"), len(self.accepted)
        return Event(account, sub, order, doc["type"], time, data, number, doc["subject"])

    def _readable(self, event: Event) -> bool:
        try:
            for meter in self.catalog.meters.values():
                read(meter, event)
        except BadValueError:
            return False
        return True


def _same(one: Doc, other: Doc) -> bool:
    for name in ("type", "subject", "data"):
        if _canonical(one.get(name)) != _canonical(other.get(name)):
            return False
    return "time" not in one or "time" not in other or moment(one["time"]) == moment(other["time"])


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((name, _canonical(value[name])) for name in sorted(value))
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return "number", Decimal(str(value)).normalize()
    return value
