"""The fold: `apply(record)` for one log partition. No I/O, no clock, no randomness; all state is in cells and ids.

One record of the log is one step, however it is polled or batched. An account's own due timers fire before its part of
a record, each at its due time; the rest fire in `drain`. A fault in one account parks that account, the others go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rating import commands, corrections, logclock, parking, tree, usage, waiting
from rating.accounts import link
from rating.backfills import OfPack
from rating.cells import Cells, Ids
from rating.counting import Counted, Owner, count
from rating.effects import Effect
from rating.errors import Refused
from rating.history import LogReader, no_log
from rating.ids import root_key
from rating.limits import tenant as tenant_limits
from rating.limits.look import ask
from rating.outcomes import release
from rating.parking import PARKED
from rating.records import (
    CatalogRevision,
    Command,
    LogSettings,
    Pack,
    Position,
    Record,
    Release,
    TenantUsage,
    Tick,
)
from rating.state import TENANT_ACCOUNT
from rating.step import Step
from rating.turns import Turns
from rating.uncounted import uncounted


class Engine:
    """One log partition's rating. Its caches follow from the cells: `reset` drops them after an aborted transaction."""

    def __init__(self, cells: Cells, ids: Ids, partition: int, log: LogReader = no_log) -> None:
        """`log` reads the partition again, where a change is dated back over usage."""
        self._log = log
        self._cells = cells
        self._ids = ids
        self._partition = partition
        self.reset()

    def reset(self) -> None:
        """Forget what was derived from cells."""
        self._turns = Turns(self._cells, self._ids, self._partition, self._log)
        self._owners: dict[tuple[str, str], Owner] = {}

    @property
    def clock(self) -> int:
        """The log's clock: everything received before it has been read."""
        return logclock.read(self._cells)

    @property
    def parked(self) -> dict[str, str]:
        """The accounts that a fault stopped, `tenant/account`, each with the fault."""
        return dict(self._cells.members(PARKED))

    def apply(self, record: Record, at: Position) -> list[Effect]:
        """One step: the effects of one record."""
        effects = self._apply(record, at)
        told, self._turns.told = self._turns.told, []
        if told and not isinstance(record, Tick | LogSettings):
            effects += tenant_limits.of_record(record.tenant, at.partition, at.offset, told)
        return effects

    def _apply(self, record: Record, at: Position) -> list[Effect]:
        if isinstance(record, Pack):
            return self._pack(record, at)
        if isinstance(record, Tick):
            if record.clock > self.clock:
                logclock.advance(self._cells, record.clock, at.offset, keep=self.has_due())
            return []
        if isinstance(record, Command):
            return self._command(record, at)
        if isinstance(record, CatalogRevision):
            before = self._turns.revisions.current(record.tenant)
            self._turns.revisions.put(record)
            if self._turns.revisions.current(record.tenant).rules.mark != before.rules.mark:
                self._turns.wake(record.tenant)
            effects = self._turns.renew(record.tenant, before, at)
            # Other limits of the tenant may hold now; where none was ever looked at, none is here.
            if any(self._cells.members(("bound", record.tenant, TENANT_ACCOUNT))):
                effects += self._tenant(record.tenant, (), at)
            return effects
        if isinstance(record, Release):
            return self._release(record, at)
        if isinstance(record, TenantUsage):
            new = tenant_limits.is_new(self._cells, record)
            return self._tenant(record.tenant, record.figures, at) if new else []
        logclock.settle(self._cells, record.accept_past, record.accept_future)
        return []

    def begin_at(self, clock: int) -> None:
        """Set the clock that `recount` begins with."""
        logclock.put(self._cells, clock)

    def recount(self, record: Record, at: Position) -> None:
        """Bring the set of seen ids past a record that was rated before; nothing else changes."""
        if isinstance(record, Pack):
            self._counted(record)
        elif isinstance(record, Tick):
            if record.clock > self.clock:
                logclock.put(self._cells, record.clock)
        elif isinstance(record, LogSettings):
            logclock.settle(self._cells, record.accept_past, record.accept_future)

    def must_drain(self, record: Record) -> bool:
        """Whether everything due must have fired before this record: it changes what timers do."""
        return isinstance(record, CatalogRevision | LogSettings) and self.has_due()

    def has_due(self) -> bool:
        """Whether some account's timer is due."""
        return self._turns.has_due()

    def spans_accounts(self, tenant: str) -> bool:
        """Whether a limit of the whole tenant is in its catalog."""
        return bool(self._turns.revisions.current(tenant).tenant.limits)

    @property
    def next_due(self) -> int | None:
        """When the next timer of some account fires."""
        return self._turns.next_due

    def drain(self, limit: int) -> list[Effect]:
        """Fire the due timers of at most `limit` accounts, in the order of (due, account)."""
        return self._turns.drain(limit)

    def _pack(self, pack: Pack, at: Position) -> list[Effect]:
        effects = self._turns.fire_before(pack.tenant, pack.accounts)
        found = self._counted(pack)
        taken = usage.PackUsage(pack, found.counted, self._turns.revisions.current(pack.tenant))
        gone = list(found.uncounted)
        for number, events in taken.events.items():
            account = pack.accounts[number]
            forwarded = usage.forward_of(self._cells, pack.tenant, account) is not None
            if forwarded:
                gone += events
            effects += self._usage(account, number, taken, forwarded or taken.has_outcomes, at)
        for index, code, detail in found.refused:
            step = self._turns.step(pack.tenant, pack.accounts[pack.account[index]], self.clock, at)
            effects.append(waiting.rejected(step, taken.whole(index), code, detail))
        if gone:
            effects.append(uncounted(at, sorted(gone)))
        return effects

    def _usage(
        self, account: str, number: int, taken: usage.PackUsage, one_by_one: bool, at: Position
    ) -> list[Effect]:
        def act(step: Step) -> bool:
            if one_by_one:
                usage.take_events(step, taken.wholes(number))
                return True
            return usage.take(step, taken, number)

        def part() -> parking.Part:
            return parking.usage_part(account, at, taken.wholes(number))

        return self._turns.take(taken.pack.tenant, account, at, act, part)

    def _counted(self, pack: Pack) -> Counted:
        owners = [self._owner(pack.tenant, account) for account in pack.accounts]
        # Before the first tick the clock is not known: the pack's earliest receipt stands for it.
        clock = self.clock or min(pack.received)
        old = OfPack(self._cells, pack)
        return count(pack, owners, self._ids, clock - self._accept_past, self._accept_past, old)

    def _command(self, command: Command, at: Position) -> list[Effect]:
        place, name = ("account", command.tenant, command.account), f"command|{command.id}"
        if self._cells.get(place, name) is not None:
            return []
        self._cells.put(place, name, at.offset)
        if command.type == "unpark":
            return self._unpark(command.tenant, command.account)
        step = self._turns.step(command.tenant, command.account, self.clock, at)
        above = link(step, command)
        if above is not None:
            # Its limits bear on what is below it from now on.
            ask(step, above)
            self._turns.woken(step)
        self._owners.pop((command.tenant, command.account), None)
        return step.effects + self._commanded(command, at)

    def _commanded(self, command: Command, at: Position) -> list[Effect]:
        def act(step: Step) -> None:
            mark, ids_mark = self._cells.mark(), self._ids.mark()
            try:
                if command.was is not None:
                    corrections.correct(step, command, self._accept_past, self._turns.revisions.metering)
                else:
                    commands.apply(step, command)
            except Refused as error:
                self._cells.undo(mark)
                self._ids.undo(ids_mark)
                step.forget()
                step.effects.append(commands.refusal(step, command, error))

        # What has waited too long below is rejected before a subscription comes that would rate it.
        below = waiting.below(self._cells, command.tenant, command.account)
        return self._turns.fire_before(command.tenant, below) + self._turns.take(
            command.tenant, command.account, at, act, lambda: parking.command_part(at, command)
        )

    def _unpark(self, tenant: str, account: str) -> list[Effect]:
        """Take up what waited, in order; where it fails again, the rest goes on waiting."""
        effects: list[Effect] = []
        for part in parking.taken(self._cells, tenant, account):
            if part[0] == "command":
                at, command = parking.command_of(part)
                effects += self._commanded(command, at)
            elif part[0] == "release":
                at, record = parking.release_of(part)
                effects += self._release(record, at)
            elif part[0] == "tenant":
                at, figures = parking.tenant_of(part)
                effects += self._tenant(tenant, figures, at)
            else:
                effects += self._waited(tenant, part)
        return effects

    def _waited(self, tenant: str, part: parking.Part) -> list[Effect]:
        account, at, events = parking.usage_of(part)
        return self._turns.take(
            tenant, account, at, lambda step: usage.take_events(step, events), lambda: part
        )

    def _release(self, record: Release, at: Position) -> list[Effect]:
        def act(step: Step) -> None:
            to = record.account if record.until is None else None
            self._cells.put(("account", record.tenant, record.name), "forward", to)
            release(step, record.account)

        return self._turns.take(record.tenant, record.name, at, act, lambda: parking.release_part(at, record))

    def _tenant(self, name: str, figures: Sequence[Sequence[Any]], at: Position) -> list[Effect]:
        def act(step: Step) -> None:
            assert step.facts is not None, "a tenant's limits are looked at in each of its steps"
            step.facts.told = figures

        return self._turns.take(name, TENANT_ACCOUNT, at, act, lambda: parking.tenant_part(at, figures))

    @property
    def _accept_past(self) -> int:
        return logclock.accept_past(self._cells)

    def _owner(self, tenant: str, account: str) -> Owner:
        if usage.forward_of(self._cells, tenant, account) is not None:
            return Owner(None, b"")
        found = self._owners.get((tenant, account))
        if found is None:
            key = root_key(tenant, tree.root(self._cells, tenant, account))
            found = self._owners[tenant, account] = Owner(key, tree.user(self._cells, tenant, account))
        return found
