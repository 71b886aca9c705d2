"""What stands on `rating.log.v1`: the only input of rating.

Every record is one step of the fold `apply(state, record) -> (state', effects)`. A `Pack` holds many events of one
tenant for one partition, column by column, so that its cost is paid once for hundreds of events; `schemas.log` turns
records into bytes and back. Times are microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

UID_BYTES = 16
DIGEST_BYTES = 16


class Position(NamedTuple):
    """Where a record stands in Kafka."""

    topic: str
    partition: int
    offset: int


class ReadingColumn(NamedTuple):
    """What one meter read in a pack: row `i` is event `event[i]` with `value[i]` and dimensions `dims[dim[i]]`.

    `value` is a plain `int` when it is integral and fits in 64 bits, otherwise decimal text (and any text for a
    `unique` meter). `dims` are the values of the meter's `group_by`, in its order.
    """

    meter: str
    event: Sequence[int]
    value: Sequence[int | str]
    dim: Sequence[int]
    dims: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Pack:
    """Normalized usage of one tenant under one catalog revision (0: none in force), a row an event.

    `accounts`, `subjects`, `sources`, `types`, `origins` are dictionaries that the columns of indexes point into.
    `uid` holds `UID_BYTES` an event, a hash of (source, id); `digest` `DIGEST_BYTES` an event, a hash of the canonical
    (type, subject, data). `defaulted` lists the events whose time is the broker's; `subscription` names the one that an
    event asks for, `backfill` the one that it belongs to, `groups` those that its subject is in. `data` is each event's
    `data` as JSON text.
    """

    tenant: str
    revision: int
    accounts: Sequence[str]
    subjects: Sequence[str]
    sources: Sequence[str]
    types: Sequence[str]
    origins: Sequence[tuple[str, int]]
    account: Sequence[int]
    subject: Sequence[int]
    source: Sequence[int]
    type: Sequence[int]
    origin: Sequence[int]
    offset: Sequence[int]
    id: Sequence[str]
    time: Sequence[int]
    received: Sequence[int]
    uid: bytes
    digest: bytes
    data: Sequence[bytes]
    readings: Sequence[ReadingColumn]
    defaulted: Sequence[int] = ()
    subscription: Mapping[int, str] = field(default_factory=dict)
    backfill: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WasEvent:
    """An event as a correction names it: `was` or `now` of `retract_usage` and `amend_usage`. `groups` are its subject's at
    its time."""

    source: str
    id: str
    type: str
    subject: str
    time: int | None
    data: bytes
    uid: bytes
    digest: bytes
    subscription: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """A command for one account, as CONTROL accepted it under a catalog revision. `fields` is its canonical form without
    the envelope: decimals as text, times as RFC 3339 text. `was` and `now` are set for corrections only."""

    tenant: str
    account: str
    id: str
    type: str
    time: int
    received: int
    fields: Mapping[str, Any]
    origin: Position
    was: WasEvent | None = None
    now: WasEvent | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class CatalogRevision:
    """A whole catalog put in force for a tenant: to every partition and the directory in one transaction."""

    tenant: str
    revision: int
    time: int
    doc: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tick:
    """All usage received before `clock` is in the log before this record. A lower bound: the largest counts."""

    clock: int


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The settings that rating depends on, in microseconds; written by CONTROL so that they are part of the log."""

    accept_past: int
    accept_future: int
    partitions: int


@dataclass(frozen=True, slots=True)
class Release:
    """`name` turned out to belong to `account`: what waits under it is published again with `account` set.

    The name stays a forward for what still arrives under the old directory. `until` is the time of its removal.
    """

    tenant: str
    name: str
    account: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class TenantUsage:
    """What a step of rating brought that limits of its tenant count, as rating itself tells it to the partition of the
    tenant. A record of the log made it (`account` is empty, `number` its offset) or an account's timers (`number` counts
    them), on `partition`; `part` counts the records of one step. A row of `figures` is a `rating.limits.tenant.Figure` and
    how much, an integer as text.
    """

    tenant: str
    partition: int
    account: str
    number: int
    part: int
    figures: Sequence[Sequence[Any]]


Record = Pack | Command | CatalogRevision | Tick | LogSettings | Release | TenantUsage
