"""What rows of usage must know of meters, from the catalog's own topic."""

from __future__ import annotations

import msgspec

from rating.catalog import compile_catalog, read_revision
from schemas import topics
from sinks.clickhouse.usage import Meter
from streams.kafka import Stop
from streams.patience import Patience
from streams.reader import Reader, end_of
from streams.settings import Settings


class KnownMeters:
    """Meters by tenant and key. A revision is on the topic before any pack that it measured, and stays: it is compacted
    by revision, and a meter once published never changes."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self._settings = settings
        self._patience = patience
        self._topic = settings.topic(topics.CATALOG.name)
        self._meters: dict[tuple[str, str], Meter] = {}
        self._reader = Reader(settings, "azotte-sink-catalog", self._topic)

    def __call__(self, tenant: str, meter: str) -> Meter:
        """The meter; reads on to what is the topic's end now. Raises `Stop` where it is not there, and `Stopping`."""
        found = self._meters.get((tenant, meter))
        if found is not None:
            return found
        self._read(end_of(self._settings, self._topic, self._patience))
        if (tenant, meter) not in self._meters:
            raise Stop(
                f"sink: no revision on {self._topic} has meter {meter} of {tenant}: the topic must keep every revision"
                " that the log was measured by"
            )
        return self._meters[tenant, meter]

    def close(self) -> None:
        """Leave the topic."""
        self._reader.close()

    def _read(self, end: int) -> None:
        for message in self._reader.to(end, self._patience):
            key, value = message.key(), message.value()
            if key is not None and value is not None:
                tenant, _, _ = key.decode().rpartition("/")
                revision, _, doc = read_revision(msgspec.json.decode(value))
                for name, meter in compile_catalog(doc, revision).meters.items():
                    self._meters[tenant, name] = Meter(tuple(meter.dimensions), meter.aggregation == "unique")
