"""The published catalogs on `billing.catalog.v1`: read, and one more put in force through CONTROL."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from rating.catalog.publish import publish, read_revision
from rating.times import format_time
from schemas import topics
from schemas.catalog import CatalogProblem, LoadedCatalog, check_publish
from streams import clock
from streams.cli.publish import Publisher, existing_topics, reach
from streams.connection import connection
from streams.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

POLL_S = 0.2
ANSWER_S = 10.0


class Published(NamedTuple):
    """A revision in force, the command that made it, and the whole document with what is retired."""

    revision: int
    command: str
    doc: dict[str, Any]


class Applied(NamedTuple):
    """What `apply` came to; `new` is false where the content was in force already."""

    revision: int
    command: str
    new: bool


class Refused(Exception):
    """The catalog cannot be put in force; the text is one sentence, `problems` are those of the catalog."""

    def __init__(self, sentence: str, problems: list[CatalogProblem] | None = None) -> None:
        super().__init__(sentence)
        self.problems = problems or []


class Silent(Exception):
    """The broker has the command, but nobody answered in time."""


def published(settings: Settings, tenant: str) -> Published | None:
    """The newest revision of the tenant that is published, or `None`."""
    with _Reader(settings, [topics.CATALOG.name]) as reader:
        return _newest(reader, tenant)


def apply_catalog(
    settings: Settings, tenant: str, loaded: LoadedCatalog, command_id: str | None, wait_s: float
) -> Applied:
    """Publish a sound catalog and wait until CONTROL has put it in force. Raises `Refused` or `Silent`."""
    assert loaded.doc is not None, "only a sound catalog is published"
    with _Reader(settings, [topics.CATALOG.name, topics.REJECTED.name]) as reader:
        before = _newest(reader, tenant)
        problems = check_publish(None if before is None else before.doc, loaded)
        if problems:
            raise Refused("the catalog was not published: what is published never changes", problems)
        if before is not None and publish(before.doc, loaded.doc) == before.doc:
            return Applied(before.revision, before.command, new=False)
        name = command_id or f"catalog_{uuid.uuid4().hex}"
        _send(settings, tenant, name, loaded)
        return _answer(reader, tenant, name, wait_s)


def _send(settings: Settings, tenant: str, name: str, loaded: LoadedCatalog) -> None:
    command = {
        "id": name,
        "tenant": tenant,
        "type": "apply_catalog",
        "time": format_time(clock.now()),
        "catalog": loaded.doc,
    }
    topic = settings.topic(topics.COMMANDS.name)
    value = json.dumps(command, ensure_ascii=False, separators=(",", ":")).encode()
    with Publisher(settings, [topic]) as publisher:
        publisher.send(topic, tenant.encode(), value, [], f"command {name}")
    if publisher.failed:
        raise Refused(f"the catalog was not sent: {publisher.failed[0]}")


def _answer(reader: _Reader, tenant: str, name: str, wait_s: float) -> Applied:
    end = clock.monotonic() + wait_s
    for message in reader.messages(lambda: clock.monotonic() > end):
        if message.topic() == reader.name(topics.CATALOG.name):
            found = _revision(message, tenant)
            if found is not None and found.command == name:
                return Applied(found.revision, name, new=True)
        elif (why := _refusal(message, tenant, name)) is not None:
            raise Refused(f"the catalog was refused: {why}")
    raise Silent(f"command {name} was sent, but no revision came within {wait_s:g} s: start `azotte worker`, which "
                 "puts it in force")  # fmt: skip


def _newest(reader: _Reader, tenant: str) -> Published | None:
    newest: Published | None = None
    for message in reader.to_end():
        found = _revision(message, tenant)
        if found is not None and (newest is None or found.revision > newest.revision):
            newest = found
    return newest


def _revision(message: Message, tenant: str) -> Published | None:
    key, value = message.key(), message.value()
    if key is None or value is None or key.rpartition(b"/")[0] != tenant.encode():
        return None
    return Published(*read_revision(json.loads(value)))


def _refusal(message: Message, tenant: str, name: str) -> str | None:
    headers = dict(message.headers() or [])
    if headers.get("stage") != b"control":
        return None
    try:
        command = json.loads(message.value() or b"")
    except ValueError:
        return None
    if (
        not isinstance(command, dict)
        or command.get("id") != name
        or command.get("tenant", "default") != tenant
    ):
        return None
    return bytes(headers.get("error_detail") or headers.get("error") or b"no reason given").decode(
        "utf-8", "replace"
    )


class _Reader:
    """A consumer without a group: the first topic from its beginning, the others from their end of now, since an answer
    comes after its question."""

    def __init__(self, settings: Settings, names: list[str]) -> None:
        self._settings, self._names = settings, names

    def __enter__(self) -> _Reader:
        from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, TopicPartition

        reach(self._settings)
        config = connection(self._settings) | {
            "group.id": f"azotte-cli-{uuid.uuid4().hex}",
            "client.id": "azotte-cli",
            "enable.auto.commit": "false",
            "enable.partition.eof": "true",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.message.max.bytes": str(topics.LARGE),
            "log_level": "0",
        }
        self._consumer: Consumer = Consumer(config)
        try:
            counts = existing_topics(
                self._consumer, self._settings, [self.name(each) for each in self._names]
            )
        except BaseException:
            self._consumer.close()
            raise
        first = self.name(self._names[0])
        self._unread = {(first, number) for number in range(counts[first])}
        self._consumer.assign(
            [
                TopicPartition(topic, number, OFFSET_BEGINNING if topic == first else OFFSET_END)
                for topic, count in counts.items()
                for number in range(count)
            ]
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def name(self, base: str) -> str:
        """A topic's name in this deployment."""
        return self._settings.topic(base)

    def to_end(self) -> Iterator[Message]:
        """The records of the first topic that are there, without waiting for more."""
        first = self.name(self._names[0])
        give_up = clock.monotonic() + ANSWER_S
        while self._unread:
            message = self._poll()
            if message is not None and message.topic() == first:
                yield message
            if clock.monotonic() > give_up:
                raise Silent(
                    f"{first} could not be read to its end within {ANSWER_S:g} s: is the broker healthy?"
                )

    def messages(self, stop: Callable[[], bool]) -> Iterator[Message]:
        """Records as they come, until `stop`."""
        while not stop():
            message = self._poll()
            if message is not None:
                yield message

    def _poll(self) -> Message | None:
        from confluent_kafka import KafkaError, KafkaException

        message = self._consumer.poll(POLL_S)
        error = None if message is None else message.error()
        if message is None or error is None:
            return message
        if error.code() == KafkaError._PARTITION_EOF:
            # A position is no end here: the marker of a transaction takes an offset that no consumer is given.
            self._unread.discard((str(message.topic()), int(message.partition() or 0)))
        elif error.fatal() or not error.retriable():
            raise KafkaException(error)
        return None
