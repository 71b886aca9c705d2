"""A partition's reservations, brought back from the topic."""

from __future__ import annotations

from rating.reservations import Hold
from schemas import topics
from schemas.reservations import UnknownReservation, decode_hold
from streams import clock
from streams.kafka import Stop
from streams.patience import Patience, log
from streams.reader import Reader, end_of
from streams.settings import Settings


def restored(settings: Settings, number: int, patience: Patience) -> tuple[int, list[Hold]]:
    """Where a partition of the topic ends, open transactions included, and the reservations up to there."""
    began = clock.monotonic()
    topic = settings.topic(topics.RESERVATIONS.name)
    end = end_of(settings, topic, patience, number)
    found: dict[bytes, Hold] = {}
    reader = Reader(settings, "azotte-gateway-restore", topic, number)
    try:
        for message in reader.to(end, patience):
            key, value = message.key() or b"", message.value()
            if value is None:
                found.pop(key, None)
            else:
                found[key] = decode_hold(key, value)
    except UnknownReservation as error:
        raise Stop(f"gateway: {topic} {number} cannot be restored: {error}") from None
    finally:
        reader.close()
    log.info(
        "gateway: partition %d restored, %d reservations, in %.1f s",
        number,
        len(found),
        clock.monotonic() - began,
    )
    return end, list(found.values())
