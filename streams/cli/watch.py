"""`azotte watch`: an account's access, limits and credits as they change, from the topics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.output import console, note, print_json, settings_or_fail
from streams.cli.redrive import since_or_fail
from streams.cli.send import Account, Tenant, name
from streams.cli.tail import consumer_of, readable
from streams.cli.watch_state import WATCHED, Watched

if TYPE_CHECKING:
    from streams.settings import Settings

CHUNK = 5_000
WAIT_S = 0.2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)


def watch(
    account: Account,
    since: Annotated[
        str | None,
        typer.Option(
            help="Read crossings and the ledger from this time or this long ago only. [their beginning]"
        ),
    ] = None,
    tenant: Tenant = "default",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what holds, then each change, as JSON, a line each.")
    ] = False,
) -> None:
    """Show an account's access, limits and credits as they change, until Ctrl-C."""
    from streams.cli.publish import reach

    name("account", account)
    name("tenant", tenant)
    start = None if since is None else since_or_fail(since)
    settings = settings_or_fail()
    reach(settings)
    watched = Watched(tenant, account)
    try:
        changes = _changes(settings, watched, start)
        if as_json:
            _print(changes, watched)
        else:
            _draw(changes, watched, f"{tenant}/{account}")
    except KeyboardInterrupt:
        return


def _print(changes: Iterator[list[dict[str, Any]]], watched: Watched) -> None:
    next(changes)
    for record in watched.state():
        print_json(record)
    for found in changes:
        for record in found:
            print_json(record)


def _draw(changes: Iterator[list[dict[str, Any]]], watched: Watched, title: str) -> None:
    from rich.live import Live

    from streams.cli.watch_view import view

    note(f"reading what there is of {title}")
    next(changes)
    screen = console()
    if not screen.is_terminal:
        screen.print(view(title, watched))
        for found in changes:
            if found:
                screen.print(view(title, watched))
        return
    with Live(view(title, watched), console=screen, auto_refresh=False) as live:
        for found in changes:
            if found:
                live.update(view(title, watched), refresh=True)


def _changes(settings: Settings, watched: Watched, since: int | None) -> Iterator[list[dict[str, Any]]]:
    """First when all that is there was read, then what changed since, again and again, if nothing too."""
    from streams.kafka import is_eof

    consumer = consumer_of(settings)
    try:
        unread = _assign(consumer, settings, since)
        while True:
            found = []
            for message in consumer.consume(CHUNK, WAIT_S):
                if is_eof(message):
                    unread.discard((message.topic(), message.partition()))
                elif readable(message):
                    told = watched.take(settings.base(message.topic()), message.key(), message.value())
                    found += [] if told is None else [told]
            if not unread:
                yield found
    finally:
        consumer.close()


def _assign(consumer: Any, settings: Settings, since: int | None) -> set[tuple[str, int]]:
    """Read all that is watched; the partitions, none of which is read to its end yet."""
    from confluent_kafka import OFFSET_BEGINNING, TopicPartition

    from schemas import topics
    from streams.cli.publish import CONNECT_S, existing_topics

    names = [settings.topic(topic.name) for topic in WATCHED]
    counts = existing_topics(consumer, settings, names)
    places = [
        TopicPartition(each, number, OFFSET_BEGINNING) for each in names for number in range(counts[each])
    ]
    if since is not None:
        compacted = settings.topic(topics.ENTITLEMENTS.name)
        asked = [
            TopicPartition(each.topic, each.partition, since // 1_000)
            for each in places
            if each.topic != compacted
        ]
        later = consumer.offsets_for_times(asked, timeout=CONNECT_S)
        places = [*(each for each in places if each.topic == compacted), *later]
    consumer.assign(places)
    return {(each.topic, each.partition) for each in places}
