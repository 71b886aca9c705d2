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
    for record in records:
        found = _event(record, directory, rules, schemas)
        if isinstance(found, Problem):
            rejected.append(Rejected(found.code, found.detail, STAGE, record))
            continue
        event, account, time = found
        tenant = event.tenant
        revision, metering = meterings.of(directory, tenant)
        groups = directory.groups(tenant, event.subject, account, time)
        readings = (
            metering.measure(event.type, event.data, event.subject, groups) if metering is not None else ()
        )
        if isinstance(readings, BadUsage):
            rejected.append(Rejected(readings.code, readings.detail, STAGE, record))
            continue
        partition = partition_of(tenant, directory.root(tenant, account), rules.partitions)
        columns = building.get((partition, tenant))
        size = len(event.raw) + len(event.id) + EVENT_OVERHEAD_BYTES
        if groups:
            size += sum(len(name) + len(value) for name, value in groups.items())
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
    """A pack being gathered."""

    def __init__(self, tenant: str, revision: int) -> None:
        self.tenant = tenant
        self.revision = revision
        self.bytes = 0
        self.accounts: dict[str, int] = {}
        self.subjects: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self.types: dict[str, int] = {}
        self.origins: dict[tuple[str, int], int] = {}
        self.account: list[int] = []
        self.subject: list[int] = []
        self.source: list[int] = []
        self.type: list[int] = []
        self.origin: list[int] = []
        self.offset: list[int] = []
        self.id: list[str] = []
        self.time: list[int] = []
        self.received: list[int] = []
        self.uid: list[bytes] = []
        self.digest: list[bytes] = []
        self.data: list[bytes] = []
        self.defaulted: list[int] = []
        self.subscription: dict[int, str] = {}
        self.backfill: dict[int, str] = {}
        self.groups: dict[int, Mapping[str, str]] = {}
        self.readings: dict[str, _Readings] = {}

    def full(self, rules: Rules, size: int) -> bool:
        """Whether an event of `size` bytes starts another pack."""
        return len(self.id) >= rules.pack_events_max or self.bytes + size > rules.pack_bytes_max

    def add(
        self, record: RawRecord, event: Event, account: str, time: int, readings: Iterable[Reading], size: int
    ) -> None:
        """One event more."""
        number = len(self.id)
        self.bytes += size
        self.account.append(self.accounts.setdefault(account, len(self.accounts)))
        self.subject.append(self.subjects.setdefault(event.subject, len(self.subjects)))
        self.source.append(self.sources.setdefault(event.source, len(self.sources)))
        self.type.append(self.types.setdefault(event.type, len(self.types)))
        self.origin.append(self.origins.setdefault((record.topic, record.partition), len(self.origins)))
        self.offset.append(record.offset)
        self.id.append(event.id)
        self.time.append(time)
        self.received.append(record.timestamp)
        self.uid.append(uid(event.source, event.id))
        self.digest.append(digest(event.type, event.subject, event.data))
        self.data.append(event.raw)
        if event.time is None:
            self.defaulted.append(number)
        if event.subscription is not None:
            self.subscription[number] = event.subscription
        if event.backfill is not None:
            self.backfill[number] = event.backfill
        for meter, value, dims in readings:
            column = self.readings.get(meter)
            if column is None:
                column = self.readings[meter] = _Readings([], [], [], {})
            column.event.append(number)
            column.value.append(value)
            column.dim.append(column.dims.setdefault(dims, len(column.dims)))

    def group(self, groups: Mapping[str, str]) -> None:
        """The groups of the last event's subject."""
        self.groups[len(self.id) - 1] = groups

    def pack(self) -> Pack:
        """The finished pack."""
        return Pack(
            tenant=self.tenant, revision=self.revision, accounts=list(self.accounts), subjects=list(self.subjects),
            sources=list(self.sources), types=list(self.types), origins=list(self.origins), account=self.account,
            subject=self.subject, source=self.source, type=self.type, origin=self.origin, offset=self.offset,
            id=self.id, time=self.time, received=self.received, uid=b"".join(self.uid), digest=b"".join(self.digest),
            data=self.data, defaulted=self.defaulted, subscription=self.subscription, backfill=self.backfill,
            groups=self.groups,
            readings=[
                ReadingColumn(meter, column.event, column.value, column.dim, list(column.dims))
                for meter, column in self.readings.items()
            ],
        )  # fmt: skip


class _Readings(NamedTuple):
    event: list[int]
    value: list[int | str]
    dim: list[int]
    dims: dict[tuple[str, ...], int]
