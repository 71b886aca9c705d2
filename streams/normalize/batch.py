"""A batch of raw records to packs and rejections: pure, but for its caches.

`normalize` is called once a transaction. Each event goes one way: decode, tenant, account, measure, columns; a bad one
becomes a `Rejected` and its neighbours go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rating.catalog import compile_catalog
from rating.directory import Directory
from rating.metering import BadUsage, Metering, Reading
from rating.placement import partition_of
from rating.records import Pack, ReadingColumn
from rating.times import format_time
from schemas.canonical import digest, uid
from schemas.events import Event, Problem, decode
from schemas.registry import Schemas
from schemas.rejected import RawRecord, Rejected

STAGE = "normalize"
EVENT_OVERHEAD_BYTES = 120
"""About what an event's columns take in a pack, beside its id and data."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What normalizing needs of the settings. `tenants` binds raw topics to one tenant each."""

    partitions: int
    accept_future: int
    event_bytes_max: int
    pack_events_max: int
    pack_bytes_max: int
    reject_unknown: bool = False
    tenants: Mapping[str, str | None] = field(default_factory=dict)


class Normalized(NamedTuple):
    """Packs with the partitions that they go to, in order, and what could not be used."""

    packs: list[tuple[int, Pack]]
    rejected: list[Rejected]


class Meterings:
    """The compiled meters of the revision in force, by tenant."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Metering | None]] = {}

    def of(self, directory: Directory, tenant: str) -> tuple[int, Metering | None]:
        """Revision and meters; 0 and `None` where no catalog is in force."""
        entry = directory.catalog(tenant)
        if entry is None:
            return 0, None
        held = self._held.get(tenant)
        if held is None or held[0] != entry.revision:
            held = self._held[tenant] = entry.revision, Metering(compile_catalog(entry.doc, entry.revision))
        return held


def normalize(
    records: Iterable[RawRecord],
    directory: Directory,
    meterings: Meterings,
    rules: Rules,
    schemas: Schemas | None = None,
) -> Normalized:
    """Packs and rejections of a batch. The order of events within a partition of the log is that of the records."""
    packs: list[tuple[int, Pack]] = []
    rejected: list[Rejected] = []
    building: dict[tuple[int, str], _Columns] = {}
    placed: dict[tuple[str, str], int] = {}
    last, revision, metering = "", 0, None
    for record in records:
        found = _event(record, directory, rules, schemas)
        if isinstance(found, Problem):
            rejected.append(Rejected(found.code, found.detail, STAGE, record))
            continue
        event, account, time = found
        tenant = event.tenant
        if tenant != last:
            last, (revision, metering) = tenant, meterings.of(directory, tenant)
        groups = directory.groups(tenant, event.subject, account, time)
        readings = (
            metering.measure(event.type, event.data, event.subject, groups) if metering is not None else ()
        )
        if isinstance(readings, BadUsage):
            rejected.append(Rejected(readings.code, readings.detail, STAGE, record))
            continue
        partition = placed.get((tenant, account))
        if partition is None:
            partition = partition_of(tenant, directory.root(tenant, account), rules.partitions)
            placed[tenant, account] = partition
        columns = building.get((partition, tenant))
        size = len(event.raw) + len(event.id) + EVENT_OVERHEAD_BYTES
        if groups:
            size += sum([len(name) + len(value) for name, value in groups.items()])
        if columns is None or columns.full(rules, size):
            if columns is not None:
                packs.append((partition, columns.pack()))
            columns = building[partition, tenant] = _Columns(tenant, revision)
        columns.add(record, event, account, time, readings, size)
        if groups:
            columns.group(groups)
    packs += [(partition, columns.pack()) for (partition, _), columns in building.items()]
    return Normalized(packs, rejected)


def _event(
    record: RawRecord, directory: Directory, rules: Rules, schemas: Schemas | None
) -> tuple[Event, str, int] | Problem:
    if record.value is not None and len(record.value) > rules.event_bytes_max:
        return Problem(
            "too_large",
            f"the record has {len(record.value)} bytes, more than event_bytes_max, {rules.event_bytes_max}",
        )
    event = decode(record, schemas)
    if isinstance(event, Problem):
        return event
    bound = rules.tenants.get(record.topic)
    if bound is not None and event.tenant != bound:
        return Problem("wrong_tenant", f"tenant is {event.tenant}, but the topic is bound to {bound}")
    time = record.timestamp if event.time is None else event.time
    if time > record.timestamp + rules.accept_future:
        return Problem(
            "too_new",
            f"time is {format_time(time)}, more than accept_future after the receipt, {format_time(record.timestamp)}",
        )
    account = event.account
    if account is None:
        if rules.reject_unknown and not directory.known(event.tenant, event.subject):
            return Problem(
                "unknown_subject",
                f"subject {event.subject} is no account and registered to none: register it, or set account on the event",
            )
        account = directory.resolve(event.tenant, event.subject, time)
    return event, account, time


class _Columns:
    """A pack being gathered: a row an event, turned into columns when it is finished."""

    def __init__(self, tenant: str, revision: int) -> None:
        self.tenant = tenant
        self.revision = revision
        self.bytes = 0
        self.accounts: dict[str, int] = {}
        self.subjects: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self.types: dict[str, int] = {}
        self.origins: dict[tuple[str, int], int] = {}
        self.rows: list[_Row] = []
        self.defaulted: list[int] = []
        self.subscription: dict[int, str] = {}
        self.backfill: dict[int, str] = {}
        self.groups: dict[int, Mapping[str, str]] = {}
        self.readings: dict[str, _Readings] = {}

    def full(self, rules: Rules, size: int) -> bool:
        """Whether an event of `size` bytes starts another pack."""
        return len(self.rows) >= rules.pack_events_max or self.bytes + size > rules.pack_bytes_max

    def add(
        self, record: RawRecord, event: Event, account: str, time: int, readings: Iterable[Reading], size: int
    ) -> None:
        """One event more."""
        rows = self.rows
        number = len(rows)
        self.bytes += size
        name, source, kind, subject, _, _, subscription, given, data, raw, backfill = event
        topic, partition, offset, received, *_ = record
        accounts, subjects, sources, types, origins = (
            self.accounts, self.subjects, self.sources, self.types, self.origins,
        )  # fmt: skip
        rows.append((
            accounts.setdefault(account, len(accounts)), subjects.setdefault(subject, len(subjects)),
            sources.setdefault(source, len(sources)), types.setdefault(kind, len(types)),
            origins.setdefault((topic, partition), len(origins)), offset, name, time, received,
            uid(source, name), digest(kind, subject, data), raw,
        ))  # fmt: skip
        if given is None:
            self.defaulted.append(number)
        if subscription is not None:
            self.subscription[number] = subscription
        if backfill is not None:
            self.backfill[number] = backfill
        for meter, value, dims in readings:
            column = self.readings.get(meter)
            if column is None:
                column = self.readings[meter] = _Readings([], {})
            column.rows.append((number, value, column.dims.setdefault(dims, len(column.dims))))

    def group(self, groups: Mapping[str, str]) -> None:
        """The groups of the last event's subject."""
        self.groups[len(self.rows) - 1] = groups

    def pack(self) -> Pack:
        """The finished pack."""
        account, subject, source, kind, origin, offset, name, time, received, uids, digests, data = map(
            list, zip(*self.rows, strict=True)
        )
        return Pack(
            tenant=self.tenant, revision=self.revision, accounts=list(self.accounts), subjects=list(self.subjects),
            sources=list(self.sources), types=list(self.types), origins=list(self.origins), account=account,
            subject=subject, source=source, type=kind, origin=origin, offset=offset, id=name, time=time,
            received=received, uid=b"".join(uids), digest=b"".join(digests), data=data, defaulted=self.defaulted,
            subscription=self.subscription, backfill=self.backfill, groups=self.groups,
            readings=[each.column(meter) for meter, each in self.readings.items()],
        )  # fmt: skip


_Row = tuple[int, int, int, int, int, int, str, int, int, bytes, bytes, bytes]


class _Readings(NamedTuple):
    rows: list[tuple[int, int | str, int]]
    dims: dict[tuple[str, ...], int]

    def column(self, meter: str) -> ReadingColumn:
        event, value, dim = zip(*self.rows, strict=True)
        return ReadingColumn(meter, list(event), list(value), list(dim), list(self.dims))
