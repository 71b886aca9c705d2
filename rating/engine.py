"""The fold: `apply(record)` for one log partition. No I/O, no clock, no randomness; all state is in cells and ids.

One record of the log is one step, however it is polled or batched. An account's own due timers fire before its part of
a record, each at its due time; the rest fire in `drain`. A fault in one account parks that account, the others go on.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Sequence
from typing import Any

from rating import commands, corrections, rate, timers, waiting
from rating.catalog import EMPTY, Catalog, Plan, compile_catalog
from rating.cells import Cells, Ids
from rating.effects import Effect
from rating.errors import RatingError, Refused
from rating.ids import root_key
from rating.metering import Metering
from rating.records import (
    DIGEST_BYTES,
    UID_BYTES,
    CatalogRevision,
    Command,
    LogSettings,
    Pack,
    Position,
    Record,
    Release,
    Tick,
)  # fmt: skip
from rating.seen import Entry, packed
from rating.state import Waiting
from rating.step import Step
from rating.times import DAY, HOUR

CLOCK = ("clock",)
DUE = ("due",)
PARKED = ("parked",)
DEFAULT_ACCEPT_PAST = 35 * DAY
UNCOUNTED = "rating.uncounted.v1"
TICKS_MAX = 64


class Engine:
    """One log partition's rating. Its caches follow from the cells: `reset` drops them after an aborted transaction."""

    def __init__(self, cells: Cells, ids: Ids, partition: int) -> None:
        self._cells = cells
        self._ids = ids
        self._partition = partition
        self.reset()

    def reset(self) -> None:
        """Forget what was derived from cells."""
        self._catalogs: dict[str, Catalog] = {}
        self._old: dict[tuple[str, int], Catalog] = {}
        self._metering: dict[tuple[str, int], Metering] = {}
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._roots: dict[tuple[str, str], bytes] = {}
        self._heap = [(due, name) for name, due in self._cells.members(DUE)]
        heapq.heapify(self._heap)

    @property
    def clock(self) -> int:
        """The log's clock: everything received before it has been read."""
        return self._cells.get(CLOCK) or 0

    @property
    def parked(self) -> dict[str, str]:
        """The accounts that a fault stopped, `tenant/account`, each with the fault."""
        return dict(self._cells.members(PARKED))

    def apply(self, record: Record, at: Position) -> list[Effect]:
        """One step: the effects of one record."""
        if isinstance(record, Pack):
            return self._pack(record, at)
        if isinstance(record, Tick):
            return self._tick(record, at)
        if isinstance(record, Command):
            return self._command(record, at)
        if isinstance(record, CatalogRevision):
            return self._catalog(record)
        if isinstance(record, Release):
            return self._release(record, at)
        self._cells.put(CLOCK, "accept_past", record.accept_past)
        return []

    def begin_at(self, clock: int) -> None:
        """Set the clock that `recount` begins with."""
        self._cells.put(CLOCK, "", clock)

    def recount(self, record: Record, at: Position) -> None:
        """Bring the set of seen ids past a record that was rated before; nothing else changes."""
        if isinstance(record, Pack):
            self._counted(record)
        elif isinstance(record, Tick):
            if record.clock > self.clock:
                self._cells.put(CLOCK, "", record.clock)
        elif isinstance(record, LogSettings):
            self._cells.put(CLOCK, "accept_past", record.accept_past)
        elif isinstance(record, Command) and record.was is not None:
            corrections.recount(self._ids, record, self.clock, self._accept_past)

    def must_drain(self, record: Record) -> bool:
        """Whether everything due must have fired before this record: it changes what timers do."""
        return isinstance(record, CatalogRevision | LogSettings) and self.has_due()

    def has_due(self) -> bool:
        """Whether some account's timer is due."""
        self._trim()
        return bool(self._heap) and self._heap[0][0] <= self.clock

    def drain(self, limit: int) -> list[Effect]:
        """Fire the due timers of at most `limit` accounts, in the order of (due, account)."""
        effects: list[Effect] = []
        while limit > 0 and self.has_due():
            limit -= 1
            _, name = heapq.heappop(self._heap)
            tenant, _, account = name.partition("/")
            effects += self._guarded(
                tenant, account, Position("rating.log.v1", self._partition, 0), lambda step: None
            )
        if not self.has_due():
            self._keep_last_tick()
        return effects

    # One account's part of a step

    def _guarded(
        self,
        tenant: str,
        account: str,
        at: Position,
        act: Callable[[Step], None],
        refused: Callable[[Step, Refused], None] | None = None,
    ) -> list[Effect]:
        name = f"{tenant}/{account}"
        if self._cells.get(PARKED, name) is not None:
            return []
        marks = self._cells.mark(), self._ids.mark()
        effects: list[Effect] = []
        try:
            effects += self._fire_due(tenant, account)
            step = self._step(tenant, account, self.clock, at)
            inner = self._cells.mark(), self._ids.mark()
            try:
                act(step)
            except Refused as error:
                self._cells.undo(inner[0])
                self._ids.undo(inner[1])
                if refused is None:
                    raise
                step.effects.clear()
                refused(step, error)
            effects += step.effects
            effects += self._fire_due(tenant, account)
            self._schedule(tenant, account)
        except (RatingError, AssertionError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._cells.undo(marks[0])
            self._ids.undo(marks[1])
            self._cells.put(PARKED, name, f"{at.offset}: {type(error).__name__}: {error}")
            if RAISE:
                raise
            return []
        return effects

    def _fire_due(self, tenant: str, account: str) -> list[Effect]:
        effects: list[Effect] = []
        while True:
            probe = self._step(tenant, account, self.clock, Position("", 0, 0))
            timer = timers.next_timer(probe, self._accept_past)
            if timer is None or timer.due > self.clock:
                return effects
            step = self._step(tenant, account, timer.due, self._tick_of(timer.due))
            timer.fire(step)
            effects += step.effects

    def _step(self, tenant: str, account: str, now: int, source: Position) -> Step:
        return Step(self._cells, self._ids, self._current(tenant), self._plans, tenant, account, now, source)

    def _schedule(self, tenant: str, account: str) -> None:
        timer = timers.next_timer(
            self._step(tenant, account, self.clock, Position("", 0, 0)), self._accept_past
        )
        name = f"{tenant}/{account}"
        due = None if timer is None else timer.due
        if due != self._cells.get(DUE, name):
            self._cells.put(DUE, name, due)
            if due is not None:
                heapq.heappush(self._heap, (due, name))

    def _trim(self) -> None:
        while self._heap and self._cells.get(DUE, self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)

    # Records

    def _pack(self, pack: Pack, at: Position) -> list[Effect]:
        counted, uncounted, rejected = self._counted(pack)
        bunches = _bunches(pack, counted)
        effects: list[Effect] = []
        readings: dict[int, list[tuple[str, int | str, tuple[str, ...]]]] | None = None
        order = dict.fromkeys(pack.account[index] for index in counted)
        mine: dict[int, list[int]] = {index: [] for index in order}
        for index in counted:
            mine[pack.account[index]].append(index)
        for number in order:
            account = pack.accounts[number]
            forward = self._cells.get(("account", pack.tenant, account), "forward")
            if readings is None and (forward or self._may_wait(pack, account, mine[number])):
                readings = _readings(pack)
            effects += self._guarded(
                pack.tenant, account, at,
                self._usage(pack, account, mine[number], bunches.get(number, []), readings, forward, uncounted),
            )  # fmt: skip
        for index, code, detail in rejected:
            readings = readings if readings is not None else _readings(pack)
            step = self._step(pack.tenant, pack.accounts[pack.account[index]], self.clock, at)
            effects.append(waiting.rejected(step, _waiting(pack, index, readings), code, detail))
        if uncounted:
            value = {
                "partition": at.partition,
                "offset": at.offset,
                "uncounted": sorted(uncounted),
                "rows": [],
            }
            effects.append(Effect(UNCOUNTED, "", value))
        return effects

    def _usage(
        self, pack: Pack, account: str, events: list[int], bunches: list[rate.Bunch],
        readings: dict[int, Any] | None, forward: str | None, uncounted: list[int],
    ) -> Callable[[Step], None]:  # fmt: skip
        def act(step: Step) -> None:
            if forward and readings is not None:
                for index in events:
                    event = _waiting(pack, index, readings)
                    step.effects.append(
                        Effect(
                            waiting.EVENTS,
                            f"{pack.tenant}/{forward}",
                            waiting.cloud_event(pack.tenant, forward, event),
                        )
                    )
                    uncounted.append(index)
                return
            subs = step.subscriptions()
            if readings is not None:
                for index in events:
                    if not waiting.runs(subs, pack.subscription.get(index), pack.time[index]):
                        waiting.keep(step, _uid(pack, index), _waiting(pack, index, readings))
            if subs:
                rate.rate(step, bunches)

        return act

    def _may_wait(self, pack: Pack, account: str, events: list[int]) -> bool:
        subs = [sub for _, sub in self._cells.members(("sub", pack.tenant, account))]
        return any(not waiting.runs(subs, pack.subscription.get(index), pack.time[index]) for index in events)

    def _counted(self, pack: Pack) -> tuple[list[int], list[int], list[tuple[int, str, str]]]:
        """Indexes of the events that count, of those that do not, and rejections (index, code, detail)."""
        roots = [self._root(pack.tenant, account) for account in pack.accounts]
        keys = [
            roots[account] + pack.uid[UID_BYTES * i : UID_BYTES * (i + 1)]
            for i, account in enumerate(pack.account)
        ]
        found = self._ids.find(keys)
        # Before the first tick the clock is not known: the pack's earliest receipt stands for it.
        oldest = (self.clock or min(pack.received)) - self._accept_past
        defaulted = frozenset(pack.defaulted)
        fresh: dict[bytes, bytes] = {}
        counted, uncounted, rejected = [], [], []
        for index, key in enumerate(keys):
            time = pack.time[index]
            digest = pack.digest[DIGEST_BYTES * index : DIGEST_BYTES * (index + 1)]
            known = fresh.get(key) or found[index]
            if known is not None:
                entry = Entry.read(known)
                if entry.expires >= pack.received[index]:
                    uncounted.append(index)
                    both = not entry.defaulted and index not in defaulted
                    if entry.digest != digest or (both and entry.time != time):
                        rejected.append(
                            (
                                index,
                                "id_conflict",
                                "an event with this source and id came before with other content",
                            )
                        )
                    continue
            if time < oldest:
                uncounted.append(index)
                rejected.append(
                    (index, "too_old", "the event's time is more than accept_past before the log's clock")
                )
                continue
            expires = max(time, pack.received[index]) + self._accept_past
            fresh[key] = packed(expires, digest, time, index in defaulted, pack.revision)
            counted.append(index)
        for key, entry_bytes in fresh.items():
            self._ids.add(key, entry_bytes)
        return counted, uncounted, rejected

    def _command(self, command: Command, at: Position) -> list[Effect]:
        applied = ("account", command.tenant, command.account)
        member = f"command|{command.id}"
        if command.type == "unpark":
            self._cells.put(PARKED, f"{command.tenant}/{command.account}", None)
        if self._cells.get(applied, member) is not None:
            return []
        self._cells.put(applied, member, at.offset)

        def act(step: Step) -> None:
            if command.was is not None:
                corrections.correct(
                    step,
                    command,
                    self._accept_past,
                    lambda revision: self._measuring(command.tenant, revision),
                )
            else:
                commands.apply(step, command)

        def refused(step: Step, error: Refused) -> None:
            headers = (
                ("error", "bad_command"), ("error_detail", str(error)), ("stage", "rate"),
                ("origin_topic", command.origin.topic), ("origin_partition", str(command.origin.partition)),
                ("origin_offset", str(command.origin.offset)),
            )  # fmt: skip
            value = {
                "id": command.id,
                "tenant": command.tenant,
                "account": command.account,
                "type": command.type,
                **command.fields,
            }
            step.effects.append(Effect(waiting.REJECTED, step.key, value, headers))

        return self._guarded(command.tenant, command.account, at, act, refused)

    def _catalog(self, record: CatalogRevision) -> list[Effect]:
        self._cells.put(("catalog", record.tenant), "", record.revision)
        self._cells.put(("catalog", record.tenant), str(record.revision), json.dumps(record.doc))
        self._catalogs.pop(record.tenant, None)
        self._plans = {key: plan for key, plan in self._plans.items() if key[0] != record.tenant}
        return []

    def _tick(self, record: Tick, at: Position) -> list[Effect]:
        if record.clock > self.clock:
            self._cells.put(CLOCK, "", record.clock)
            ticks = self._cells.get(CLOCK, "ticks") or ()
            if not self.has_due():
                ticks = ()
            self._cells.put(CLOCK, "ticks", (*ticks, (record.clock, at.offset)))
        return []

    def _release(self, record: Release, at: Position) -> list[Effect]:
        def act(step: Step) -> None:
            self._cells.put(
                ("account", record.tenant, record.name),
                "forward",
                record.account if record.until is None else None,
            )
            waiting.release(step, record.account)

        return self._guarded(record.tenant, record.name, at, act)

    # What follows from cells

    @property
    def _accept_past(self) -> int:
        return self._cells.get(CLOCK, "accept_past") or DEFAULT_ACCEPT_PAST

    def _root(self, tenant: str, account: str) -> bytes:
        found = self._roots.get((tenant, account))
        if found is None:
            found = self._roots[tenant, account] = root_key(tenant, account)
        return found

    def _current(self, tenant: str) -> Catalog:
        found = self._catalogs.get(tenant)
        if found is None:
            revision = self._cells.get(("catalog", tenant), "")
            found = EMPTY if revision is None else self._read(tenant, revision)
            self._catalogs[tenant] = found
        return found

    def _read(self, tenant: str, revision: int) -> Catalog:
        doc = self._cells.get(("catalog", tenant), str(revision))
        return EMPTY if doc is None else compile_catalog(json.loads(doc), revision)

    def _measuring(self, tenant: str, revision: int) -> Metering:
        found = self._metering.get((tenant, revision))
        if found is None:
            found = self._metering[tenant, revision] = Metering(self._read(tenant, revision))
        return found

    def _tick_of(self, due: int) -> Position:
        ticks: Sequence[tuple[int, int]] = self._cells.get(CLOCK, "ticks") or ()
        offset = next((offset for clock, offset in ticks if clock >= due), 0)
        return Position("rating.log.v1", self._partition, offset)

    def _keep_last_tick(self) -> None:
        ticks = self._cells.get(CLOCK, "ticks") or ()
        if len(ticks) > 1:
            self._cells.put(CLOCK, "ticks", (ticks[-1],))


RAISE = False


def _bunches(pack: Pack, counted: list[int]) -> dict[int, list[rate.Bunch]]:
    """The readings of the events that count, by account number."""
    live = None if len(counted) == len(pack.account) else frozenset(counted)
    found: dict[tuple[int, int, int, int, str | None], rate.Bunch] = {}
    mine: dict[int, list[rate.Bunch]] = {}
    named = pack.subscription
    account_of, times, sources, ids = pack.account, pack.time, pack.source, pack.id
    for number, column in enumerate(pack.readings):
        for event, value, dim in zip(column.event, column.value, column.dim, strict=True):
            if live is not None and event not in live:
                continue
            account, time = account_of[event], times[event]
            key = (account, number, dim, time // HOUR, named.get(event) if named else None)
            bunch = found.get(key)
            if bunch is None:
                bunch = found[key] = rate.Bunch(
                    column.meter, tuple(column.dims[dim]), key[3], key[4], [], [], []
                )
                mine.setdefault(account, []).append(bunch)
            bunch.times.append(time)
            bunch.keys.append(ids[event])
            bunch.values.append(value)
    del sources
    return mine


def _readings(pack: Pack) -> dict[int, list[tuple[str, int | str, tuple[str, ...]]]]:
    found: dict[int, list[tuple[str, int | str, tuple[str, ...]]]] = {}
    for column in pack.readings:
        for event, value, dim in zip(column.event, column.value, column.dim, strict=True):
            found.setdefault(event, []).append((column.meter, value, tuple(column.dims[dim])))
    return found


def _waiting(pack: Pack, index: int, readings: dict[int, Any]) -> Waiting:
    topic, partition = pack.origins[pack.origin[index]]
    return Waiting(
        pack.subscription.get(index), pack.sources[pack.source[index]], pack.id[index], pack.types[pack.type[index]],
        pack.subjects[pack.subject[index]], pack.time[index], pack.received[index], pack.data[index], pack.revision,
        tuple(readings.get(index, ())), (topic, partition, pack.offset[index]),
    )  # fmt: skip


def _uid(pack: Pack, index: int) -> bytes:
    return pack.uid[UID_BYTES * index : UID_BYTES * (index + 1)]
