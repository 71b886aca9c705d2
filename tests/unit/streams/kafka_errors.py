"""Errors as Kafka's client raises them."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException


def raised(code: int, fatal: bool = False, retriable: bool = False, abort: bool = False) -> KafkaException:
    """What a call raises: an error code, and what the client says of it."""
    return KafkaException(KafkaError(code, f"error {code}", fatal, retriable, abort))


AWAY = raised(KafkaError._TRANSPORT)
TIMED_OUT = raised(KafkaError._TIMED_OUT, retriable=True)
FORBIDDEN = raised(KafkaError.TOPIC_AUTHORIZATION_FAILED)
FENCED = raised(KafkaError._FENCED, fatal=True)
STALE = raised(KafkaError.ILLEGAL_GENERATION, abort=True)
