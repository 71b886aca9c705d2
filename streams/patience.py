"""Waiting for a broker or a schema registry that does not answer: what passes by itself, and doing a thing until it is done.

    patience = Patience("rate", lambda: self.should_stop)
    found = patience(lambda: committed(consumer, asked))

Brokers die and come back, coordinators and leaders move. None of that is ours to mend or a reason to stop: the same call
answers later. What does not pass (a right that is missing, a topic that is gone) is raised at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from schemas.registry import Away
from streams import clock

log = logging.getLogger("azotte")
PAUSE_S = 0.5
Result = TypeVar("Result")

PASSING = frozenset(
    {
        # The connection.
        KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._TIMED_OUT_QUEUE,
        KafkaError._MSG_TIMED_OUT, KafkaError._RESOLVE, KafkaError._DESTROY_BROKER, KafkaError._NODE_UPDATE,
        KafkaError._UNKNOWN_BROKER, KafkaError.NETWORK_EXCEPTION, KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE, KafkaError.THROTTLING_QUOTA_EXCEEDED,
        # The client, not ready yet.
        KafkaError._WAIT_COORD, KafkaError._WAIT_CACHE, KafkaError._IN_PROGRESS, KafkaError._PREV_IN_PROGRESS,
        KafkaError._RETRY, KafkaError._INTR,
        # A coordinator that moves or loads, and what waits for a transaction.
        KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.UNSTABLE_OFFSET_COMMIT, KafkaError.CONCURRENT_TRANSACTIONS, KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.TRANSACTION_COORDINATOR_FENCED,
        # A partition whose leader moves.
        KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.PREFERRED_LEADER_NOT_AVAILABLE, KafkaError.ELIGIBLE_LEADERS_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND, KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.NOT_CONTROLLER, KafkaError.STALE_BROKER_EPOCH, KafkaError.REBOOTSTRAP_REQUIRED,
        KafkaError.FETCH_SESSION_ID_NOT_FOUND, KafkaError.INVALID_FETCH_SESSION_EPOCH,
    }
)  # fmt: skip


class Stopping(Exception):
    """We are to stop before we were answered. Nothing is wrong, and nothing was done by halves."""


def passes(error: KafkaError) -> bool:
    """Whether the broker may answer the next time."""
    return not error.fatal() and (error.retriable() or error.code() in PASSING)


def passing(error: KafkaException) -> bool:
    """The same, of what was raised."""
    return passes(error.args[0])


def unless_away(ask: Callable[[], Result]) -> Result | None:
    """The answer, or `None` where the broker has none now: for what is asked again anyway."""
    try:
        return ask()
    except KafkaException as error:
        if not passing(error):
            raise
        log.debug("the broker does not answer: %s", error.args[0].str())
        return None


class Patience:
    """One stage's way to wait; safe to share between threads."""

    def __init__(self, name: str, stopping: Callable[[], bool]) -> None:
        self._name = name
        self._stopping = stopping

    def __call__(self, act: Callable[[], Result]) -> Result:
        """Do it until it is answered. Raises `Stopping`, and `KafkaException` for what does not pass."""
        told = ""
        while True:
            try:
                return act()
            except Away as error:
                words = str(error)
            except KafkaException as error:
                if not passing(error):
                    raise
                words = f"the broker does not answer ({error.args[0].str()})"
            if words != told:
                log.warning("%s: %s, trying again", self._name, words)
                told = words
            self.pause()

    def pause(self, seconds: float = PAUSE_S) -> None:
        """Wait a little. Raises `Stopping`."""
        until = clock.monotonic() + seconds
        while (left := until - clock.monotonic()) > 0:
            self.check()
            clock.pause(min(left, 0.05))
        self.check()

    def check(self) -> None:
        """Raises `Stopping` where we are to stop: for a loop that waits in its own way."""
        if self._stopping():
            raise Stopping
