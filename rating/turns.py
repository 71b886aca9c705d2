"""An account's turn in a step: its due timers first, each at its own due time, then what the record does to it.

A fault in one account undoes its turn and parks it; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rating import history, logclock, parking, timers, watch
from rating.agenda import Agenda
from rating.cells import Cells, Ids
from rating.effects import Effect
from rating.errors import RatingError
from rating.history import LogReader
from rating.records import Position
from rating.revisions import Revisions
from rating.state import Waiting
from rating.step import Step

LOG = "rating.log.v1"
FAULTS = (RatingError, AssertionError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What an error of ours in one account may raise: it parks that account, and no other."""
Act = Callable[[Step], bool | None]
"""What a record does to an account; `False` where it cannot have moved when the account's timers fire."""


class Turns:
    """The turns of one partition's accounts. Caches follow from the cells; `log` reads the partition again."""

    def __init__(self, cells: Cells, ids: Ids, partition: int, log: LogReader) -> None:
        self._cells = cells
        self._ids = ids
        self._partition = partition
        self._log = log
        self._agenda = Agenda(cells)
        self.revisions = Revisions(cells)

    @property
    def clock(self) -> int:
        """The log's clock: everything received before it has been read."""
        return logclock.read(self._cells)

    def step(self, tenant: str, account: str, now: int, source: Position) -> Step:
        """An account's part of a step, booked at `now`."""
        catalog, plans = self.revisions.current(tenant), self.revisions.plans
        return Step(self._cells, self._ids, catalog, plans, tenant, account, now, source, self._history)

    def take(
        self,
        tenant: str,
        account: str,
        at: Position,
        act: Act,
        part: Callable[[], parking.Part] | None = None,
    ) -> list[Effect]:
        """The turn of one account, or what parks it; `part` is what then waits, if anything."""
        cells, ids = self._cells, self._ids
        if parking.is_parked(cells, tenant, account):
            if part is not None:
                parking.queue(cells, tenant, account, part())
            return []
        mark, ids_mark = cells.mark(), ids.mark()
        try:
            effects = self._fire_due(tenant, account)
            step = self.step(tenant, account, self.clock, at)
            watch.begin(step)
            moved = act(step)
            watched = watch.finish(step)
            watch.access(step)
            effects += step.effects
            if moved is not False or watched:
                effects += self._fire_due(tenant, account, known=False)
                self._schedule(tenant, account)
            return effects
        except FAULTS as error:
            cells.undo(mark)
            ids.undo(ids_mark)
            parking.park(cells, tenant, account, at, error)
            if part is not None:
                parking.queue(cells, tenant, account, part())
            return []

    def has_due(self) -> bool:
        """Whether some account's timer is due."""
        first = self._agenda.first()
        return first is not None and first[0] <= self.clock

    def drain(self, limit: int) -> list[Effect]:
        """Fire the due timers of at most `limit` accounts, in the order of (due, account)."""
        effects: list[Effect] = []
        while limit > 0 and (first := self._agenda.first()) is not None and first[0] <= self.clock:
            limit -= 1
            tenant, _, account = first[1].partition("/")
            self._agenda.pop()
            effects += self.catch_up(tenant, account)
        if not self.has_due():
            logclock.forget_ticks(self._cells)
        return effects

    def fire_before(self, tenant: str, accounts: Iterable[str]) -> list[Effect]:
        """Fire what is due of accounts before a record counts: what a timer reads of the log again has nothing of it."""
        due = [account for account in accounts if self._agenda.is_due(f"{tenant}/{account}", self.clock)]
        return [effect for account in due for effect in self.catch_up(tenant, account)]

    def catch_up(self, tenant: str, account: str) -> list[Effect]:
        """Fire an account's due timers."""
        return self.take(tenant, account, Position(LOG, self._partition, 0), lambda step: None)

    def _fire_due(self, tenant: str, account: str, known: bool = True) -> list[Effect]:
        """Fire the account's due timers in order; where its next one is `known` not to be due, at no cost."""
        if known and not self._agenda.is_due(f"{tenant}/{account}", self.clock):
            return []
        effects: list[Effect] = []
        timer = self._next_timer(tenant, account)
        while timer is not None and timer.due <= self.clock:
            tick = logclock.tick_of(self._cells, timer.due)
            step = self.step(tenant, account, timer.due, Position(LOG, self._partition, tick))
            watch.begin(step)
            timer.fire(step)
            watch.finish(step)
            timer = self._next_timer(tenant, account)
            if timer is None or timer.due > step.now:
                watch.access(step)
            effects += step.effects
        if known:
            self._schedule(tenant, account)
        return effects

    def _next_timer(self, tenant: str, account: str) -> timers.Timer | None:
        probe = self.step(tenant, account, self.clock, Position("", 0, 0))
        return timers.next_timer(probe, logclock.accept_past(self._cells))

    def _schedule(self, tenant: str, account: str) -> None:
        timer = self._next_timer(tenant, account)
        self._agenda.put(f"{tenant}/{account}", None if timer is None else timer.due)

    def _history(self, tenant: str, account: str, since: int, until: int) -> Iterator[Waiting]:
        asked = history.Asked(tenant, account, since, until)
        return history.read(self._log, self._cells, self._ids, self.revisions.metering, asked)
