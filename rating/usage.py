"""Usage of one account in one step: rated, kept waiting, or sent on to the account that its name belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rating import outcomes, rate, waiting
from rating.bunch import Bunch, bunches_of
from rating.catalog import Catalog
from rating.cells import Cells
from rating.effects import Effect
from rating.packs import Readings, bunches, event_of, readings_of
from rating.records import Pack
from rating.state import Subscription, Waiting
from rating.step import Step


class PackUsage:
    """A pack's counted events, by account. `has_outcomes` where some event of the pack is an outcome, or waits for one."""

    def __init__(self, pack: Pack, counted: list[int], catalog: Catalog) -> None:
        self.pack = pack
        self.has_outcomes = bool(catalog.outcome_meters) and (
            any(kind in catalog.outcome_types for kind in pack.types)
            or any(column.meter in catalog.outcome_meters for column in pack.readings)
        )
        self._bunches = bunches(pack, counted)
        self._readings: Readings | None = None
        self.events: dict[int, list[int]] = {}
        for index in counted:
            self.events.setdefault(pack.account[index], []).append(index)

    def whole(self, index: int) -> Waiting:
        """One event, whole."""
        if self._readings is None:
            self._readings = readings_of(self.pack)
        return event_of(self.pack, index, self._readings)

    def wholes(self, account: int) -> list[Waiting]:
        """Every event of an account."""
        return [self.whole(index) for index in self.events[account]]

    def rated(self, account: int) -> Sequence[Bunch]:
        """The readings of an account's events."""
        return self._bunches.get(account, ())

    def waiting(self, step: Step, account: int, subs: Sequence[Subscription]) -> list[int]:
        """The account's events for which none of its subscriptions runs."""
        pack = self.pack
        if len(subs) == 1 and step.above() is None and not pack.subscription and not subs[0].planned:
            start, end = subs[0].start, subs[0].end
            return [index for index in self.events[account] if not start <= pack.time[index] < end]
        return [
            index
            for index in self.events[account]
            if not waiting.runs(step, pack.subscription.get(index), pack.time[index])
        ]


def forward_of(cells: Cells, tenant: str, account: str) -> str | None:
    """The account that this name turned out to belong to, or that is in another partition's tree by now."""
    found: str | None = cells.get(("account", tenant, account), "forward")
    return found


def take(step: Step, usage: PackUsage, account: int) -> bool:
    """Rate an account's part of a pack that has no outcomes, and let wait what no subscription runs for; whether something
    waits now."""
    subs = step.subscriptions()
    waits = usage.waiting(step, account, subs)
    for index in waits:
        event = usage.whole(index)
        waiting.keep(step, waiting.uid_of(event), event)
    rate.rate(step, [(usage.rated(account), 1)], subs=subs)
    return bool(waits)


def take_events(step: Step, events: Sequence[Waiting]) -> None:
    """The same for events that come one by one."""
    forward = forward_of(step.cells, step.tenant, step.account)
    if forward is not None:
        send_on(step, forward, events)
        return
    outcomes.take_all(step, events)
    for event in events:
        if not waiting.runs(step, event.subscription, event.time):
            waiting.keep(step, waiting.uid_of(event), event)
    rate_events(step, events)


def rate_events(step: Step, events: Iterable[Waiting]) -> None:
    """Rate whole events, but for what waits for an outcome and has none."""
    rate.rate(step, [(ready(step, events), 1)])


def ready(step: Step, events: Iterable[Waiting]) -> list[Bunch]:
    """What of events is rated at once."""
    return bunches_of(event if event.counted else outcomes.without(step, event) for event in events)


def send_on(step: Step, account: str, events: Sequence[Waiting]) -> None:
    """Publish events again for the account that their name belongs to."""
    for event in events:
        value = waiting.cloud_event(step.tenant, account, event)
        step.effects.append(Effect(waiting.EVENTS, f"{step.tenant}/{account}", value))
