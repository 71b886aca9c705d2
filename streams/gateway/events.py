"""Events that come over HTTP: checked as NORMALIZE checks them, put on `usage.events.v1`, told of when the broker has them.

What the body says goes to the topic as it is; only a tenant that is not named is filled in from the key, and empty data at
OpenMeter's endpoint, where it may be left out. So the same event
is the same bytes however often it is sent, and its id makes a second copy harmless.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import KafkaException, Producer

from schemas import topics
from schemas.events import Event, Problem, decode
from schemas.gateway import BROKEN, Unreadable
from schemas.rejected import RawRecord
from streams.kafka import base
from streams.settings import Settings

POLL_S = 0.1
NULL = msgspec.Raw(b"null")
_events = msgspec.json.Decoder(list[msgspec.Raw])
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Checked(NamedTuple):
    """One event of a body: what goes to the topic, or why it cannot be used."""

    id: str | None
    key: bytes
    value: bytes
    problem: Problem | None


def split(body: bytes) -> list[bytes]:
    """The events of a body, one or a batch, each as its own text. Raises `Unreadable`."""
    first = body.lstrip()[:1]
    if first == b"{":
        return [body]
    if first != b"[":
        raise Unreadable("the body is neither a CloudEvent nor a list of them")
    try:
        found = [bytes(each) for each in _events.decode(body)]
    except BROKEN as error:
        raise Unreadable(f"the body is not a list of events: {str(error)[:200]}") from None
    if not found:
        raise Unreadable("the list of events is empty: send at least one")
    return found


def check(text: bytes, tenant: str, bytes_max: int, unless_set: Mapping[str, bytes] | None = None) -> Checked:
    """One event, as `tenant` may send it; `unless_set` has members, as JSON, that stand for those that it has not."""
    try:
        members = _members.decode(text)
        name = msgspec.json.decode(members["id"]) if "id" in members else None
    except BROKEN as error:
        return Checked(
            None, b"", text, Problem("malformed", f"the event is not a JSON object: {str(error)[:200]}")
        )
    name = name if isinstance(name, str) else None
    own = {"tenant": msgspec.json.encode(tenant), **(unless_set or {})}
    # A member that is null is one that is not set, as CloudEvents says.
    absent = {name: msgspec.Raw(value) for name, value in own.items() if members.get(name, NULL) == NULL}
    if absent:
        text = msgspec.json.encode(members | absent)
    found: Event | Problem = decode(RawRecord("", 0, 0, 0, None, text, None))
    if isinstance(found, Problem):
        return Checked(name, b"", text, found)
    if found.tenant != tenant:
        words = f"tenant is {found.tenant}, but the key is of another: leave it out, or use that tenant's key"
        return Checked(name, b"", text, Problem("wrong_tenant", words))
    if len(text) > bytes_max:
        words = f"the event has {len(text)} bytes, more than event_bytes_max, {bytes_max}"
        return Checked(name, b"", text, Problem("too_large", words))
    return Checked(name, f"{tenant}/{found.account or found.subject}".encode(), text, None)


class Away(Exception):
    """The broker did not take an event in time, or refused it. The same event may be sent again."""


class Publisher:
    """Puts events on the topic; a thread of its own hears of their delivery."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic(topics.EVENTS.name)
        self._producer = Producer(
            base(settings)
            | {
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 2,
                "message.timeout.ms": settings.gateway_timeout // 1_000,
            }
        )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._hear, name="gateway-events", daemon=True)
        self._thread.start()

    async def publish(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Put (key, value) on the topic, and return when the broker has them all. Raises `Away`."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(len(records), loop)
        try:
            for key, value in records:
                self._producer.produce(self._topic, value, key, on_delivery=waiting.told)
        except (BufferError, KafkaException) as error:
            raise Away(f"the broker is behind: {error}") from None
        words = await waiting.done
        if words is not None:
            raise Away(words)

    def close(self) -> None:
        """Deliver what is under way, within the timeout."""
        self._producer.flush(POLL_S * 20)
        self._stopped.set()
        self._thread.join()

    def _hear(self) -> None:
        while not self._stopped.is_set():
            self._producer.poll(POLL_S)


class _Waiting:
    """How many of a request's records are not delivered yet; settled when none is, or at the first that failed."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[str | None] = loop.create_future()
        self._left, self._loop = count, loop

    def told(self, error: Any, message: Any) -> None:
        self._left -= 1
        if error is not None:
            self._loop.call_soon_threadsafe(self._settle, str(error.str()))
        elif self._left == 0:
            self._loop.call_soon_threadsafe(self._settle, None)

    def _settle(self, words: str | None) -> None:
        if not self.done.done():
            self.done.set_result(words)
