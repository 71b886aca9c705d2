"""Usage of one account in one step: rated, kept waiting, or sent on to the account that its name belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from rating import rate, waiting
from rating.effects import Effect
from rating.ids import event_uid
from rating.packs import Readings, bunches, event_of, readings_of
from rating.records import Pack
from rating.state import Waiting
from rating.step import Step


class PackUsage:
    """A pack's counted events, by account."""

    def __init__(self, pack: Pack, counted: list[int]) -> None:
        self.pack = pack
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

    def rated(self, account: int) -> Sequence[rate.Bunch]:
        """The readings of an account's events."""
        return self._bunches.get(account, ())

    def waiting(self, step: Step, account: int) -> list[int]:
        """The account's events for which no subscription runs."""
        subs = step.subscriptions()
        pack = self.pack
        if len(subs) == 1 and not pack.subscription:
            start, end = subs[0].start, subs[0].end
            return [index for index in self.events[account] if not start <= pack.time[index] < end]
        return [
            index
            for index in self.events[account]
            if not waiting.runs(subs, pack.subscription.get(index), pack.time[index])
        ]


def forward_of(step: Step) -> str | None:
    """The account that this name turned out to belong to, if any."""
    found: str | None = step.cells.get(("account", step.tenant, step.account), "forward")
    return found


def take(step: Step, usage: PackUsage, account: int) -> None:
    """Rate an account's part of a pack, and let wait what no subscription runs for."""
    for index in usage.waiting(step, account):
        event = usage.whole(index)
        waiting.keep(step, event_uid(event.source, event.id), event)
    rate.rate(step, usage.rated(account))


def take_events(step: Step, events: Sequence[Waiting]) -> None:
    """The same for events that come one by one."""
    forward = forward_of(step)
    if forward is not None:
        send_on(step, forward, events)
        return
    subs = step.subscriptions()
    for event in events:
        if not waiting.runs(subs, event.subscription, event.time):
            waiting.keep(step, event_uid(event.source, event.id), event)
    rate.rate(step, waiting.bunches(events))


def send_on(step: Step, account: str, events: Sequence[Waiting]) -> None:
    """Publish events again for the account that their name belongs to."""
    for event in events:
        value = waiting.cloud_event(step.tenant, account, event)
        step.effects.append(Effect(waiting.EVENTS, f"{step.tenant}/{account}", value))
