"""`azotte tail`: follow a topic, as a table."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from streams.cli.columns import Columns, columns_of, headers_of, heading, room, row
from streams.cli.output import fail, note, say, settings_or_fail
from streams.cli.values import NoValue, text_of, value_of

if TYPE_CHECKING:
    from schemas.registry import Schemas
    from streams.settings import Settings

THEIRS = ("events", "rejected", "commands")
PASSING = ("_PARTITION_EOF", "_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE")


class Followed(enum.StrEnum):
    """What can be followed."""

    CHARGES = "charges"
    THRESHOLDS = "thresholds"
    ENTITLEMENTS = "entitlements"
    LEDGER = "ledger"
    SIGNALS = "signals"
    REJECTED = "rejected"
    CATALOG = "catalog"
    EVENTS = "events"
    COMMANDS = "commands"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tail)


def tail(
    what: Annotated[Followed, typer.Argument(help="The topic, by its short name.", show_default=False)],
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest record.")
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="End after so many records.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print records as JSON, a line each.")] = False,
) -> None:
    """Follow a topic until Ctrl-C: only what is committed.

    A terminal shows the columns that it has room for; --json has everything.
    """
    from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, TopicPartition

    from schemas import topics
    from streams.cli.publish import existing_topics, reach
    from streams.connection import schemas_of

    settings = settings_or_fail()
    reach(settings)
    (topic,) = (each.name for each in topics.TOPICS if each.name.split(".")[1] == what.value)
    name = settings.topic(topic)
    consumer = consumer_of(settings)
    try:
        count = existing_topics(consumer, settings, [name])[name]
        start = OFFSET_BEGINNING if from_beginning else OFFSET_END
        consumer.assign([TopicPartition(name, number, start) for number in range(count)])
        columns = columns_of(what.value, room())
        if not json:
            say(heading(columns))
        _follow(consumer, what.value, schemas_of(settings), limit, None if json else columns)
    finally:
        consumer.close()


def consumer_of(settings: Settings) -> Any:
    """A consumer without a group, which says once that the broker went away, and waits for it."""
    from confluent_kafka import Consumer, KafkaError

    from streams.connection import connection

    told: list[bool] = []

    def failed(error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not told:
            told.append(True)
            note(
                f"azotte: the broker at {settings.bootstrap_servers} went away: this goes on when it is back, Ctrl-C ends it"
            )

    return Consumer(
        connection(settings)
        | {
            "group.id": f"{settings.topic_prefix}azotte-tail",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "log_level": 0,
            "error_cb": failed,
        }
    )


def _follow(
    consumer: Any, what: str, schemas: Schemas | None, limit: int | None, columns: Columns | None
) -> None:
    """Print records, as rows of these columns or, without, as JSON."""
    left = limit
    while left is None or left > 0:
        for message in consumer.consume(100, 0.2):
            if not readable(message):
                continue
            value = _value(message, what, schemas)
            say(_json(message, value) if columns is None else row(message, value, what, columns))
            if left is not None:
                left -= 1
                if not left:
                    return


def readable(message: Any) -> bool:
    """Whether it is a record, and not an error that passes; any other ends the command."""
    error = message.error()
    if error is not None and error.name() not in PASSING and not error.retriable():
        fail(f"{message.topic()} cannot be read: {error.str()}")
    return error is None


def _value(message: Any, what: str, schemas: Schemas | None) -> Any:
    """What a record says. What producers write may be anything; a topic of ours that cannot be read ends the command."""
    try:
        return value_of(message, schemas)
    except NoValue as error:
        if what in THEIRS:
            return text_of(message)
        fail(f"{message.topic()} {message.partition()} at {message.offset()} {error}")


def _json(message: Any, value: Any) -> str:
    key = message.key()
    record = {
        "topic": message.topic(), "partition": message.partition(), "offset": message.offset(),
        "key": None if key is None else key.decode("utf-8", "replace"), "value": value, "headers": headers_of(message),
    }  # fmt: skip
    return msgspec.json.encode(record).decode()
