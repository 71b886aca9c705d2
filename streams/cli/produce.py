"""`azotte produce`: publish usage events from a file or stdin, with a progress bar.

A line that is no event is named by its number and left out; what could not be delivered is named too; then the exit
status is 1.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from streams import clock
from streams.cli.lines import BadLine, Event, from_csv, from_ndjson
from streams.cli.output import WRONG_USAGE, counted, fail, note, print_json, say, settings_or_fail, unreadable
from streams.cli.send import pairs

SHOWN = 10
"""Bad lines that are named; the rest are counted."""


class Format(StrEnum):
    """What a file holds."""

    ndjson = "ndjson"
    csv = "csv"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("produce")(produce)


def produce(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="NDJSON or CSV; - is stdin.", show_default=False)
    ],
    form: Annotated[
        Format | None, typer.Option("--format", help="[unless given: by the file's name, ndjson for stdin]")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="CSV: attribute=column or data.member=column; repeat it."),
    ] = None,
    fixed: Annotated[
        list[str] | None, typer.Option("--set", help="CSV: attribute=text or data.member=text; repeat it.")
    ] = None,
    rate: Annotated[int | None, typer.Option(min=1, help="At most so many events a second.")] = None,
    topic: Annotated[
        str | None, typer.Option(help="The raw topic, without prefix. [usage.events.v1]")
    ] = None,
    check: Annotated[
        bool, typer.Option(help="Leave out lines that are no events; --no-check sends all.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Publish usage events from a file or stdin.

    A CSV needs a mapping, for example: --map id=request --map time=timestamp --map subject=customer
    --map data.input_tokens=tokens --set source=gateway --set type=llm.completion
    """
    from schemas import topics
    from streams.cli.publish import Publisher

    settings = settings_or_fail()
    wanted = topic or topics.EVENTS.name
    if settings.topic(wanted) not in settings.event_topics:
        fail(
            f"--topic {wanted} is no raw topic: name {topics.EVENTS.name} or one of AZOTTE_TENANT_TOPICS",
            WRONG_USAGE,
        )
    form = form or (Format.csv if file.lower().endswith(".csv") else Format.ndjson)
    columns, texts = pairs("--map", mapping or []), pairs("--set", fixed or [])
    if form is Format.csv and not (columns or texts):
        fail("a CSV needs --map or --set, which say what its columns are, like --map id=request", WRONG_USAGE)
    if form is not Format.csv and (columns or texts):
        fail("--map and --set are for a CSV: leave them out, or say --format csv", WRONG_USAGE)
    size = _size(file)
    bad: list[BadLine] = []
    name = "stdin" if file == "-" else Path(file).stem
    with _opened(file) as stream, Publisher(settings, [settings.topic(wanted)]) as publisher:
        lines = _Counted(stream)
        events = from_csv(lines, columns, texts, name) if form is Format.csv else from_ndjson(lines, check)
        try:
            for event in _shown(_paced(events, rate), lines, size):
                if isinstance(event, BadLine):
                    bad.append(event)
                else:
                    label = f"line {event.line}"
                    publisher.send(settings.topic(wanted), event.key, event.value, [], label)
        except ValueError as error:
            fail(error, WRONG_USAGE)
    for line in bad[:SHOWN]:
        note(f"line {line.line} left out: {line.why}")
    for failure in publisher.failed:
        note(f"not delivered: {failure}")
    if as_json:
        lost = [line.line for line in bad]
        print_json({"published": publisher.delivered, "failed": publisher.failures, "bad_lines": lost})
    else:
        say(f"published {counted(publisher.delivered, 'event')} to {settings.topic(wanted)}")
    if bad or publisher.failures:
        fail(f"{counted(len(bad), 'line')} left out, {publisher.failures:,} not delivered")


class _Counted:
    """Lines of a stream, counting the bytes that were read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self.read += len(line)
            yield line


def _size(file: str) -> int | None:
    """The file's size in bytes; wrong usage where it cannot be read, none for stdin."""
    if file == "-":
        return None
    try:
        with Path(file).open("rb") as stream:
            return os.fstat(stream.fileno()).st_size
    except OSError as error:
        unreadable(file, error)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as stream:
        yield stream


def _paced(events: Iterator[Event | BadLine], rate: int | None) -> Iterator[Event | BadLine]:
    """The same events, no faster than `rate` a second."""
    begin = clock.monotonic()
    for count, event in enumerate(events):
        if rate is not None and (ahead := count / rate - (clock.monotonic() - begin)) > 0.005:
            time.sleep(ahead)
        yield event


def _shown(events: Iterator[Event | BadLine], lines: _Counted, size: int | None) -> Iterator[Event | BadLine]:
    """The same events, with a progress bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield from events
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from streams.cli.output import console

    columns = (BarColumn(), TextColumn("{task.fields[events]:,} events"), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("produce", total=size or None, events=0)
        for count, event in enumerate(events, 1):
            yield event
            if count % 500 == 0:
                progress.update(task, completed=lines.read, events=count)
