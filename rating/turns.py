"""An account's turn in a step: its due timers first, each at its own due time, then what the record does to it.

Its usage may go to the accounts above it, so what is due of these fires with it: what is due first fires first, and at one
moment what is above comes before what is below. A fault undoes the turn and parks the account in whose part it was, and
with it those below; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from rating import history, logclock, parking, timers, tree, watch
from rating.agenda import DUE, Agenda
from rating.catalog import Catalog
from rating.cells import Cells, Ids
from rating.effects import Effect
from rating.errors import RatingError
from rating.history import LogReader
from rating.limits import tenant as tenant_limits
from rating.limits.tenant import Figures
from rating.records import Position
from rating.renewals import renew, renewals
from rating.revisions import Revisions
from rating.rules import look as rules
from rating.state import TENANT_ACCOUNT, Waiting
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
        self._last: Step | None = None
        self.told: list[Figures] = []
        """What the steps of the record that is being applied brought for limits of its tenant."""

    @property
    def clock(self) -> int:
        """The log's clock: everything received before it has been read."""
        return logclock.read(self._cells)

    def step(self, tenant: str, account: str, now: int, source: Position) -> Step:
        """An account's part of a step, booked at `now`."""
        catalog, plans = self.revisions.current(tenant), self.revisions.plans
        made = Step(self._cells, self._ids, catalog, plans, tenant, account, now, source, self._history)
        self._last = made
        return made

    def take(
        self,
        tenant: str,
        account: str,
        at: Position,
        act: Act | None,
        part: Callable[[], parking.Part],
    ) -> list[Effect]:
        """The turn of one account, or what parks it or one above it; `act` is `None` where only timers fire; `part` is what
        then waits."""
        cells, ids = self._cells, self._ids
        names = tree.path(cells, tenant, account)
        stopped = parking.stopped_by(cells, tenant, names)
        if stopped is not None:
            parking.queue(cells, tenant, stopped, part())
            return []
        mark, ids_mark, told = cells.mark(), ids.mark(), len(self.told)
        try:
            # Where nothing is due, at no cost.
            effects = self._fire(tenant, names) if self._is_due(tenant, names) else []
            return effects if act is None else effects + self._act(tenant, names, at, act)
        except FAULTS as error:
            # What fails, fails in the part that was made last.
            stopped = account if self._last is None else self._last.acting
            cells.undo(mark)
            ids.undo(ids_mark)
            del self.told[told:]
            parking.park(cells, tenant, stopped, at, error)
            parking.queue(cells, tenant, stopped, part())
            return []

    def _act(self, tenant: str, names: list[str], at: Position, act: Act) -> list[Effect]:
        """What a record does to the first of a path, with what is due then, and what the rules say of all that it touched."""
        step = self.step(tenant, names[0], self.clock, at)
        step.parent = names[1] if len(names) > 1 else None
        watch.begin(step)
        moved = act(step)
        watched = watch.finish(step)
        if step.catalog.tenant.limits:
            self.told.append(tenant_limits.figures(step))
        for each in step.parts():
            watch.access(each)
        effects = step.effects
        if moved is not False or watched:
            effects += self._fire(tenant, names, asks=False)
            self._schedule(step, names)
        self.woken(step)
        for each in step.parts() if step.catalog.rules.mark else ():
            last = self.step(tenant, each.account, self.clock, at)
            if watch.decide(last):
                self._note(tenant, each.account, self._next_timer(tenant, each.account))
            effects += last.effects
        return effects

    def has_due(self) -> bool:
        """Whether some account's timer is due."""
        due = self.next_due
        return due is not None and due <= self.clock

    @property
    def next_due(self) -> int | None:
        """When the next timer of some account fires."""
        first = self._agenda.first()
        return None if first is None else first[0]

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
        due = [
            account for account in accounts if self._is_due(tenant, tree.path(self._cells, tenant, account))
        ]
        return [effect for account in due for effect in self.catch_up(tenant, account)]

    def catch_up(self, tenant: str, account: str) -> list[Effect]:
        """Fire an account's due timers."""
        at = Position(LOG, self._partition, 0)
        return self.take(tenant, account, at, None, lambda: parking.usage_part(account, at, ()))

    def wake(self, tenant: str) -> None:
        """Other rules are in force: every account that has something to come, or that some rule stands for, is looked at on
        the full hour."""
        cells, prefix = self._cells, f"{tenant}/"
        names = {name for name, _ in cells.members(DUE) if name.startswith(prefix)}
        names |= {prefix + account for account, _ in cells.members(("ruled", tenant))}
        names.discard(prefix + TENANT_ACCOUNT)
        for name in sorted(names):
            step = self.step(tenant, name.removeprefix(prefix), self.clock, Position("", 0, 0))
            rules.ask(step)
            due = rules.next_look(step)
            known = self._agenda.due(name)
            if due is not None and (known is None or due < known):
                self._agenda.put(name, due)

    def renew(self, tenant: str, before: Catalog, at: Position) -> list[Effect]:
        """Another catalog is in force: what it moves may be due sooner than is noted, or usage ahead of the clock be moved."""
        if self.revisions.current(tenant).moving == before.moving:
            return []
        effects: list[Effect] = []
        for name in sorted(name for name, _ in self._cells.members(DUE) if name.startswith(f"{tenant}/")):
            account = name.removeprefix(f"{tenant}/")
            step = self.step(tenant, account, self.clock, at)
            found = renewals(step, before)
            if any(each.overtaken(step) for each in found):
                part = partial(parking.usage_part, account, at, ())
                effects += self.take(tenant, account, at, partial(renew, before=before), part)
            elif found:
                self._note(tenant, account, self._next_timer(tenant, account))
        return effects

    def _is_due(self, tenant: str, names: Iterable[str]) -> bool:
        return any(self._agenda.is_due(f"{tenant}/{each}", self.clock) for each in names)

    def _fire(self, tenant: str, names: list[str], asks: bool = True) -> list[Effect]:
        """Fire the due timers of an account and those above it, in order, and note when the next ones are. `asks` where no
        record comes that the rules are looked at after."""
        effects: list[Effect] = []
        found = {each: self._next_timer(tenant, each) for each in reversed(names)}
        while (account := _first(found)) is not None:
            timer = found[account]
            if timer is None or timer.due > self.clock:
                break
            tick = logclock.tick_of(self._cells, timer.due)
            step = self.step(tenant, account, timer.due, Position(LOG, self._partition, tick))
            watch.begin(step)
            timer.fire(step)
            watch.finish(step)
            if step.catalog.tenant.limits:
                effects += tenant_limits.of_timer(step)
            if asks and timer.rank != timers.RULES:
                for each in step.parts():
                    watch.ask(each)
            for each in step.parts():
                after = self._next_timer(tenant, each.account)
                if each.account in found:
                    found[each.account] = after
                else:
                    self._note(tenant, each.account, after)
                if after is None or after.due > step.now:
                    watch.access(each)
            effects += step.effects
            self.woken(step)
        for name, timer in found.items():
            self._note(tenant, name, timer)
        return effects

    def _schedule(self, step: Step, names: list[str]) -> None:
        """Note when accounts beside the path that a step touched have their next timer."""
        if step.family is not None:
            for each in step.parts():
                if each.account not in names:
                    self._note(step.tenant, each.account, self._next_timer(step.tenant, each.account))

    def woken(self, step: Step) -> None:
        """Note when accounts are looked at again that a limit above them denies something, or does not any more."""
        for each in step.woken:
            self._note(step.tenant, each, self._next_timer(step.tenant, each))

    def _next_timer(self, tenant: str, account: str) -> timers.Timer | None:
        probe = self.step(tenant, account, self.clock, Position("", 0, 0))
        return timers.next_timer(probe, logclock.accept_past(self._cells))

    def _note(self, tenant: str, account: str, timer: timers.Timer | None) -> None:
        self._agenda.put(f"{tenant}/{account}", None if timer is None else timer.due)

    def _history(self, tenant: str, account: str, since: int, until: int) -> Iterator[tuple[str, Waiting]]:
        asked = history.Asked(tenant, account, since, until)
        return history.read(self._log, self._cells, self._ids, self.revisions.metering, asked)


def _first(found: Mapping[str, timers.Timer | None]) -> str | None:
    """Whose timer is due first; of those due at one moment the one that stands first."""
    coming = [(timer.due, account) for account, timer in found.items() if timer is not None]
    return min(coming, key=lambda each: each[0])[1] if coming else None
