"""One partition of rating without a server: inputs become records of the log, and any engine rates them.

`Writer` is what CONTROL and NORMALIZE would put on the log; it holds no rating, so one log can be rated in several
ways. `Rater` is an engine over cells and ids that are handed in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rating.catalog import publish
from rating.cells import Cells, DictCells, DictIds
from rating.directory import Directory, catalog_key
from rating.effects import Effect
from rating.engine import Engine
from rating.records import CatalogRevision, LogSettings, Position, Record, Tick
from rating.times import DAY, HOUR
from schemas import topics
from schemas.catalog import check_catalog
from schemas.rejected import RawRecord, Rejected
from streams.control.batch import take
from streams.normalize.batch import Meterings, Rules, normalize

Doc = dict[str, Any]
TENANT = "acme"
ACCEPT_PAST = 35 * DAY


class Writer:
    """The log of one tenant under one catalog, of one partition unless said. `received` is microseconds, like every time
    here."""

    def __init__(
        self,
        catalog: Mapping[str, Any],
        pack_events_max: int = 1_000,
        accept_past: int = ACCEPT_PAST,
        partitions: int = 1,
    ) -> None:
        self._partitions = partitions
        checked = check_catalog(catalog)
        assert checked.doc is not None, [str(problem) for problem in checked.problems]
        document = publish(None, checked.doc)
        self._directory = Directory()
        entry = {"revision": 1, "time": 0, "commands": [], "doc": document}
        self._directory.put(catalog_key(TENANT), entry)
        self._meterings = Meterings()
        self._rules = Rules(partitions, HOUR, topics.EVENTS.message_bytes_max, pack_events_max, topics.LARGE)
        self._inputs = 0
        self.records: list[Record] = [
            LogSettings(accept_past, HOUR, partitions),
            CatalogRevision(TENANT, 1, 0, document),
        ]
        self.places: list[int | None] = [None, None]
        """The partition of each record, `None` for all."""
        self.rejected: list[Rejected] = []

    def events(self, events: Sequence[Mapping[str, Any]], received: int) -> None:
        """One poll of NORMALIZE: its packs."""
        raw = [self._raw(topics.EVENTS.name, event, received) for event in events]
        found = normalize(raw, self._directory, self._meterings, self._rules)
        self.rejected += found.rejected
        self.records += [pack for _, pack in found.packs]
        self.places += [number for number, _ in found.packs]

    def command(self, command: Mapping[str, Any], received: int) -> None:
        """One command, as CONTROL takes it."""
        found = take(
            self._raw(topics.COMMANDS.name, command, received), self._directory, self._partitions, HOUR
        )
        if isinstance(found, Rejected):
            self.rejected.append(found)
            return
        for key, row in found.directory:
            self._directory.put(key, row)
        self.records += [record for _, record in found.log]
        self.places += [number for number, _ in found.log]

    def tick(self, clock: int) -> None:
        """Move the log's clock."""
        self.records.append(Tick(clock))
        self.places.append(None)

    def _raw(self, topic: str, value: Mapping[str, Any], received: int) -> RawRecord:
        self._inputs += 1
        return RawRecord(topic, 0, self._inputs, received, None, json.dumps(value).encode())


class Rater:
    """An engine that takes records one by one, and what has come of them."""

    def __init__(self, cells: Cells | None = None, ids: DictIds | None = None, offset: int = 0) -> None:
        self.cells = DictCells() if cells is None else cells
        self.ids = DictIds() if ids is None else ids
        self.engine = Engine(self.cells, self.ids, 0)
        self.offset = offset

    def step(self, record: Record) -> list[Effect]:
        """One record, with everything drained that must be before it and nothing after it."""
        effects = list(self.drained(1_000)) if self.engine.must_drain(record) else []
        effects += self.engine.apply(record, Position(topics.LOG.name, 0, self.offset))
        self.offset += 1
        return effects

    def drained(self, accounts_max: int) -> Iterator[Effect]:
        """Everything that is due, in drains of so many accounts."""
        while self.engine.has_due():
            yield from self.engine.drain(accounts_max)

    def rate(self, records: Iterable[Record], accounts_max: int = 1_000) -> list[Effect]:
        """Every record, drained after each."""
        effects = []
        for record in records:
            effects += self.step(record)
            effects += self.drained(accounts_max)
        assert not self.engine.parked, self.engine.parked
        return effects


def values(effects: Iterable[Effect], topic: topics.Topic) -> list[Doc]:
    """The values on one topic, in order."""
    return [
        dict(effect.value) for effect in effects if effect.topic == topic.name and effect.value is not None
    ]


def codes(effects: Iterable[Effect]) -> list[str]:
    """The codes of what rating rejected, in order."""
    return [dict(effect.headers)["error"] for effect in effects if effect.topic == topics.REJECTED.name]
