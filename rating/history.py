"""What an account used before: asked for only where a change is dated back over usage that is rated already.

The kernel keeps aggregates, not events. A cut of a subscription at a moment that usage has passed needs that usage event
by event; the log has it, so the shell reads it there again, and the simulation has it in a list. What is told depends on
the log alone, so rating stays a function of the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from rating import amended, backfills, logclock, tree
from rating.cells import Cells, Ids
from rating.ids import event_uid
from rating.metering import BadUsage, Metering
from rating.packs import Readings, event_of, readings_of
from rating.records import DIGEST_BYTES, Command, Pack, Position, Record, WasEvent
from rating.state import Waiting

LogReader = Callable[[int], Iterable[Record]]
"""The partition's records from the first that was received at or after a moment (µs), as far as they were applied."""
MeteringOf = Callable[[str, int], Metering]


def no_log(since: int) -> Iterable[Record]:
    """Where no log is kept."""
    return ()


class Asked(NamedTuple):
    """Whose events, timed in `[since, until)`."""

    tenant: str
    account: str
    since: int
    until: int


class _Candidate(NamedTuple):
    """An event of the log that may count: the account that used it, and what its entry must say."""

    account: str
    uid: bytes
    digest: bytes
    event: Waiting


def read(
    log: LogReader, cells: Cells, ids: Ids, metering: MeteringOf, asked: Asked
) -> Iterator[tuple[str, Waiting]]:
    """The events asked for that count as they stand in the log, of the account and of those below it: each as it was
    accepted, or as it was amended last; none that was a copy, refused or taken back."""
    found: dict[bytes, tuple[str, Waiting]] = {}
    # An event's time is at most `accept_future` after its receipt.
    for record in log(asked.since - logclock.accept_future(cells)):
        for account, uid, digest, event in _candidates(record, cells, asked, metering):
            entry = amended.entry_of(cells, ids, asked.tenant, account, uid)
            if entry is None:
                entry = backfills.entry_of(cells, asked.tenant, account, uid)
            elif entry.user != tree.user(cells, asked.tenant, account):
                continue
            if entry is None or entry.retracted or entry.digest != digest or uid in found:
                continue
            event = event._replace(time=entry.time) if event.time < 0 else event
            if entry.time == event.time and asked.since <= event.time < asked.until:
                found[uid] = account, event
    yield from found.values()


def _candidates(record: Record, cells: Cells, asked: Asked, metering: MeteringOf) -> Iterator[_Candidate]:
    def asks(account: str) -> bool:
        return tree.is_within(cells, asked.tenant, account, asked.account)

    if isinstance(record, Pack) and record.tenant == asked.tenant:
        yield from _packed(record, [asks(account) for account in record.accounts])
    elif isinstance(record, Command) and record.tenant == asked.tenant and asks(record.account):
        yield from _amended(record, metering)


def _packed(pack: Pack, asked: Sequence[bool]) -> Iterator[_Candidate]:
    if not any(asked):
        return
    readings: Readings = readings_of(pack)
    for index, number in enumerate(pack.account):
        if asked[number]:
            event = event_of(pack, index, readings)
            digest = pack.digest[DIGEST_BYTES * index : DIGEST_BYTES * (index + 1)]
            yield _Candidate(pack.accounts[number], event_uid(event.source, event.id), digest, event)


def _amended(command: Command, metering: MeteringOf) -> Iterator[_Candidate]:
    now = command.now
    if now is not None:
        time, meters = -1 if now.time is None else now.time, metering(command.tenant, command.revision)
        event = whole(now, time, command.revision, command.received, command.origin, meters)
        yield _Candidate(command.account, now.uid, now.digest, event)


def whole(
    event: WasEvent, time: int, revision: int, received: int, origin: Position, metering: Metering
) -> Waiting:
    """An event that a correction names, with what the meters of a revision read in it. Raises `ValueError`."""
    data = json.loads(event.data, parse_float=Decimal)
    measured = metering.measure(event.type, data, event.subject, event.groups)
    if isinstance(measured, BadUsage):
        raise ValueError(measured.detail)
    readings = tuple((each.meter, each.value, each.dims) for each in measured)
    return Waiting(event.subscription, event.source, event.id, event.type, event.subject, time, received, event.data,
                   revision, readings, (origin.topic, origin.partition, origin.offset),
                   groups=tuple(sorted(event.groups.items())))  # fmt: skip
