"""The whole rating offline: the same control, normalize and engine as the worker's, in process, without a server.

One input is one record of the log. The clock advances to each input's time before it is taken, and to `until` at the
end, so that windows and periods close. What goes to internal topics is not shown; usage that a release publishes again
is taken up again, and what steps tell of a tenant's usage is a record of the log again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from rating.catalog import publish
from rating.cells import DictCells, DictIds
from rating.control import Output
from rating.directory import Directory, catalog_key
from rating.effects import Effect
from rating.engine import Engine
from rating.errors import TimeError
from rating.records import CatalogRevision, LogSettings, Position, Record, TenantUsage, Tick
from rating.times import DAY, HOUR, parse_time
from schemas import topics
from schemas.outputs import encode_value
from schemas.rejected import RawRecord, Rejected
from streams.control.batch import take
from streams.normalize.batch import Meterings, Rules, normalize

DRAIN_ACCOUNTS = 1_000
SHOWN = frozenset(topic.name for topic in topics.TOPICS if topic.name.startswith("billing.")) | {
    topics.REJECTED.name
}
PARTITIONS = 1


class Shown(NamedTuple):
    """One output record. `value` is JSON text or plain text; headers are text."""

    topic: str
    key: str | None
    value: bytes | None
    headers: tuple[tuple[str, str], ...] = ()


class Simulation:
    """A deployment of one partition in memory."""

    def __init__(
        self,
        catalog: Mapping[str, Any],
        accept_past: int = 35 * DAY,
        accept_future: int = HOUR,
        reject_unknown: bool = False,
    ) -> None:
        self._records: list[tuple[int, Record]] = []
        self._engine = Engine(DictCells(), DictIds(), 0, self._since)
        self._directory = Directory()
        self._meterings = Meterings()
        self._accept_future = accept_future
        self._rules = Rules(
            PARTITIONS, accept_future, topics.EVENTS.message_bytes_max, 1, topics.LARGE, reject_unknown
        )
        self._offset = 0
        self._clock = 0
        self._inputs = 0
        self._catalog = catalog
        self._tenants: set[str] = set()
        self._spans = False
        """Whether some limit spans accounts."""
        list(self._log([(None, LogSettings(accept_past, accept_future, PARTITIONS))]))

    @property
    def parked(self) -> Mapping[str, str]:
        """Accounts that an internal fault stopped, with the fault."""
        return self._engine.parked

    @property
    def clock(self) -> int:
        """How far the clock has come, in microseconds."""
        return self._clock

    def _ensure(self, tenant: str) -> None:
        """Put the catalog in force for a tenant that is seen for the first time."""
        if tenant in self._tenants:
            return
        self._tenants.add(tenant)
        document = publish(None, self._catalog)
        entry = {"revision": 1, "time": self._clock, "commands": [], "doc": document}
        self._directory.put(catalog_key(tenant), entry)
        list(self._log([(None, CatalogRevision(tenant, 1, self._clock, document))]))

    def advance(self, time: int) -> Iterator[Shown]:
        """Move the clock; it never goes back."""
        if time > self._clock:
            while self._spans and (due := self._engine.next_due) is not None and due < time:
                # What one account's timer brings counts before another's fires.
                self._clock = due
                yield from self._log([(None, Tick(due))])
            self._clock = time
            yield from self._log([(None, Tick(time))])

    def take(self, value: bytes, is_command: bool) -> Iterator[Shown]:
        """Take one input, the clock advanced to its time first where it has one that can be read."""
        tenant, time = _stamp(value)
        if time is not None:
            yield from self.advance(time)
        self._ensure(tenant)
        yield from self.command(value) if is_command else self.event(value)

    def event(self, value: bytes) -> Iterator[Shown]:
        """Take one usage event, as it would stand in a record."""
        yield from self._events([self._record(topics.EVENTS.name, value)])

    def command(self, value: bytes) -> Iterator[Shown]:
        """Take one command."""
        record = self._record(topics.COMMANDS.name, value)
        found = take(record, self._directory, PARTITIONS, self._accept_future)
        if isinstance(found, Rejected):
            yield _rejected(found)
            return
        yield from self._written(found)

    def _record(self, topic: str, value: bytes) -> RawRecord:
        self._inputs += 1
        return RawRecord(topic, 0, self._inputs - 1, self._clock, None, value)

    def _written(self, output: Output) -> Iterator[Shown]:
        for key, row in output.directory:
            self._directory.put(key, row)
        for key, row in output.catalog:
            yield Shown(topics.CATALOG.name, key, encode_value(row))
        yield from self._log(output.log)

    def _events(self, records: Iterable[RawRecord]) -> Iterator[Shown]:
        for record in records:
            found = normalize([record], self._directory, self._meterings, self._rules)
            yield from map(_rejected, found.rejected)
            yield from self._log(found.packs)

    def _log(self, records: Iterable[tuple[int | None, Record]]) -> Iterator[Shown]:
        waiting = [record for _, record in records]
        while waiting:
            record = waiting.pop(0)
            position = Position(topics.LOG.name, 0, self._offset)
            self._offset += 1
            self._records.append((self._clock, record))
            effects = self._engine.apply(record, position)
            if isinstance(record, CatalogRevision):
                self._spans |= self._engine.spans_accounts(record.tenant)
            while self._engine.has_due():
                effects += self._engine.drain(DRAIN_ACCOUNTS)
            waiting += [
                TenantUsage(**each.value) for each in effects if each.topic == topics.LOG.name and each.value
            ]
            yield from self._effects(effects)

    def _since(self, moment: int) -> Iterator[Record]:
        """The log again, from the first record that was received at the moment or later."""
        return (record for received, record in list(self._records) if received >= moment)

    def _effects(self, effects: Iterable[Effect]) -> Iterator[Shown]:
        for effect in effects:
            if effect.topic == topics.EVENTS.name:
                yield from self._events([self._record(effect.topic, encode_value(effect.value) or b"")])
            elif effect.topic in SHOWN:
                yield Shown(effect.topic, effect.key, encode_value(effect.value), effect.headers)


def _rejected(rejected: Rejected) -> Shown:
    headers = tuple((name, (value or b"").decode("utf-8", "replace")) for name, value in rejected.headers())
    key = rejected.record.key
    return Shown(
        topics.REJECTED.name,
        None if key is None else key.decode("utf-8", "replace"),
        rejected.record.value,
        headers,
    )


class _Stamp(msgspec.Struct):
    tenant: str = "default"
    time: str | None = None


_stamps = msgspec.json.Decoder(_Stamp)


def _stamp(value: bytes) -> tuple[str, int | None]:
    try:
        found = _stamps.decode(value)
        return found.tenant, None if found.time is None else parse_time(found.time)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TimeError):
        return "default", None
