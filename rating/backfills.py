"""Backfills: a time span of one source whose events are accepted however old, while it is open.

Their ids are cells of the account, exact for as long as the backfill is open, and go with it. Periods that it reaches are
not forgotten meanwhile; what was forgotten before it was opened stays so, and its usage is `too_old`.
"""

from __future__ import annotations

from typing import NamedTuple

from rating import amended, tree
from rating.cells import Cells
from rating.errors import Refused
from rating.records import DIGEST_BYTES, UID_BYTES, Command, Pack
from rating.seen import Entry
from rating.step import Step
from rating.times import parse_time


class Backfill(NamedTuple):
    """`[start, end)` of event times, of one source."""

    source: str
    start: int
    end: int


def open_(step: Step, command: Command) -> None:
    """`open_backfill`. Raises `Refused`."""
    fields = command.fields
    key = fields["backfill"]
    if step.cells.get(_bucket(step.tenant, step.account), key) is not None:
        raise Refused(f"backfill {key} is open already: close it first, or give this one another key")
    made = Backfill(fields["source"], parse_time(fields["from"]), parse_time(fields["to"]))
    step.cells.put(_bucket(step.tenant, step.account), key, tuple(made))
    for above in tree.ancestors(step.cells, step.tenant, step.account):
        step.cells.put(_below(step.tenant, above), f"{step.account}/{key}", tuple(made))


def close(step: Step, command: Command) -> None:
    """`close_backfill`. Raises `Refused`."""
    key = command.fields["backfill"]
    if step.cells.get(_bucket(step.tenant, step.account), key) is None:
        raise Refused(f"backfill {key} is not open")
    step.cells.put(_bucket(step.tenant, step.account), key, None)
    for above in tree.ancestors(step.cells, step.tenant, step.account):
        step.cells.put(_below(step.tenant, above), f"{step.account}/{key}", None)
    ids = _ids(step.tenant, step.account, key)
    for member, _ in list(step.cells.members(ids)):
        step.cells.put(ids, member, None)


def reaches(step: Step, moment: int) -> bool:
    """Whether an open backfill, of the account or of one below it, may bring usage of the moment or of before."""
    buckets = _bucket(step.tenant, step.account), _below(step.tenant, step.account)
    found = (Backfill(*each) for bucket in buckets for _, each in step.cells.members(bucket))
    return any(each.start <= moment < each.end or each.start > moment for each in found)


def entry_of(cells: Cells, tenant: str, account: str, uid: bytes) -> Entry | None:
    """What is kept of an event that came with an open backfill."""
    for key, _ in cells.members(_bucket(tenant, account)):
        found = cells.get(_ids(tenant, account, key), uid.hex())
        if found is not None:
            return Entry.read(found)
    return None


class OfPack:
    """What cells know of a pack's events: of those that came with a backfill, and of copies of corrected ones."""

    def __init__(self, cells: Cells, pack: Pack) -> None:
        self._cells = cells
        self._pack = pack

    def holds(self, index: int) -> bool:
        """Whether the event's backfill is open for its source and time, and its account keeps that time."""
        pack = self._pack
        key = pack.backfill.get(index)
        if key is None:
            return False
        account = pack.accounts[pack.account[index]]
        found = self._cells.get(_bucket(pack.tenant, account), key)
        if found is None:
            return False
        opened = Backfill(*found)
        time = pack.time[index]
        if opened.source != pack.sources[pack.source[index]] or not opened.start <= time < opened.end:
            return False
        return not any(
            sub.start <= time < sub.cleaned
            for each in tree.path(self._cells, pack.tenant, account)
            for _, sub in self._cells.members(("sub", pack.tenant, each))
        )

    def find(self, index: int) -> bytes | None:
        """The entry of a copy that came before."""
        found: bytes | None = self._cells.get(self._place(index), self._uid(index))
        return found

    def add(self, index: int, entry: bytes) -> None:
        """The event counts."""
        self._cells.put(self._place(index), self._uid(index), entry)

    def is_now(self, index: int) -> bool:
        """Whether the event is what a correction made of the first one of its id."""
        pack = self._pack
        uid = pack.uid[UID_BYTES * index : UID_BYTES * (index + 1)]
        digest = pack.digest[DIGEST_BYTES * index : DIGEST_BYTES * (index + 1)]
        return amended.is_now(self._cells, pack.tenant, pack.accounts[pack.account[index]], uid, digest)

    def _place(self, index: int) -> tuple[str, ...]:
        pack = self._pack
        return _ids(pack.tenant, pack.accounts[pack.account[index]], pack.backfill[index])

    def _uid(self, index: int) -> str:
        return self._pack.uid[UID_BYTES * index : UID_BYTES * (index + 1)].hex()


def _bucket(tenant: str, account: str) -> tuple[str, ...]:
    return ("backfill", tenant, account)


def _below(tenant: str, account: str) -> tuple[str, ...]:
    """Open backfills of the accounts below."""
    return ("backfills_below", tenant, account)


def _ids(tenant: str, account: str, key: str) -> tuple[str, ...]:
    return ("backfilled", tenant, account, key)
