"""`azotte redrive`: publish rejected events again, with their own key, value and headers.

It reads `usage.rejected.v1` up to the end that it has when the command starts, so that what is rejected anew is not
taken again. Running it twice is safe: an event that was counted is counted once, by its id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from rating.times import MINUTE, format_time, parse_duration, parse_time
from schemas.rejected import CODES
from streams import clock
from streams.cli.output import (
    WRONG_USAGE,
    counted,
    fail,
    none_of,
    note,
    print_json,
    print_table,
    say,
    settings_or_fail,
)

if TYPE_CHECKING:
    from streams.settings import Settings

OURS = frozenset({"error", "error_detail", "stage", "origin_topic", "origin_partition", "origin_offset"})
"""The headers that rejecting added; a redriven event goes without them."""
STALL = 1 * MINUTE


class RejectedRecord(NamedTuple):
    """A record of the rejected topic, as it is to be published again."""

    label: str
    topic: str
    code: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("redrive")(redrive)


def redrive(
    code: Annotated[
        list[str] | None, typer.Option(help="Only this code; repeat it. [unless given: every usage event]")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Rejected at or after this time, or this long ago: 2h, 7d.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be published.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts by code as JSON.")] = False,
) -> None:
    """Publish rejected events again.

    Rejected commands (bad_command) are published again only where --code names them.
    """
    from streams.cli.publish import Publisher

    for name in code or ():
        if name not in CODES:
            none_of("--code", name, CODES)
    wanted = frozenset(code) if code else frozenset(CODES) - {"bad_command"}
    start = None if since is None else since_or_fail(since)
    settings = settings_or_fail()
    counts: Counter[str] = Counter()
    with Publisher(settings, _targets(settings)) as publisher:
        for record in rejected(settings, start):
            if record.code in wanted:
                counts[record.code] += 1
                if not dry_run:
                    publisher.send(record.topic, record.key, record.value, record.headers, record.label)
    for failure in publisher.failed:
        note(f"not delivered: {failure}")
    if as_json:
        print_json(
            {"redriven": dict(sorted(counts.items())), "failed": publisher.failures, "dry_run": dry_run}
        )
    elif counts:
        print_table(("code", "would be published" if dry_run else "published again"), sorted(counts.items()))
    else:
        say("nothing to publish again")
    if publisher.failures:
        fail(f"{counted(publisher.failures, 'event')} not delivered")


def since_or_fail(text: str) -> int:
    """Microseconds of a time, or of a duration before now."""
    from rating.errors import TimeError

    try:
        return clock.now() - parse_duration(text) if text[-1:] in "smhd" else parse_time(text)
    except TimeError:
        example = format_time(clock.now())
        fail(f"--since {text!r} is neither a time like {example} nor a duration like 2h", WRONG_USAGE)


def _targets(settings: Settings) -> list[str]:
    from schemas import topics

    return [*settings.event_topics, settings.topic(topics.COMMANDS.name)]


def rejected(settings: Settings, since: int | None) -> Iterator[RejectedRecord]:
    """The rejected records that are there now, from a time on (microseconds) or from the beginning."""
    from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, TopicPartition

    from schemas import topics
    from streams.cli.publish import CONNECT_S, existing_topics
    from streams.connection import connection

    topic = settings.topic(topics.REJECTED.name)
    own = {"group.id": "azotte-redrive", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer(connection(settings) | own | {"isolation.level": "read_committed", "log_level": 0})
    try:
        count = existing_topics(consumer, settings, [topic])[topic]
        places = [
            TopicPartition(topic, p, OFFSET_BEGINNING if since is None else since // 1000)
            for p in range(count)
        ]
        if since is not None:
            places = consumer.offsets_for_times(places, timeout=CONNECT_S)
        ends = {
            p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=CONNECT_S)[1]
            for p in range(count)
        }
        open_ends = {
            place.partition for place in places if ends[place.partition] and place.offset != OFFSET_END
        }
        consumer.assign([place for place in places if place.partition in open_ends])
        heard = clock.now()
        while open_ends:
            for message in consumer.consume(500, 1.0):
                heard = clock.now()
                error, partition = message.error(), message.partition()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    open_ends.discard(partition)
                elif error is not None and not error.retriable():
                    fail(f"{topic} cannot be read: {error.str()}")
                elif error is None and message.offset() >= ends[partition]:
                    open_ends.discard(partition)
                elif error is None and partition in open_ends:
                    yield _record(message, settings)
            if clock.now() - heard > STALL:
                fail(f"{topic} cannot be read: the broker has been silent for a minute")
    finally:
        consumer.close()


def _record(message: Any, settings: Settings) -> RejectedRecord:
    from schemas import topics

    headers = [(name, value) for name, value in message.headers() or []]
    added = {
        name: value.decode(errors="replace") for name, value in headers if name in OURS and value is not None
    }
    origin = added.get("origin_topic", "")
    commands = settings.topic(topics.COMMANDS.name)
    raw = origin if origin in (*settings.event_topics, commands) else settings.topic(topics.EVENTS.name)
    return RejectedRecord(
        label=f"{message.topic()}[{message.partition()}]@{message.offset()}",
        topic=raw if added.get("stage") != "rate" else settings.topic(topics.EVENTS.name),
        code=added.get("error", ""),
        key=message.key(),
        value=message.value(),
        headers=[(name, value) for name, value in headers if name not in OURS],
    )
