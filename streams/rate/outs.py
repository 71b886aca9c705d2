"""Effects of rating as records: of billing topics, and of the log itself, to the partition of a tenant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rating.effects import Effect
from rating.placement import partition_of
from rating.records import TenantUsage
from rating.state import TENANT_ACCOUNT
from schemas import topics
from schemas.charges import encoder
from schemas.log import encode_record
from schemas.outputs import encode_value
from streams import metrics
from streams.connection import schemas_of
from streams.patience import Patience
from streams.settings import Settings
from streams.transaction import Out


class Outs:
    """Encodes effects. `log_partitions` is how many partitions the log has."""

    def __init__(self, settings: Settings, log_partitions: int, patience: Patience) -> None:
        self._log_partitions = log_partitions
        self._names = {topic.name: settings.topic(topic.name) for topic in topics.TOPICS}
        self._encoders = self._avro(settings, patience)

    def of(self, number: int, effects: Sequence[Effect]) -> list[Out]:
        """Effects of a partition, encoded as soon as they are there: a line is a large dictionary, and many of them fill
        every cache."""
        for topic, count in Counter(effect.topic for effect in effects).items():
            metrics.LINES.labels(topic).inc(count)
        return [self._out(number, effect) for effect in effects]

    def _out(self, number: int, effect: Effect) -> Out:
        name = self._names[effect.topic]
        if effect.topic == topics.LOG.name and effect.value is not None:
            place = partition_of(effect.value["tenant"], TENANT_ACCOUNT, self._log_partitions)
            return Out(name, place, None, encode_record(TenantUsage(**effect.value)))
        known = topics.BY_NAME[effect.topic]
        partition = number if known.partitions is topics.Partitions.LOG_ALIGNED else -1
        headers: list[tuple[str, bytes | None]] | None = [
            (key, value.encode()) for key, value in effect.headers
        ] or None
        if effect.topic == topics.REJECTED.name:
            metrics.REJECTED.labels(dict(effect.headers)["error"]).inc()
        encode = self._encoders.get(effect.topic, encode_value)
        value = None if effect.value is None else encode(effect.value)
        return Out(name, partition, effect.key.encode(), value, headers)

    def _avro(
        self, settings: Settings, patience: Patience
    ) -> Mapping[str, Callable[[Mapping[str, Any]], bytes | None]]:
        """What writes the topics that are not JSON: `billing.charges.v1`, where the settings say so."""
        schemas = schemas_of(settings) if settings.charges_format == "avro" else None
        if schemas is None:
            return {}
        name = topics.CHARGES.name
        return {name: patience(lambda: encoder(self._names[name], schemas))}
